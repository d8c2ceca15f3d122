import json
from pathlib import Path

import pytest

from brains.catalogue import load_brain
from harness.errors import DataError, StorageError
from harness.evaluation.profile import LatencyProfile, measure, noise_frames, write_profile
from harness.recording.provenance import collect_provenance
from harness.run.lockstep import parse_latency
from harness.spec.latency import read_profile
from harness.study.sweep import read_profile_file


def profile_of(name: str, count: int) -> LatencyProfile:
    ticks: list[int] = []
    machine = collect_provenance(Path.cwd())
    profile = measure(name, load_brain(name), noise_frames(320, 240), count, machine, ticks.append)
    assert ticks == list(range(1, count + 1))
    return profile


def test_a_profile_drives_lockstep(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "board.json"
    profile = profile_of("explicit", 25)
    write_profile(profile, path)
    latencies_s = read_profile(path)
    assert len(latencies_s) == 25
    assert all(0.0 < value < 5.0 for value in latencies_s)
    assert parse_latency(f"profile:{path}", 1).known_s() in latencies_s
    assert read_profile_file(path) == profile
    assert profile.image_size_px == (320, 240)


def test_quantiles_are_those_of_the_values() -> None:
    profile = profile_of("null", 3).model_copy(update={"latency_ms": [1.0, 2.0, 3.0]})
    p50, p95, p99 = profile.quantiles_ms()
    assert p50 == 2.0
    assert 2.0 < p95 < p99 < 3.0


def test_a_file_that_is_no_profile_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"latency_ms": [1.0]}))
    with pytest.raises(DataError, match=r"other\.json"):
        read_profile_file(path)


def test_an_unwritable_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't write"):
        write_profile(profile_of("null", 1), tmp_path / "file" / "profile.json")
