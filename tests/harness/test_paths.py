from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.paths import point_latest_at


def test_latest_survives_runs_that_start_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITWALL_RECORDINGS", str(tmp_path))
    folders = [tmp_path / f"run-{index}" for index in range(64)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(point_latest_at, folders))
    assert tmp_path / (tmp_path / "latest").readlink() in folders
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]


def test_latest_holds_wherever_the_recordings_are_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, outside = tmp_path / "in a container", tmp_path / "outside"
    monkeypatch.setenv("PITWALL_RECORDINGS", str(inside))
    (inside / "batch" / "run").mkdir(parents=True)
    point_latest_at(inside / "batch" / "run")
    inside.rename(outside)
    assert (outside / "latest").resolve() == (outside / "batch" / "run").resolve()

    monkeypatch.setenv("PITWALL_RECORDINGS", str(outside))
    point_latest_at(tmp_path / "elsewhere")
    assert (outside / "latest").readlink() == tmp_path / "elsewhere"
