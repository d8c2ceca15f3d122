"""How sure a figure over repetitions is: intervals of means and shares, differences of pairs."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap, t, ttest_1samp

from harness.errors import UsageError

CONFIDENCE = 0.95
# Fewer pairs say nothing: the t distribution of a single degree of freedom has no usable width.
MIN_PAIRS = 3
# Of fewer observations the percentile bootstrap is too narrow: it knows no values beyond them.
MIN_RESAMPLED = 10
_RESAMPLES = 9999
# Numbers drawn at once: memory stays flat however many repetitions there are.
_BATCH_NUMBERS = 1_000_000


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


@dataclass(frozen=True)
class Difference:
    """Mean difference of pairs, with its 95 % interval and what speaks against chance.

    Attributes:
        value: Mean of the second less the first.
        low: Lower end of the 95 % interval; None with fewer than `MIN_PAIRS` pairs.
        high: Upper end.
        n: Pairs.
        p_value: Of the exact or parametric test beside the interval; None where there is none.
        beyond_noise: Whether both the interval and the test exclude 0 at the level asked for.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    p_value: float | None
    beyond_noise: bool


def mean_interval(values: Sequence[float], seed: int = 0) -> Interval | None:
    """Mean with its interval: Student's t of fewer than `MIN_RESAMPLED`, else the bootstrap.

    Student's (*Biometrika* 6, 1908): mean +- t(0.975, n - 1) s / sqrt(n), s the standard deviation
    over n - 1. The bootstrap (scipy.stats.bootstrap) by the percentile method, since the
    bias-corrected ones are undefined when all repetitions agree, as those of a lockstep run do.

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
    if len(sample) < MIN_RESAMPLED:
        low, high = _student_ends(sample, CONFIDENCE)
    else:
        low, high = _ends(_resampled_means(sample, seed), CONFIDENCE)
    return Interval(mean, low, high, len(sample))


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


def paired_difference(
    first: Sequence[float], second: Sequence[float], comparisons: int = 1, seed: int = 0
) -> Difference | None:
    """Mean difference of paired figures, its interval as `mean_interval` has it, and a t-test.

    Of fewer than `MIN_RESAMPLED` pairs interval and test are the same statement. Of more, the
    bootstrap and the paired t-test must agree before a difference counts as beyond noise.

    Args:
        first: Figures (n,) of one side.
        second: Figures (n,) of the other, pair by pair.
        comparisons: How many differences are judged together; each is then judged at
            0.05 / comparisons (Bonferroni). The interval returned stays at 95 %.
        seed: Seed of the resampling.

    Returns:
        None without pairs.

    Raises:
        ValueError: Not the same number of figures on both sides.
    """
    differences = _differences(first, second)
    if differences.size == 0:
        return None
    mean, pairs = float(differences.mean()), differences.size
    if pairs < MIN_PAIRS:
        return Difference(mean, None, None, pairs, None, False)
    with warnings.catch_warnings():
        # Differences that are all alike have no spread: scipy warns, and gives nan or 0.
        warnings.simplefilter("ignore", RuntimeWarning)
        p_value = float(ttest_1samp(differences, 0.0).pvalue)
    level = (1.0 - CONFIDENCE) / comparisons
    if pairs < MIN_RESAMPLED:
        low, high = _student_ends(differences, CONFIDENCE)
        return Difference(mean, low, high, pairs, _known(p_value), p_value <= level)
    return _judged(differences, _known(p_value), level, seed)


def paired_ratio(
    first: Sequence[float], second: Sequence[float], comparisons: int = 1, seed: int = 0
) -> Difference | None:
    """Ratio of paired figures less 1: the geometric mean over pairs, judged by its logarithms.

    Pairs of a long circuit and of a short one then say the same where one side is slower by the
    same share.

    Args:
        first: Positive figures (n,) of one side.
        second: Positive figures (n,) of the other, pair by pair.
        comparisons: As for `paired_difference`.
        seed: Seed of the resampling.

    Returns:
        Value and ends as second / first - 1; None without pairs.

    Raises:
        ValueError: Not the same number of figures on both sides.
    """
    ours, theirs = ([math.log(value) for value in side] for side in (first, second))
    found = paired_difference(ours, theirs, comparisons, seed)
    if found is None:
        return None
    low, high = (None if end is None else math.expm1(end) for end in (found.low, found.high))
    return replace(found, value=math.expm1(found.value), low=low, high=high)


def paired_share_difference(
    first: Sequence[bool], second: Sequence[bool], comparisons: int = 1, seed: int = 0
) -> Difference | None:
    """Difference of two shares over pairs: percentile bootstrap, and McNemar's exact test.

    The bootstrap of few pairs too: differences of -1, 0 and 1 are none of Student's.

    McNemar (1947): among the pairs that differ, either side is as often the better one by chance.

    Args:
        first: Whether each run (n,) of one side did it.
        second: Whether each run of the other did, pair by pair.
        comparisons: As for `paired_difference`.
        seed: Seed of the resampling.

    Returns:
        None without pairs.

    Raises:
        ValueError: Not the same number on both sides.
    """
    differences = _differences(first, second)
    if differences.size == 0:
        return None
    gained, lost = int((differences > 0).sum()), int((differences < 0).sum())
    p_value = float(binomtest(gained, gained + lost).pvalue) if gained + lost else None
    return _judged(differences, p_value, (1.0 - CONFIDENCE) / comparisons, seed)


def _differences(first: Sequence[float], second: Sequence[float]) -> NDArray[np.float64]:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} figures make no pairs")
    return np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)


def _known(p_value: float) -> float | None:
    """A p value; None where there was nothing to test."""
    return None if math.isnan(p_value) else p_value


def _judged(
    differences: NDArray[np.float64], p_value: float | None, level: float, seed: int
) -> Difference:
    """The difference with its bootstrap interval, judged at a level."""
    if differences.size < 2:
        return Difference(float(differences.mean()), None, None, differences.size, p_value, False)
    means = _resampled_means(differences, seed)
    low, high = _ends(means, CONFIDENCE)
    judged_low, judged_high = _ends(means, 1.0 - level)
    beyond = p_value is not None and p_value <= level and not judged_low <= 0.0 <= judged_high
    return Difference(float(differences.mean()), low, high, differences.size, p_value, beyond)


def _student_ends(sample: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Ends of Student's interval of the mean of a sample (n,), n >= 2."""
    mean, error = float(sample.mean()), float(sample.std(ddof=1)) / math.sqrt(sample.size)
    reach = float(t.ppf(0.5 + confidence / 2.0, sample.size - 1)) * error
    return mean - reach, mean + reach


def _resampled_means(sample: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Means (9,999,) of resamples of a sample (n,), n >= 2."""
    drawn = bootstrap(
        (sample,),
        np.mean,
        n_resamples=_RESAMPLES,
        batch=max(1, _BATCH_NUMBERS // len(sample)),
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return np.asarray(drawn.bootstrap_distribution, dtype=np.float64)


def _ends(means: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """The central share `confidence` of resampled means."""
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)
