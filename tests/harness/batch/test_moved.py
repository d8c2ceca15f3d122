"""A half-driven study that was moved with its profiles goes on; another one is not taken for it."""

import json
from pathlib import Path

import pytest

from harness.batch.jobs import Job, expand
from harness.batch.study import _check_same
from harness.errors import UsageError
from harness.recording.run_ending import latency_sha256
from tests.harness.batch.test_batch import finish, plan_of


def study(folder: Path, latency_ms: float = 20.0) -> Job:
    (folder / "profiles").mkdir(parents=True)
    profile = folder / "profiles" / "explicit.json"
    profile.write_text(json.dumps({"latency_ms": [latency_ms]}))
    text = f"models: [explicit]\ncircuits: [simple_circuit]\nlatency: profile:{profile}\n"
    (job,) = expand(plan_of(folder, text), folder / "out").jobs
    return job


def driven_there(job: Job, here: Job, sha256: str | None = None) -> None:
    """The result of one run in the recording of another, as if it had been moved."""
    finish(job, latency_sha256=sha256)
    here.folder.parent.mkdir(parents=True, exist_ok=True)
    job.folder.rename(here.folder)


def test_case_22_a_moved_profile_is_the_same_by_its_content(tmp_path: Path) -> None:
    old, new = study(tmp_path / "old"), study(tmp_path / "new")
    driven_there(old, new, latency_sha256(old.spec))
    _check_same(new)


def test_another_profile_of_that_name_is_another_run(tmp_path: Path) -> None:
    old, new = study(tmp_path / "old"), study(tmp_path / "new", latency_ms=90.0)
    driven_there(old, new, latency_sha256(old.spec))
    with pytest.raises(UsageError, match=r"driven otherwise than the plan says \(latency:="):
        _check_same(new)


def test_of_an_older_result_the_profiles_name_decides(tmp_path: Path) -> None:
    old, new = study(tmp_path / "old"), study(tmp_path / "new")
    driven_there(old, new)
    _check_same(new)
    fixed = new.model_copy(update={"spec": new.spec.model_copy(update={"latency": "fixed:20"})})
    with pytest.raises(UsageError, match="latency:=fixed:20 is asked"):
        _check_same(fixed)
