"""Gusts: a yaw rate that the wind adds to the car's."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from harness.conditions.draws import generator

PERIOD_S = 0.02
_MEMORY_S = 0.5


def gusts_rad_s(seed: int, sigma_rad_s: float, duration_s: float) -> NDArray[np.float64]:
    """An Ornstein-Uhlenbeck process, sampled every 0.02 simulated s.

    Its spectrum is of first order, as Dryden's of turbulence along the flight (MIL-F-8785C).

    Args:
        seed: Of the run.
        sigma_rad_s: Its standard deviation.
        duration_s: How long it blows.

    Returns:
        Yaw rates (N,), positive to the left, which cover the duration; of one seed those of
        another deviation are the same but for the factor.
    """
    count = max(1, math.ceil(duration_s / PERIOD_S))
    random = generator(seed, "gusts")
    keep = math.exp(-PERIOD_S / _MEMORY_S)
    first, *rest = random.standard_normal(count)
    driven = np.array([first, *(math.sqrt(1.0 - keep**2) * np.array(rest))])
    return sigma_rad_s * np.asarray(lfilter([1.0], [1.0, -keep], driven), np.float64)
