"""The gate: right conversions pass, wrong ones are refused with the figure."""

import numpy as np
import pytest
from numpy.typing import NDArray

from brains.agreement import Agreement, compare

FRAMES = 300


def commands() -> NDArray[np.float64]:
    """A drive: bends to both sides, slower where they are sharp."""
    w = 2.5 * np.sin(np.linspace(0, 20, FRAMES)) + 0.3 * np.sin(np.linspace(0, 133, FRAMES))
    return np.column_stack([14 - 2 * np.abs(w), w])


def test_equal_answers_agree_and_no_difference_is_no_difference() -> None:
    found = compare(commands(), commands())
    assert found.verdict == "agrees"
    assert found.v is not None and found.w is not None
    assert (found.v.rmse, found.v.p99, found.v.share) == (0, 0, 0)
    assert found.share == 0
    assert Agreement.model_validate_json(found.model_dump_json()) == found


def test_figures_are_in_the_units_of_the_command() -> None:
    network = commands()
    version = network + np.array([0.0, 0.05])
    version[:6, 1] += 1.0  # 2 % of the frames
    found = compare(network, version)
    assert found.w is not None and found.v is not None
    assert found.w.rmse == pytest.approx(np.sqrt((294 * 0.05**2 + 6 * 1.05**2) / 300))
    assert found.w.p99 == pytest.approx(1.05)
    assert found.w.share == pytest.approx(found.w.rmse**2 / network[:, 1].var())
    assert found.v.share == 0
    assert found.share == found.w.share


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(0.009, "agrees"), (0.011, "agrees less"), (0.099, "agrees less"), (0.101, "refused")],
)
def test_bounds_are_shares_of_the_variance(share: float, verdict: str) -> None:
    network = commands()
    signs = np.where(np.arange(FRAMES) % 2, 1, -1)
    version = network.copy()
    version[:, 1] += signs * np.sqrt(share) * network[:, 1].std()
    found = compare(network, version)
    assert found.verdict == verdict
    assert found.share == pytest.approx(share)
    assert f"{share:.2%}" in found.detail
    assert found.detail.startswith("w differs by ")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("outputs in the other order", lambda given: given[:, ::-1]),
        ("another sign", lambda given: given * [1, -1]),
        ("another scale", lambda given: given * [1, 0.5]),
        ("a range that cuts off", lambda given: np.clip(given, None, [11.0, 1.0])),
        ("a constant", lambda given: np.broadcast_to(given.mean(axis=0), given.shape)),
        ("other frames", lambda given: np.roll(given, 15, axis=0)),
    ],
)
def test_wrong_conversions_are_refused(name: str, wrong: object) -> None:
    found = compare(commands(), wrong(commands()))  # type: ignore[operator]
    assert found.verdict == "refused", name
    assert "% of its variance: 10% are refused" in found.detail


def test_what_is_no_number_is_refused() -> None:
    version = commands()
    version[7] = np.nan
    version[8, 0] = np.inf
    found = compare(commands(), version)
    assert found.verdict == "refused"
    assert found.detail == "answers 2 of 300 frames with what is no number"
    assert found.v is None
    assert found.share is None
    Agreement.model_validate_json(found.model_dump_json())


def test_a_constant_of_the_card_is_left_out() -> None:
    network = commands() * [0, 1] + [6.5, 0]
    found = compare(network, network + np.array([0, 0.01]))
    assert found.verdict == "agrees"
    assert found.v is not None and found.w is not None
    assert found.v.share is None
    assert found.v.reason == "the network answers a constant here: v varies by 0 m/s"
    assert found.share == found.w.share


def test_of_a_network_that_answers_constants_it_says_nothing_but_refuses_what_is_far() -> None:
    network = np.tile([6.5, 0.2], (FRAMES, 1)) + 1e-4 * commands()
    near = compare(network, network + np.array([0.2, 0.05]))
    assert near.verdict == "unknown"
    assert near.share is None
    assert "w varies by 0.00018 rad/s" in near.detail
    far = compare(network, network + np.array([0.0, 0.2]))
    assert far.verdict == "refused"
    assert far.detail.endswith("w is 0.2 rad/s (rmse) from it")


def test_nothing_to_compare_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match=r"\(300, 2\) and \(300, 1\)"):
        compare(commands(), commands()[:, :1])
    with pytest.raises(ValueError, match=r"\(0, 2\)"):
        compare(commands()[:0], commands()[:0])
