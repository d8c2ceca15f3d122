import itertools
import json
from pathlib import Path

import pytest

from harness.errors import DataError, UsageError
from harness.run.lockstep import FixedLatency, LockstepClock, latency_of, parse_latency
from harness.spec.run import RunSpec

PERIOD_NS = 50_000_000


def drive(latency_s: float, frames: int) -> tuple[list[int], list[int], list[int]]:
    """Stamps answered, times of effect and frames missed, over so many frames of a camera."""
    clock = LockstepClock(PERIOD_NS, FixedLatency(latency_s))
    answered, effects, missed = [], [], []
    horizon_ns = clock.horizon_ns
    for stamp_ns in range(PERIOD_NS, (frames + 1) * PERIOD_NS, PERIOD_NS):
        assert stamp_ns <= horizon_ns  # else the camera would never send it
        if clock.is_busy(stamp_ns):
            continue
        assert clock.begin(stamp_ns) == stamp_ns + round(latency_s * 1e9)
        effect_ns, since_last = clock.answer(stamp_ns, measured_s=9.9)
        assert clock.horizon_ns >= effect_ns > horizon_ns - PERIOD_NS
        horizon_ns = clock.horizon_ns
        answered.append(stamp_ns)
        effects.append(effect_ns)
        missed.append(since_last)
    return answered, effects, missed


@pytest.mark.parametrize(
    ("latency_ms", "every"), [(0, 1), (49, 1), (50, 1), (51, 2), (120, 3), (300, 6)]
)
def test_frames_that_find_the_brain_busy_are_missed(latency_ms: int, every: int) -> None:
    answered, effects, missed = drive(latency_ms / 1e3, frames=60)
    assert missed == [0] + [every - 1] * (len(answered) - 1)
    assert {b - a for a, b in itertools.pairwise(answered)} == {every * PERIOD_NS}
    assert all(e - a == latency_ms * 1_000_000 for a, e in zip(answered, effects, strict=True))


def test_a_profile_is_drawn_with_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    path.write_text(json.dumps({"latency_ms": [10.0, 20.0, 40.0]}))
    one, same, other = (parse_latency(f"profile:{path}", seed) for seed in (1, 1, 2))
    first = [one.known_s() for _ in range(50)]
    assert first == [same.known_s() for _ in range(50)]
    assert first != [other.known_s() for _ in range(50)]
    assert set(first) == {0.01, 0.02, 0.04}


def test_measured_latency_holds_the_simulator_until_the_answer() -> None:
    clock = LockstepClock(PERIOD_NS, parse_latency("measured", 0))
    assert clock.begin(PERIOD_NS) is None
    assert clock.horizon_ns == PERIOD_NS
    assert clock.answer(PERIOD_NS, measured_s=0.0123) == (PERIOD_NS + 12_300_000, 0)
    assert clock.horizon_ns == 2 * PERIOD_NS


def test_a_lost_frame_lets_the_simulator_go_on_and_counts_as_missed() -> None:
    clock = LockstepClock(PERIOD_NS, FixedLatency(0.01))
    clock.begin(PERIOD_NS)
    assert clock.answer(PERIOD_NS, 9.9) == (PERIOD_NS + 10_000_000, 0)
    for number in (2, 3, 4):
        assert clock.horizon_ns == number * PERIOD_NS
        assert not clock.is_busy(number * PERIOD_NS)
        clock.lose(number * PERIOD_NS)
    assert clock.horizon_ns == 5 * PERIOD_NS
    clock.begin(5 * PERIOD_NS)
    assert clock.answer(5 * PERIOD_NS, 9.9)[1] == 3


def test_jitter_only_adds_and_is_drawn_with_the_seed() -> None:
    def drawn(seed: int, conditions: str) -> list[float]:
        spec = RunSpec(clock="lockstep", latency="fixed:30", seed=seed, conditions=conditions)
        model = latency_of(spec)
        assert model is not None
        return [model.known_s() or 0.0 for _ in range(2000)]

    one = drawn(1, "latency_jitter_ms=20")
    assert min(one) >= 0.03
    assert sum(one) / len(one) == pytest.approx(0.05, rel=0.05)
    assert one == drawn(1, "latency_jitter_ms=20")
    assert one != drawn(2, "latency_jitter_ms=20")
    assert set(drawn(1, "latency_jitter_ms=0")) == set(drawn(1, "")) == {0.03}
    assert latency_of(RunSpec()) is None


@pytest.mark.parametrize("text", ["", "fixed", "fixed:-1", "fixed:abc", "fixed:nan", "slow"])
def test_senseless_latencies_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="latency"):
        parse_latency(text, 0)


@pytest.mark.parametrize("content", ["", "{}", '{"latency_ms": []}', '{"latency_ms": [-1]}'])
def test_broken_profiles_are_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"broken\.json"):
        parse_latency(f"profile:{path}", 0)
