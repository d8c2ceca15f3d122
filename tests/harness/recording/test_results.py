"""result.json: whole or absent, and the same after reading as before writing."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.errors import DataError, StorageError
from harness.recording.provenance import REVISION, Provenance, collect_provenance
from harness.recording.results import RESULT_NAME, Result, read_result, write_result

PROVENANCE = Provenance(
    git_commit="0" * 40,
    git_dirty=False,
    python="3.11.2",
    packages={"numpy": "2.4.6"},
    os="Debian GNU/Linux 12 (bookworm)",
    cpu_model="some CPU",
    cpu_cores=2,
    gpus=(),
    model_sha256="ab" * 32,
)


def make_result(**changes: Any) -> Result:
    values: dict[str, Any] = {
        "outcome": "completed",
        "model": "tflite_dynamic",
        "circuit": "simple_circuit",
        "laps": 1,
        "lap_time_s": 48.25,
        "lap_times_s": (48.25,),
        "average_speed_m_s": 8.9,
        "deviation_mae_m": 0.104,
        "deviation_published": 2.31,
        "brain_frequency_hz": 231.4,
        "inference_ms_mean": 2.71,
        "real_time_factor": 0.987,
        "timeout_s": 75.0,
        "command": "roslaunch harness circuit.launch model:=tflite_dynamic",
        "started_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "bag": "run.bag",
        "timings": {"load_s": 1.5},
        "brain_proof": {"engine": "litert", "ops": {"xnnpack": 12}},
        "provenance": PROVENANCE,
    }
    return Result(**(values | changes))


def test_a_result_survives_writing_and_reading(tmp_path: Path) -> None:
    result = make_result()
    write_result(result, tmp_path / RESULT_NAME)
    assert read_result(tmp_path / RESULT_NAME) == result
    assert read_result(tmp_path) == result
    assert [path.name for path in tmp_path.iterdir()] == [RESULT_NAME]


def test_the_names_that_others_rely_on(tmp_path: Path) -> None:
    write_result(make_result(), tmp_path / RESULT_NAME)
    data = json.loads((tmp_path / RESULT_NAME).read_text())
    promised = [
        "outcome",
        "model",
        "circuit",
        "laps",
        "lap_time_s",
        "average_speed_m_s",
        "deviation_mae_m",
        "deviation_published",
        "brain_frequency_hz",
        "control_rate_hz",
        "inference_ms_mean",
        "inference_ms_median",
        "inference_ms_p95",
        "inference_ms_p99",
        "iteration_ms_median",
        "real_time_factor",
        "odometry_sha256",
        "schema_version",
    ]
    assert set(promised) <= set(data)
    assert data["schema_version"] == 1
    assert data["started_at"] == "2026-01-02T03:04:05Z"


def test_a_failed_write_leaves_the_old_result(tmp_path: Path) -> None:
    write_result(make_result(), tmp_path / RESULT_NAME)
    with pytest.raises(StorageError, match="can't write"):
        write_result(make_result(), tmp_path / "missing" / RESULT_NAME)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(StorageError, match="can't write"):
        write_result(make_result(laps=2), tmp_path / "taken")
    assert read_result(tmp_path) == make_result()
    assert sorted(path.name for path in tmp_path.iterdir()) == [RESULT_NAME, "taken"]


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValidationError):
        make_result(average_speed_m_s=float("nan"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "JSON"),
        ('{"outcome": "completed"}', "model"),
        ('{"outcome": "won"}', "outcome"),
    ],
)
def test_what_is_no_result_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / RESULT_NAME
    path.write_text(text)
    with pytest.raises(DataError, match=said) as caught:
        read_result(path)
    assert "\n" not in str(caught.value)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    data = json.loads(make_result().to_json()) | {"schema_version": 2}
    (tmp_path / RESULT_NAME).write_text(json.dumps(data))
    with pytest.raises(DataError, match="schema"):
        read_result(tmp_path)
    with pytest.raises(DataError, match="no readable result"):
        read_result(tmp_path / "none.json")


def test_only_driving_is_judged() -> None:
    assert make_result(outcome="stuck").judged
    assert not make_result(outcome="brain_error").judged
    assert not make_result(outcome="stuck").completed


def test_provenance_tells_the_commit_and_what_changed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.delenv(REVISION, raising=False)
    assert collect_provenance(tmp_path).git_commit is None
    git("init", "-q")
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("commit", "-qm", "first")
    clean = collect_provenance(tmp_path, model_sha256="cd", packages=("numpy", "no-such-package"))
    assert clean.git_commit == git("rev-parse", "HEAD")
    assert clean.git_dirty is False
    assert clean.model_sha256 == "cd"
    assert list(clean.packages) == ["numpy"]
    assert clean.cpu_cores >= 1
    (tmp_path / "file").write_text("b")
    assert collect_provenance(tmp_path).git_dirty is True
    # A clone speaks for itself, whatever an image that it is mounted in was made from.
    monkeypatch.setenv(REVISION, "f" * 40)
    assert collect_provenance(tmp_path).git_commit == clean.git_commit


@pytest.mark.parametrize(("told", "dirty"), [("a" * 40, False), ("a" * 40 + "-dirty", True)])
def test_an_image_without_a_clone_knows_what_it_was_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, dirty: bool
) -> None:
    monkeypatch.setenv(REVISION, told)
    provenance = collect_provenance(tmp_path)
    assert (provenance.git_commit, provenance.git_dirty) == ("a" * 40, dirty)
