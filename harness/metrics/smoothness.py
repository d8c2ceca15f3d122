"""How smoothly a run was steered and driven."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

from harness.metrics.run_log import Iterations

Floats = NDArray[np.float64]

# The driven line is taken this often, and a cubic is fitted to this much of it round each sample
# (Savitzky and Golay, Anal. Chem. 36, 1964): commands come in steps, whose own jerk is unbounded.
_SAMPLE_S = 0.02
_WINDOW = 25


def steering_rate_rad_s2(iterations: Iterations) -> float | None:
    """Mean over simulated time of |dw/dt|: all turns of the commanded yaw rate over the time.

    None for fewer than two frames.
    """
    stamps_s = iterations.frame_sim_s
    if stamps_s.size < 2 or stamps_s[-1] <= stamps_s[0]:
        return None
    turned_rad_s = float(np.abs(np.diff(iterations.w_rad_s)).sum())
    return turned_rad_s / float(stamps_s[-1] - stamps_s[0])


def suddenness_distance(iterations: Iterations) -> float | None:
    """Mean distance between one command (v, w) and the next, as the published study has it.

    Its brains average the Euclidean norm of the difference of consecutive answers. None for fewer
    than two commands.
    """
    if iterations.w_rad_s.size < 2:
        return None
    steps = np.hypot(np.diff(iterations.v_m_s), np.diff(iterations.w_rad_s))
    return float(steps.mean())


def jerk_m_s3(sim_s: Floats, x_m: Floats, y_m: Floats) -> float | None:
    """Mean magnitude of the jerk of a driven line: the third derivative of its position.

    Args:
        sim_s: Simulated times (N,), strictly increasing.
        x_m: Positions (N,), east.
        y_m: Positions (N,), north.

    Returns:
        None where the line is shorter than the half second that a derivative is taken from.
    """
    samples = int(np.floor(float(sim_s[-1] - sim_s[0]) / _SAMPLE_S + 1e-6)) + 1
    if samples < _WINDOW:
        return None
    times_s = sim_s[0] + _SAMPLE_S * np.arange(samples)
    line_m = np.stack([np.interp(times_s, sim_s, along_m) for along_m in (x_m, y_m)])
    jerk = savgol_filter(line_m, _WINDOW, polyorder=3, deriv=3, delta=_SAMPLE_S, axis=1)
    return float(np.hypot(*jerk).mean())
