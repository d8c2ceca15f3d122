"""The report of several recordings, failures among them."""

import json
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from harness.errors import DataError
from harness.report.published import published_rows
from harness.report.recording import find_runs, print_report
from harness.report.table import Run, circuit_tables, markdown_report
from harness.results import RESULT_NAME, write_result
from tests.harness.bagmaker import Iteration, Pose, Recording, write_bag
from tests.harness.test_results import make_result
from worlds.circuit import load_circuit


def record(root: Path, name: str, driven_m: float = 20.0, **changes: Any) -> Path:
    """A run folder whose bag holds the first metres of SimpleCircuit."""
    folder = root / name
    folder.mkdir(parents=True)
    circuit = load_circuit("simple_circuit")
    line = circuit.centreline("forward")
    poses = []
    for index in range(round(driven_m / 0.2)):
        station_m = circuit.start_station_m + 0.2 * index
        x_m, y_m = line.position(station_m)
        poses.append(Pose(0.02 * index, float(x_m), float(y_m), float(line.heading(station_m))))
    iterations = [Iteration(i / 20.0, i / 20.0 + 0.01) for i in range(int(driven_m / 0.5))]
    write_bag(folder / "run.bag", Recording(poses=poses, iterations=iterations))
    result = make_result(start_station_m=circuit.start_station_m, **changes)
    write_result(result, folder / RESULT_NAME)
    return folder


def test_the_table_holds_completed_runs_beside_published_ones() -> None:
    (table,) = circuit_tables([Run("a", make_result())])
    assert len(table.rows) == 1
    cells = " ".join(table.rows[0])
    for figure in ("tflite_dynamic", "realtime", "48.25", "8.90", "0.104", "2.31", "231.4", "2.71"):
        assert figure in cells
    assert "0.987" in cells
    assert len(table.published) == 6
    assert table.published[3][:2] == ("TF-TRT FP32", "published")
    assert "4.94" in table.published[3]


def test_a_published_run_that_did_not_complete_is_marked() -> None:
    rows = published_rows("montreal")
    assert [row.completed for row in rows] == [False, True, True, True]
    (table,) = circuit_tables([Run("a", make_result(circuit="montreal"))])
    assert table.published[0][3] == "0/1"


def test_failures_are_counted_and_listed_never_dropped() -> None:
    runs = [
        Run("a", make_result()),
        Run("b", make_result(outcome="off_track", laps=0, outcome_reason="1.70 m away")),
        Run("c", make_result(outcome="stuck", laps=0)),
        Run("d", make_result(outcome="harness_error", laps=0)),
    ]
    (table,) = circuit_tables(runs)
    assert len(table.rows) == 1
    assert [line.split(":")[0] for line in table.failures] == [
        "off_track",
        "stuck",
        "harness_error",
    ]
    assert "1.70 m away" in table.failures[0]
    # An error of the harness says nothing of the model: it is named, but not in the share.
    assert table.completion.startswith("1 of 3 runs completed (33%, 95 % interval 1% to 91%)")
    assert "1 more ended by an error" in table.completion
    text = markdown_report([table])
    for name in ("b", "c", "d"):
        assert f", {name} (" in text


def test_circuits_and_directions_have_their_own_tables() -> None:
    runs = [
        Run("a", make_result()),
        Run("b", make_result(direction="reverse")),
        Run("c", make_result(circuit="montmelo")),
    ]
    tables = circuit_tables(runs)
    assert [table.title for table in tables] == [
        "simple_circuit",
        "simple_circuit (reverse)",
        "montmelo",
    ]
    assert [len(table.published) for table in tables] == [6, 0, 0]


def test_lockstep_and_its_latency_stand_in_the_table() -> None:
    (table,) = circuit_tables([Run("a", make_result(clock="lockstep", latency="fixed:50"))])
    assert "lockstep, fixed:50" in table.rows[0]


def test_the_report_of_several_recordings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    recordings = tmp_path / "recordings"
    completed = record(recordings, "one")
    record(recordings, "two", outcome="timeout", laps=0)
    (recordings / "three").mkdir()
    (recordings / "latest").symlink_to(completed)
    output = tmp_path / "report"
    print_report([recordings, completed], output)
    printed = capsys.readouterr()
    assert "1 of 2 runs completed" in printed.out
    assert "timeout: tflite_dynamic, two" in printed.out
    assert "three has no result.json" in printed.err
    assert "PilotNet (original)" in (output / "report.md").read_text()
    for name in ("line.png", "deviation.png", "inference.png"):
        image = matplotlib.image.imread(output / "one" / name)
        height, width = image.shape[:2]
        assert height > 300 and width > 900
        # Something is drawn: neither blank nor nearly so.
        assert image[..., :3].std() > 0.02


def test_pictures_go_to_the_recording_by_default(tmp_path: Path) -> None:
    folder = record(tmp_path, "one")
    print_report([folder])
    assert {"line.png", "deviation.png", "inference.png"} <= {p.name for p in folder.iterdir()}


def test_json_goes_to_stdout_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_report([record(tmp_path, "one")], as_json=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert row["recording"] == "one"
    assert row["deviation_mae_m"] == 0.104


def test_a_run_whose_bag_is_broken_keeps_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = record(tmp_path, "one")
    bag = folder / "run.bag"
    bag.write_bytes(bag.read_bytes()[:20_000])
    print_report([folder])
    printed = capsys.readouterr()
    assert "1 of 1 runs completed" in printed.out
    assert "rosbag reindex" in printed.err


def test_nothing_to_report_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such recording"):
        find_runs([tmp_path / "none"])
    with pytest.raises(DataError, match=r"no result\.json"):
        find_runs([tmp_path])
