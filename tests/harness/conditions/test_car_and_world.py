"""Wind and wear: as much as asked, the same again, and of more the less a part."""

import numpy as np
import pytest

from harness.conditions.wear import worn_gaps_m
from harness.conditions.wind import PERIOD_S, gusts_rad_s


def test_gusts_have_their_deviation_and_their_memory() -> None:
    gusts = gusts_rad_s(1, 0.5, 20_000.0)
    assert gusts.std() == pytest.approx(0.5, rel=0.03)
    assert gusts.mean() == pytest.approx(0.0, abs=0.02)
    lag = round(0.5 / PERIOD_S)
    assert np.corrcoef(gusts[:-lag], gusts[lag:])[0, 1] == pytest.approx(np.exp(-1.0), abs=0.03)


def test_gusts_are_the_same_again_and_go_with_their_deviation() -> None:
    one = gusts_rad_s(7, 0.25, 60.0)
    assert len(one) == 3000
    assert np.array_equal(one, gusts_rad_s(7, 0.25, 60.0))
    assert np.allclose(4.0 * one, gusts_rad_s(7, 1.0, 60.0))
    assert not np.allclose(one, gusts_rad_s(8, 0.25, 60.0))
    # A longer run begins as the shorter one.
    assert np.array_equal(one, gusts_rad_s(7, 0.25, 90.0)[:3000])


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_a_worn_line_lacks_its_share(share: float) -> None:
    gaps = worn_gaps_m(1, share, 400.0)
    assert sum(b - a for a, b in gaps) == pytest.approx(400.0 * share, abs=0.06)
    assert all(0.0 <= a < b <= 400.0 + 1e-9 for a, b in gaps)
    if share == 0.5:
        assert 1.0 < np.mean([b - a for a, b in gaps]) < 6.0
    assert gaps == worn_gaps_m(1, share, 400.0)


def test_more_wear_holds_all_gaps_of_less() -> None:
    less, more = worn_gaps_m(5, 0.3, 300.0), worn_gaps_m(5, 0.5, 300.0)
    assert all(any(c <= a + 1e-9 and b <= d + 1e-9 for c, d in more) for a, b in less)
    assert less != worn_gaps_m(6, 0.3, 300.0)
