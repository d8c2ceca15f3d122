"""How much of a condition a model stands: the level at which half its laps fail."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_RESAMPLES = 999
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Margin:
    """The level at which half the laps fail, with its 95 % interval.

    Attributes:
        level: None where the levels that were driven do not tell it.
        low: Lower end of the interval; None where it lies below the least level.
        high: Upper end; None where it lies above the greatest level.
        why_none: Why there is no level, in words; empty where there is one.
        laps: Laps that it is from.
    """

    level: float | None
    low: float | None
    high: float | None
    why_none: str
    laps: int


def margin(levels: Floats, driven: Counts, completed: Counts, seed: int = 0) -> Margin:
    """Fits completion over level, and resamples seeds for an interval.

    The share of completed laps is taken as a logistic function of the level, fitted to all laps by
    the likelihood with Firth's correction (*Biometrika* 80, 1993): without it there is no estimate
    where all laps complete below some level and none above. Laps of one seed share their draws, so
    the bootstrap draws seeds, not laps (percentiles; a resample whose half lies beyond the levels
    counts as beyond them).

    Args:
        levels: How hard it is (L,), ascending: the condition's level, or its distance from the
            usual one.
        driven: Laps driven (S, L) of each seed at each level.
        completed: How many of them were completed (S, L).
        seed: Of the resampling: the same laps give the same interval.

    Raises:
        ValueError: Shapes differ, levels do not ascend, or more were completed than driven.
    """
    _check(levels, driven, completed)
    laps = int(driven.sum())
    known = driven.sum(axis=0) > 0
    levels, driven, completed = levels[known], driven[:, known], completed[:, known]
    if levels.size < 2:
        return Margin(None, None, None, "fewer than two levels were driven", laps)
    if why := _why_none(levels, driven.sum(axis=0), completed.sum(axis=0)):
        return Margin(None, None, None, why, laps)
    level = _half(levels, driven.sum(axis=0), completed.sum(axis=0))
    if not levels[0] <= level <= levels[-1]:
        return Margin(None, None, None, _beyond(level, levels), laps)
    random = np.random.default_rng(seed)
    drawn = random.integers(0, len(driven), (_RESAMPLES, len(driven)))
    halves = [
        _half(levels, driven[rows].sum(axis=0), completed[rows].sum(axis=0)) for rows in drawn
    ]
    tail = (1.0 - _CONFIDENCE) / 2.0
    ends = np.quantile(halves, [tail, 1.0 - tail], method="inverted_cdf")
    low, high = (float(end) if levels[0] <= end <= levels[-1] else None for end in ends)
    return Margin(level, low, high, "", laps)


def fitted_share(levels: Floats, driven: Counts, completed: Counts, at: Floats) -> Floats:
    """The fitted share of completed laps (K,) at levels (K,), to be drawn.

    Args:
        levels: As of `margin`.
        driven: Laps driven at each level (L,), of all seeds.
        completed: Laps completed at each level (L,).
        at: Where.
    """
    centre, scale = _scaling(levels)
    offset, slope = _fit(*_hashable((levels - centre) / scale, driven, completed))
    return np.asarray(expit(offset + slope * (at - centre) / scale), np.float64)


def _check(levels: Floats, driven: Counts, completed: Counts) -> None:
    if driven.shape != completed.shape or driven.ndim != 2 or driven.shape[1:] != levels.shape:
        raise ValueError("laps must be seeds by levels")
    if (np.diff(levels) <= 0.0).any():
        raise ValueError("levels must ascend")
    if (completed < 0).any() or (completed > driven).any():
        raise ValueError("completed laps are some of those driven")


def _why_none(levels: Floats, driven: Counts, completed: Counts) -> str:
    if (completed == driven).all():
        return f"no lap failed up to {levels[-1]:g}"
    if (completed == 0).all():
        return f"no lap was completed from {levels[0]:g} on"
    return ""


def _beyond(level: float, levels: Floats) -> str:
    if math.isnan(level):
        return "completion does not fall with the level"
    if level > levels[-1]:
        return f"fewer than half of the laps fail at {levels[-1]:g}"
    return f"more than half of the laps fail at {levels[0]:g}"


def _half(levels: Floats, driven: Counts, completed: Counts) -> float:
    """Where the fit is a half; beyond all levels where no or every lap fails; NaN if it rises."""
    if (completed == driven).all():
        return math.inf
    if (completed == 0).all():
        return -math.inf
    centre, scale = _scaling(levels)
    offset, slope = _fit(*_hashable((levels - centre) / scale, driven, completed))
    return math.nan if slope >= 0.0 else centre - scale * offset / slope


def _scaling(levels: Floats) -> tuple[float, float]:
    """Middle and half width: the fit is the same in whatever unit a level is."""
    return float(levels[0] + levels[-1]) / 2.0, float(levels[-1] - levels[0]) / 2.0


def _hashable(levels: Floats, driven: Counts, completed: Counts) -> tuple[tuple[float, ...], ...]:
    return tuple(levels.tolist()), tuple(driven.tolist()), tuple(completed.tolist())


@functools.lru_cache(maxsize=4096)
def _fit(
    levels: tuple[float, ...], driven: tuple[float, ...], completed: tuple[float, ...]
) -> tuple[float, float]:
    """Offset and slope of a logistic function by the penalised likelihood.

    Resamples of few seeds repeat each other: each is fitted once.
    """
    x, n, k = (np.array(values, dtype=np.float64) for values in (levels, driven, completed))

    def loss(parameters: Floats) -> float:
        logit = parameters[0] + parameters[1] * x
        share = expit(logit)
        weight = n * share * (1.0 - share)
        # Half the logarithm of the information's determinant is Firth's correction.
        information = weight.sum() * (weight * x**2).sum() - (weight * x).sum() ** 2
        likelihood = (k * log_expit(logit) + (n - k) * log_expit(-logit)).sum()
        return -float(likelihood + 0.5 * math.log(max(float(information), 1e-300)))

    found = minimize(loss, np.array([0.0, -1.0]), method="Nelder-Mead", options={"xatol": 1e-6})
    offset, slope = found.x.tolist()
    return offset, slope
