"""result.json: whole or absent, and the same after reading as before writing."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.errors import DataError, StorageError
from harness.paths import project_root
from harness.recording.provenance import REVISION, Provenance, collect_provenance
from harness.recording.results import (
    RESULT_NAME,
    Result,
    read_result,
    result_schema,
    write_result,
)
from harness.spec.recorded import RecordedSpec
from harness.spec.run import RunSpec

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


def make_result(arguments: Mapping[str, Any] | None = None, **changes: Any) -> Result:
    """A result with these fields changed; its spec fits them, and has these further arguments."""
    names = {"laps_asked": "laps", "model": "model", "circuit": "circuit", "direction": "direction"}
    names |= {"seed": "seed", "clock": "clock", "latency": "latency"}
    said = {names[name]: value for name, value in changes.items() if name in names}
    spec = {"model": "tflite_dynamic", "circuit": "simple_circuit", **said, **(arguments or {})}
    values: dict[str, Any] = {
        "spec": spec,
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


def version_1(**changes: Any) -> str:
    """The text of a result as version 1 wrote it."""
    data = json.loads(make_result().to_json())
    del data["spec"]
    command = "roslaunch harness circuit.launch model:=tflite_dynamic circuit:=simple_circuit"
    return json.dumps(data | {"schema_version": 1, "command": command} | changes)


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
    assert data["schema_version"] == 3
    # What version 1 had of the spec is read in scripts.
    copies = {
        "direction": "forward",
        "start_station_m": 0.0,
        "laps_asked": 1,
        "timeout_s": 75.0,
        "seed": 0,
        "clock": "realtime",
        "latency": None,
    }
    assert copies.items() <= data.items()
    assert data["spec"] == RunSpec().model_dump()
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
        ('{"schema_version": 2, "outcome": "completed"}', "spec"),
        ('{"schema_version": 3, "outcome": "completed"}', "spec"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
    ],
)
def test_what_is_no_result_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / RESULT_NAME
    path.write_text(text)
    with pytest.raises(DataError, match=said) as caught:
        read_result(path)
    assert "\n" not in str(caught.value)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    data = json.loads(make_result().to_json()) | {"schema_version": 4}
    (tmp_path / RESULT_NAME).write_text(json.dumps(data))
    with pytest.raises(DataError, match="of schema 4, and this Pitwall reads those of 1 to 3"):
        read_result(tmp_path)
    with pytest.raises(DataError, match="no readable result"):
        read_result(tmp_path / "none.json")


def test_the_shipped_schema_is_that_of_the_code() -> None:
    shipped = project_root() / "harness" / "recording" / "result.schema.json"
    assert json.loads(shipped.read_text()) == result_schema(), (
        "python -m harness.recording.results > harness/recording/result.schema.json"
    )


def test_the_schema_tells_results_from_what_is_none() -> None:
    jsonschema: Any = pytest.importorskip("jsonschema", reason="comes with the extra `batch`")
    schema = json.loads((project_root() / "harness/recording/result.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    data = json.loads(make_result(arguments={"fog": 4}).to_json())
    validator.validate(data)
    validator.validate(data | {"spec": None})
    wrong = [
        {"outcome": "won"},
        {"schema_version": 1},
        {"spec": {"model": "null"}},
        {"spec": data["spec"] | {"clock": "sundial"}},
        {"speed": 3.0},
    ]
    assert [change for change in wrong if validator.is_valid(data | change)] == []
    del data["spec"]
    assert not validator.is_valid(data)


def test_the_sample_is_of_version_1_and_reads_to_the_last_digit() -> None:
    file = project_root() / "recordings" / "sample" / RESULT_NAME
    written = json.loads(file.read_text())
    assert written["schema_version"] == 1
    read = json.loads(read_result(file).to_json())
    assert (
        read["spec"]
        == RunSpec(record_camera=True, output="/tmp/pitwall/recordings/lap").model_dump()
    )
    del written["schema_version"]
    assert {name: read[name] for name in written} == written


def test_version_1_is_read_and_its_spec_is_that_of_its_command(tmp_path: Path) -> None:
    file = project_root() / "tests/harness/recording/result_version_1.json"
    written = json.loads(file.read_text())
    result = read_result(file)
    assert result.spec == RecordedSpec(
        model="openvino_int8",
        circuit="montmelo",
        direction="reverse",
        start="265.812",
        timeout=150.0,
        seed=4,
        clock="lockstep",
        latency="profile:/data/my profiles/openvino_int8.json",
        image_width=320,
        image_height=240,
        appearance=3,
        output="/data/night/openvino_int8-montmelo-05",
    )
    read = json.loads(result.to_json())
    assert {name: value for name, value in written.items() if read[name] != value} == {
        "schema_version": 1
    }
    # Once it is written again it is of today's version, and the same.
    write_result(result, tmp_path / RESULT_NAME)
    assert read_result(tmp_path) == result


@pytest.mark.parametrize(
    "command",
    [
        None,
        "",
        "# ended before the run began",
        'roslaunch harness circuit.launch "model:=tflite_dynamic circuit:=simple_circuit',
        "roslaunch harness replay.launch model:=tflite_dynamic circuit:=simple_circuit",
        "roslaunch harness circuit.launch model:=tflite_dynamic",
        "roslaunch harness circuit.launch circuit:=simple_circuit",
        "roslaunch harness circuit.launch model:=tflite_dynamic circuit:=simple_circuit fog:=1",
        "roslaunch harness circuit.launch model:=tflite_dynamic circuit:=simple_circuit laps:=x",
        "roslaunch harness circuit.launch model:=tflite_dynamic circuit:=simple_circuit --screen",
        # Of another run than the rest of the file.
        "roslaunch harness circuit.launch model:=tflite_dynamic circuit:=montreal",
        "roslaunch harness circuit.launch model:=tflite_dynamic circuit:=simple_circuit seed:=1",
    ],
)
def test_a_command_that_tells_no_spec_gives_none(tmp_path: Path, command: str | None) -> None:
    text = version_1(command=command or "")
    (tmp_path / RESULT_NAME).write_text(text)
    result = read_result(tmp_path)
    assert result.spec is None
    assert (result.model, result.lap_time_s) == ("tflite_dynamic", 48.25)
    write_result(result, tmp_path / RESULT_NAME)
    assert read_result(tmp_path).spec is None


def test_version_2_is_read_and_lacks_what_came_later(tmp_path: Path) -> None:
    data = json.loads(make_result().to_json()) | {"schema_version": 2}
    later = ("steering_rate_rad_s2", "jerk_m_s3", "brain_cpu_ms", "brain_rss_mib")
    for name in (*later, "brain_energy_mj", "published_suddenness_distance"):
        del data[name]
    del data["spec"]["conditions"]
    (tmp_path / RESULT_NAME).write_text(json.dumps(data))
    result = read_result(tmp_path)
    assert result == make_result()
    assert result.spec is not None and result.spec.conditions == ""


def test_the_spec_of_another_version_is_read_and_kept(tmp_path: Path) -> None:
    data = json.loads(make_result().to_json())
    data["spec"] |= {"fog": 4}  # later
    del data["spec"]["image_width"]  # earlier
    (tmp_path / RESULT_NAME).write_text(json.dumps(data))
    result = read_result(tmp_path)
    assert result.spec is not None
    assert result.spec.model_dump() == {**RunSpec().model_dump(), "fog": 4}
    write_result(result, tmp_path / RESULT_NAME)
    assert read_result(tmp_path) == result


@pytest.mark.parametrize(
    ("change", "said"),
    [({"seed": 5}, "seed is 5, by its spec 0"), ({"latency": "fixed:5"}, "by its spec None")],
)
def test_a_result_that_says_two_things_is_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    data = json.loads(make_result().to_json()) | change
    (tmp_path / RESULT_NAME).write_text(json.dumps(data))
    with pytest.raises(DataError, match=said):
        read_result(tmp_path)


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
