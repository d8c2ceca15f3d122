"""How sure a figure over repetitions is: intervals of a mean and of a share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, bootstrap

from harness.errors import UsageError

CONFIDENCE = 0.95
_RESAMPLES = 9999


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval.

    Attributes:
        value: The estimate.
        low: Lower end; None where one observation gives no interval.
        high: Upper end; None where one observation gives no interval.
        n: Observations.
    """

    value: float
    low: float | None
    high: float | None
    n: int


def mean_interval(values: Sequence[float], seed: int = 0) -> Interval | None:
    """Mean with its percentile bootstrap interval (scipy.stats.bootstrap).

    The percentile method, since the bias-corrected ones are undefined when all repetitions agree,
    as those of a lockstep run do.

    Args:
        values: One figure per repetition.
        seed: Seed of the resampling: the same values give the same interval.

    Returns:
        None without values; no ends with a single one.
    """
    if len(values) == 0:
        return None
    sample = np.asarray(values, dtype=np.float64)
    mean = float(sample.mean())
    if len(sample) == 1:
        return Interval(mean, None, None, 1)
    ends = bootstrap(
        (sample,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(mean, float(ends.low), float(ends.high), len(sample))


def completion_interval(completed: int, runs: int) -> Interval:
    """Share of completed runs with its Clopper-Pearson (exact binomial) interval.

    Args:
        completed: Runs completed.
        runs: Runs driven, failures included, at least 1.

    Raises:
        UsageError: Not 0 <= completed <= runs, or no runs.
    """
    if runs < 1 or not 0 <= completed <= runs:
        raise UsageError(f"{completed} completed of {runs} runs makes no share")
    ends = binomtest(completed, runs).proportion_ci(confidence_level=CONFIDENCE, method="exact")
    return Interval(completed / runs, float(ends.low), float(ends.high), runs)
