"""A line that is worn: where of a lap it is missing."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from harness.conditions.draws import generator

_STEP_M = 0.1
# How far what wears a line reaches along it.
_REACH_M = 1.0


def worn_gaps_m(seed: int, share: float, length_m: float) -> tuple[tuple[float, float], ...]:
    """Stretches of a lap on which its line is missing.

    Where a smooth drawn field along the lap is greatest, the line is gone: of one seed a greater
    share holds all gaps of a lesser one.

    Args:
        seed: Of the run.
        share: Of the line that is missing, 0 to 1.
        length_m: Of the lap.

    Returns:
        Stations (from, to) in metres from the lap's own start, ascending, none beyond its end.
    """
    cells = max(1, round(length_m / _STEP_M))
    step_m = length_m / cells
    random = generator(seed, "line_worn")
    field = gaussian_filter1d(random.standard_normal(cells), _REACH_M / step_m, mode="wrap")
    missing = np.zeros(cells, dtype=np.int8)
    missing[np.argsort(field)[cells - round(share * cells) :]] = 1
    edges = np.flatnonzero(np.diff(np.concatenate([[0], missing, [0]])))
    return tuple((float(a * step_m), float(b * step_m)) for a, b in edges.reshape(-1, 2))
