"""Locks where there are none."""

import errno
import fcntl
import os
from pathlib import Path

import pytest
from rich.console import Console

from harness.batch.study import Study
from harness.errors import StorageError
from harness.files import lock
from harness.setup.cache import build_once, cache_root
from tests.harness.batch.test_batch import plan_of


@pytest.fixture
def lustre(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system as Lustre is without `-o flock`."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("lustre")
def test_case_23_a_batch_without_locks_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("snakemake", reason="needs the extra batch")
    study = Study.of(plan_of(tmp_path), tmp_path / "out")
    with pytest.raises(StorageError, match=r"out/\.batch: .*no locks \(flock: Function not impl"):
        study.run(Console(quiet=True))


@pytest.mark.usefixtures("lustre")
def test_case_23_a_cache_without_locks_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no locks"):
        build_once(tmp_path / "thing", (tmp_path / "thing").mkdir)


def test_a_lock_that_somebody_holds(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as one, (tmp_path / "file").open("w") as other:
        assert lock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert not lock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_case_18_a_user_without_a_home_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("PITWALL_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(StorageError, match="set PITWALL_CACHE"):
        cache_root()
