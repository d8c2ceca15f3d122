import itertools
import json
from pathlib import Path

import pytest

from harness.errors import DataError, UsageError
from harness.lockstep import FixedLatency, LockstepClock, parse_latency

PERIOD_NS = 50_000_000


def drive(latency_s: float, frames: int) -> tuple[list[int], list[int]]:
    """Stamps answered and times of effect, over so many frames."""
    clock = LockstepClock(PERIOD_NS, FixedLatency(latency_s))
    answered, effects = [], []
    stamp_ns = clock.first_horizon_ns
    for _ in range(frames):
        if clock.is_busy(stamp_ns):
            clock.miss()
        else:
            answered.append(stamp_ns)
            effects.append(clock.answer(stamp_ns, measured_s=9.9))
        stamp_ns = clock.horizon_ns(stamp_ns)
    return answered, effects


@pytest.mark.parametrize(
    ("latency_ms", "every"), [(0, 1), (49, 1), (50, 1), (51, 2), (120, 3), (300, 6)]
)
def test_frames_that_find_the_brain_busy_are_missed(latency_ms: int, every: int) -> None:
    answered, effects = drive(latency_ms / 1e3, frames=60)
    assert {b - a for a, b in itertools.pairwise(answered)} == {every * PERIOD_NS}
    assert all(e - a == latency_ms * 1_000_000 for a, e in zip(answered, effects, strict=True))


def test_a_profile_is_drawn_with_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    path.write_text(json.dumps({"latency_ms": [10.0, 20.0, 40.0]}))
    one, same, other = (parse_latency(f"profile:{path}", seed) for seed in (1, 1, 2))
    first = [one.draw_s(0.0) for _ in range(50)]
    assert first == [same.draw_s(0.0) for _ in range(50)]
    assert first != [other.draw_s(0.0) for _ in range(50)]
    assert set(first) == {0.01, 0.02, 0.04}


def test_measured_latency_is_the_measured_one() -> None:
    assert parse_latency("measured", 0).draw_s(0.0123) == 0.0123


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
