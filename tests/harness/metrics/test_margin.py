"""Margins on laps whose half is known."""

import numpy as np
import pytest
from scipy.special import expit

from harness.metrics.margin import Counts, Margin, fitted_share, margin

LEVELS = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 6.0])


def laps(seeds: int) -> Counts:
    return np.ones((seeds, len(LEVELS)), np.int64)


def drawn(half: float, width: float, seeds: int, seed: int) -> Counts:
    """Laps that complete with a logistic share."""
    share = expit((half - LEVELS) / width)
    completes = np.random.default_rng(seed).random((seeds, len(LEVELS))) < share
    return np.asarray(completes, np.int64)


def test_many_laps_give_the_half_that_they_are_drawn_from() -> None:
    found = margin(LEVELS, laps(400), drawn(2.5, 0.6, 400, 1))
    assert found.level == pytest.approx(2.5, abs=0.1)
    assert found.low is not None and found.high is not None
    assert found.low < 2.5 < found.high
    assert found.high - found.low < 0.4
    assert found.laps == 2400


def test_few_laps_give_a_wide_interval_that_holds_the_half_most_times() -> None:
    held = 0
    for seed in range(60):
        found = margin(LEVELS, laps(8), drawn(2.5, 0.6, 8, seed))
        held += found.low is None or found.low <= 2.5
        held += found.high is None or found.high >= 2.5
    assert held >= 0.9 * 120


def test_a_clean_cut_lies_between_the_levels_that_it_parts() -> None:
    completed = np.tile([1, 1, 1, 0, 0, 0], (5, 1))
    found = margin(LEVELS, laps(5), completed)
    assert found.level is not None and 2.0 < found.level < 3.0
    # No seed differs from another: the resamples are all the same.
    assert found.low == found.high == found.level


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([1, 1, 1, 1, 1, 1], "no lap failed up to 6"),
        ([0, 0, 0, 0, 0, 0], "no lap was completed from 0 on"),
        ([0, 0, 0, 1, 1, 1], "completion does not fall with the level"),
    ],
)
def test_what_the_levels_do_not_tell_is_none_and_why(row: list[int], said: str) -> None:
    found = margin(LEVELS, laps(4), np.tile(row, (4, 1)))
    assert found == Margin(None, None, None, said, 24)


def test_a_half_beyond_the_levels_is_none() -> None:
    completed = laps(10)
    completed[:3, -1] = 0
    found = margin(LEVELS, laps(10), completed)
    assert found.level is None
    assert found.why_none == "fewer than half of the laps fail at 6"
    completed = np.zeros_like(completed)
    completed[:3, 0] = 1
    assert margin(LEVELS, laps(10), completed).why_none == "more than half of the laps fail at 0"


def test_an_end_of_the_interval_beyond_the_levels_is_none() -> None:
    completed = np.tile([1, 1, 1, 1, 1, 0], (4, 1))
    completed[:2, -1] = 1
    completed[0, -2] = 0
    found = margin(LEVELS, laps(4), completed)
    assert found.low is not None
    assert found.high is None


def test_units_do_not_matter_and_missing_laps_are_left_out() -> None:
    completed, driven = drawn(2.5, 0.6, 12, 3), laps(12)
    one = margin(LEVELS, driven, completed)
    thousand = margin(1000.0 * LEVELS, driven, completed)
    assert one.level and thousand.level
    assert thousand.level == pytest.approx(1000.0 * one.level)
    driven[:, 1] = completed[:, 1] = 0
    assert margin(LEVELS, driven, completed).laps == 60
    few = margin(LEVELS[:1], driven[:, :1], completed[:, :1])
    assert few.why_none == "fewer than two levels were driven"


def test_the_curve_is_a_half_at_the_margin() -> None:
    completed = drawn(2.5, 0.6, 30, 5)
    found = margin(LEVELS, laps(30), completed)
    assert found.level is not None
    share = fitted_share(
        LEVELS, laps(30).sum(axis=0), completed.sum(axis=0), np.array([0.0, found.level, 6.0])
    )
    assert share[0] > 0.9 and share[2] < 0.1
    assert share[1] == pytest.approx(0.5)


def test_senseless_laps_are_refused() -> None:
    with pytest.raises(ValueError, match="seeds by levels"):
        margin(LEVELS, laps(3), laps(4))
    with pytest.raises(ValueError, match="ascend"):
        margin(LEVELS[::-1], laps(3), laps(3))
    with pytest.raises(ValueError, match="some of those driven"):
        margin(LEVELS, laps(3), 2 * laps(3))
