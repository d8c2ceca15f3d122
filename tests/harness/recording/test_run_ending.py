"""A run that began has a result, whatever fails at its end."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.errors import StorageError
from harness.recording.course import course_of_spec
from harness.recording.results import RESULT_NAME, Result, read_result
from harness.recording.run_ending import Ending, Publish, finish_recording
from harness.spec.run import RunSpec
from tests.harness.bagmaker import Recording, along, write_bag

SPEC = RunSpec(timeout=1.0)
COURSE = course_of_spec(SPEC, "as asked")
COMPLETED = Ending("completed", "1 of 1 laps")
FAILED = Ending("brain_error", "the brain died")


def finish(
    folder: Path, ending: Ending, spec: RunSpec = SPEC, publish: Publish | None = None
) -> Result:
    started_at = datetime(2026, 1, 2, tzinfo=UTC)
    result = finish_recording(
        folder, spec, ending, {"engine": "x"}, started_at, {}, course=COURSE, publish=publish
    )
    assert read_result(folder) == result
    assert "\n" not in result.outcome_reason
    return result


def drive(folder: Path) -> None:
    events = [{"event": "go", "sim_s": 0.0}]
    write_bag(folder / "run.bag", Recording(poses=along(metres=8.0), events=events))


def test_the_result_holds_the_spec_and_its_figures_go_to_the_bag(tmp_path: Path) -> None:
    drive(tmp_path)
    published: list[Mapping[str, float]] = []

    def publish(figures: Mapping[str, float]) -> None:
        assert not (tmp_path / RESULT_NAME).exists()  # it comes last
        published.append(figures)

    result = finish(tmp_path, COMPLETED, publish=publish)
    assert (result.outcome, result.outcome_reason) == ("completed", "1 of 1 laps")
    assert published == [result.published()]
    assert result.progress_m == pytest.approx(8.0, abs=0.1)
    written = json.loads((tmp_path / RESULT_NAME).read_text())
    assert written["spec"] == SPEC.model_dump()
    assert (written["timeout_s"], written["spec"]["timeout"]) == (1.0, 1.0)
    assert result.start_station_m == SPEC.start_station_m()
    assert result.command == (
        "roslaunch harness circuit.launch model:=tflite_dynamic circuit:=simple_circuit"
        " timeout:=1.0"
    )


def test_a_run_that_failed_before_the_car_moved_has_no_figures(tmp_path: Path) -> None:
    result = finish(tmp_path, FAILED)
    assert (result.outcome, result.outcome_reason) == ("brain_error", "the brain died")
    assert (result.bag, result.progress_m) == (None, None)


def test_a_drive_without_a_bag_is_no_result_of_driving(tmp_path: Path) -> None:
    result = finish(tmp_path, COMPLETED)
    assert result.outcome == "harness_error"
    assert result.outcome_reason.startswith("completed, but its figures can't be computed: ")


@pytest.mark.parametrize(
    ("ending", "outcome", "said"),
    [
        (
            COMPLETED,
            "harness_error",
            "completed, but its figures can't be computed: KeyError: 'x' (see logs/)",
        ),
        (
            FAILED,
            "brain_error",
            "the brain died; its figures can't be computed: KeyError: 'x' (see logs/)",
        ),
    ],
)
def test_a_bug_in_the_figures_leaves_a_result(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    ending: Ending,
    outcome: str,
    said: str,
) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("x")

    drive(tmp_path)
    monkeypatch.setattr("harness.recording.run_ending.compute_metrics", fail)
    with caplog.at_level(logging.ERROR):
        result = finish(tmp_path, ending)
    assert (result.outcome, result.outcome_reason) == (outcome, said)
    assert result.brain_proof == {"engine": "x"}
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("error", [StorageError("the disk is full"), ValueError("no such mode")])
def test_a_bag_that_does_not_take_the_figures_leaves_a_result(
    tmp_path: Path, error: Exception
) -> None:
    def publish(_: Mapping[str, float]) -> None:
        raise error

    drive(tmp_path)
    result = finish(tmp_path, COMPLETED, publish=publish)
    assert result.outcome == "harness_error"
    assert "its bag does not take the figures" in result.outcome_reason
    assert str(error) in result.outcome_reason
    assert result.progress_m is not None


def test_a_circuit_that_is_gone_at_the_end_was_read_at_the_start(tmp_path: Path) -> None:
    drive(tmp_path)
    spec = SPEC.model_copy(update={"circuit": str(tmp_path / "gone.yaml")})
    result = finish(tmp_path, COMPLETED, spec)
    assert (result.outcome, result.timeout_s) == ("completed", COURSE.timeout_s)
