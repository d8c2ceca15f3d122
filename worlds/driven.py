"""A driven lap as a line: the first whole lap of an odometry, closed and smoothed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import splev, splprep
from scipy.spatial import cKDTree

from harness.errors import DataError
from worlds.traced import Traced

Floats = NDArray[np.float64]

_STEP_M = 0.5
_SPACING_M = 1.0
# A lap ends where the car comes by its beginning again: this near, and no farther beside it, this
# far round, this way on.
_NEAR_M = 5.0
_BESIDE_M = 2.0
_SHORTEST_LAP_M = 20.0
_SAME_WAY_COS = 0.7
# How far the closed line may lie from the driven one (root mean square): it takes the car's
# wiggles and the odometry's noise off.
_SMOOTHED_M = 0.03


class _Lap(NamedTuple):
    first: int
    last: int
    laps: int


def traced_lap(points_m: Floats, source: str) -> Traced:
    """The first whole lap of a driven line.

    Where the car came by its beginning again, it was a little beside it: that gap is spread over
    the lap, so that the line closes without a step.

    Args:
        points_m: (N, 2) positions in the order driven; the car may stand, and drive to the lap's
            beginning first.
        source: What they were read from.

    Raises:
        DataError: There is no whole lap.
    """
    path = _even(points_m)
    if len(path) < 2:
        raise DataError(f"{source}: the car does not move: there is no lap to make a circuit of")
    lap = _first_lap(path)
    if lap is None:
        apart_m = float(np.hypot(*(path[-1] - path[0])))
        raise DataError(
            f"{source}: holds no whole lap: it drives {len(path) * _STEP_M:.0f} m and ends"
            f" {apart_m:.1f} m from its beginning"
        )
    driven = path[lap.first : lap.last + 1]
    ahead = driven[1] - driven[0]
    across = np.array([-ahead[1], ahead[0]]) / np.hypot(*ahead)
    beside_m = float((driven[-1] - driven[0]) @ across)
    closed = driven - np.linspace(0.0, beside_m, len(driven))[:, None] * across
    closed = np.vstack([closed, closed[:1]])
    spline, _ = splprep(closed.T, s=len(closed) * _SMOOTHED_M**2, per=True)
    count = max(4, round(len(driven) * _STEP_M / _SPACING_M))
    points = np.column_stack(splev(np.arange(count) / count, spline))
    apart_m = float(np.hypot(*(driven[-1] - driven[0])))
    notes = [
        f"lap 1 of {lap.laps}, {(len(driven) - 1) * _STEP_M:.0f} m driven; its end and its"
        f" beginning, {apart_m:.2f} m apart, are joined"
    ]
    if lap.first:
        notes.append(f"it begins {lap.first * _STEP_M:.0f} m after the bag's first position")
    return Traced(points, tuple(f"metre {i}" for i in range(count)), source, tuple(notes))


def _even(points_m: Floats) -> Floats:
    """The path (M, 2) at even steps; where the car stands counts once."""
    steps_m = np.hypot(*np.diff(points_m, axis=0).T)
    moved = np.concatenate([[True], steps_m > 1e-6])
    points_m = points_m[moved]
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points_m, axis=0).T))])
    at_m = np.arange(0.0, along_m[-1], _STEP_M)
    return np.column_stack([np.interp(at_m, along_m, axis) for axis in points_m.T])


def _first_lap(path: Floats) -> _Lap | None:
    """The first stretch that comes back to where it began, driven the same way."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    tree = cKDTree(path)
    shortest = round(_SHORTEST_LAP_M / _STEP_M)
    for first in range(max(0, len(path) - shortest)):
        later = np.array(sorted(tree.query_ball_point(path[first], _NEAR_M)), dtype=int)
        later = later[later >= first + shortest]
        later = later[ahead[later] @ ahead[first] > _SAME_WAY_COS]
        across = np.array([-ahead[first, 1], ahead[first, 0]])
        later = later[np.abs((path[later] - path[first]) @ across) < _BESIDE_M]
        if not len(later):
            continue
        passes = np.split(later, np.flatnonzero(np.diff(later) > 1) + 1)
        # The lap ends with the last sample before the line through its beginning.
        before = [one[(path[one] - path[first]) @ ahead[first] < -_STEP_M / 2] for one in passes]
        ends = [int(one[-1]) for one in before if len(one)]
        if ends:
            return _Lap(first, ends[0], len(ends))
    return None
