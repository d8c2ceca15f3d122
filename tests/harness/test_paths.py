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
    assert (tmp_path / "latest").readlink() in folders
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]
