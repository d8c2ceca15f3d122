from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest

from harness.evaluation.profile import LatencyProfile
from harness.recording.provenance import collect_provenance
from harness.recording.results import Outcome, Result, asked, write_result
from harness.spec.run import RunSpec
from harness.study.sweep import SweepPoint, draw, sweep

MACHINE = collect_provenance(Path.cwd())


def result(outcome: Outcome, deviation_m: float | None) -> Result:
    return Result(
        **asked(RunSpec(model="explicit")),
        outcome=outcome,
        timeout_s=75.0,
        command="harness lap",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        provenance=MACHINE,
        deviation_mae_m=deviation_m,
    )


def test_only_completed_laps_have_a_deviation() -> None:
    point = SweepPoint(
        latency_ms=50.0,
        results=[result("completed", 0.1), result("off_track", 0.9), result("timeout", None)],
    )
    assert point.deviations_m == [0.1]
    assert point.completed_share == pytest.approx(1 / 3)


def test_laps_that_are_there_are_kept(tmp_path: Path) -> None:
    for latency_ms, outcome in ((0, "completed"), (300, "off_track")):
        folder = tmp_path / f"{latency_ms}ms-0"
        folder.mkdir()
        write_result(result(outcome, 0.05), folder / "result.json")  # type: ignore[arg-type]
    lines: list[str] = []
    points = sweep("explicit", "simple_circuit", [0, 300], 1, tmp_path, lines.append)
    assert [point.completed_share for point in points] == [1.0, 0.0]
    assert [line.split()[0] for line in lines] == ["0", "300"]


def test_the_picture_shows_points_and_marks(tmp_path: Path) -> None:
    points = [
        SweepPoint(latency_ms=0.0, results=[result("completed", 0.05)]),
        SweepPoint(latency_ms=100.0, results=[result("completed", 0.2)]),
        SweepPoint(latency_ms=200.0, results=[result("off_track", 0.9)]),
    ]
    profile = LatencyProfile(
        model="tflite_dynamic",
        measured_at=datetime(2026, 1, 1, tzinfo=UTC),
        image_size_px=(640, 480),
        latency_ms=[40.0],
        provenance=MACHINE,
    )
    plain, marked = tmp_path / "plain.png", tmp_path / "marked.png"
    draw(points, [], "plain", plain)
    draw(points, [profile], "plain", marked)
    pictures = [cv2.imread(str(path)) for path in (plain, marked)]
    assert pictures[0] is not None and pictures[1] is not None
    assert pictures[0].shape == pictures[1].shape
    assert (pictures[0] != pictures[1]).any()
