"""Reports on the study's ruler: its deviation, against copies of its reference laps."""

import csv
import json
from pathlib import Path

import pytest

from harness.errors import DataError, UsageError
from harness.recording.bag_metrics import measure_bag
from harness.recording.reference import read_reference
from harness.recording.results import RESULT_NAME, read_result, write_result
from harness.report.recording import print_report
from tests.harness.bagmaker import Recording, along, staircase, write_bag, write_reference
from tests.harness.recording.test_results import make_result
from worlds.circuit import load_circuit


def record_lap(root: Path, name: str, circuit: str, offset_m: float) -> Path:
    """A recording of a whole lap, so far to the left of the centreline."""
    folder = root / name
    folder.mkdir(parents=True)
    built_in = load_circuit(circuit)
    poses = along(circuit, built_in.centreline().length_m + 3.0, offset_m=offset_m)
    write_bag(folder / "run.bag", Recording(poses=poses, metadata={"world": circuit}))
    result = make_result(
        circuit=circuit, start_station_m=built_in.start_station_m, odometry_sha256=name
    )
    write_result(result, folder / RESULT_NAME)
    return folder


def test_a_report_with_a_reference_has_both_on_one_ruler(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    runs = [
        record_lap(tmp_path / "runs", "a", "simple_circuit", 0.1),
        record_lap(tmp_path / "runs", "b", "simple_circuit", 0.3),
        record_lap(tmp_path / "runs", "c", "montmelo", 0.2),
    ]
    bag = write_reference(tmp_path / "lap.bag", staircase())
    expected = [measure_bag(run / "run.bag", None, read_reference(bag)).against for run in runs[:2]]
    print_report([tmp_path / "runs"], tmp_path / "report", references=[bag])
    printed = capsys.readouterr().out
    markdown = (tmp_path / "report/report.md").read_text()
    page = (tmp_path / "report/report.html").read_text()
    with (tmp_path / "report/reference.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["recording"] for row in rows] == ["a", "b"]
    values = [against.measured.deviation for against in expected if against and against.measured]
    assert [float(row["deviation"]) for row in rows] == pytest.approx(values, rel=1e-3)
    # The mean of both laps, beside the published rows; what has no reference is left out.
    mean = f"{sum(values) / 2.0:.2f} ["
    sha256 = read_reference(bag).sha256
    for text in (printed, markdown, page):
        assert "simple_circuit; 1 lap; realtime: by the study" in text
        assert "montmelo; 1 lap; realtime: by the study" not in text
        assert sha256 in text
        assert "exactly on the centreline, by this reference" in text
    assert mean in markdown
    assert "| Prune + Quantization, published | - | 4.61 |" in markdown


def test_json_has_the_reference_of_each_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_lap(tmp_path / "runs", "a", "simple_circuit", 0.1)
    record_lap(tmp_path / "runs", "c", "montmelo", 0.2)
    bag = write_reference(tmp_path / "lap.bag", staircase("montmelo"))
    print_report([tmp_path / "runs"], tmp_path / "report", as_json=True, references=[bag])
    by_name = {row["recording"]: row for row in json.loads(capsys.readouterr().out)}
    assert by_name["a"]["reference"] is None
    assert by_name["c"]["reference"]["bag"] == str(bag)
    assert by_name["c"]["reference"]["deviation"] > by_name["c"]["reference"]["floor"] > 1.0


def test_a_run_without_a_bag_is_named_and_not_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = record_lap(tmp_path / "runs", "a", "simple_circuit", 0.1)
    without = read_result(folder).model_copy(update={"bag": None})
    write_result(without, folder / RESULT_NAME)
    bag = write_reference(tmp_path / "lap.bag", staircase())
    print_report([folder], tmp_path / "report", references=[bag])
    printed = capsys.readouterr()
    assert "a not measured against the reference: it has no bag" in printed.err
    assert (tmp_path / "report/reference.csv").read_text().count("\n") == 1
    assert "it has no bag" in (tmp_path / "report/report.md").read_text()


def test_a_run_of_a_circuit_not_known_here_is_named_and_the_others_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_lap(tmp_path / "runs", "a", "simple_circuit", 0.1)
    folder = record_lap(tmp_path / "runs", "b", "montmelo", 0.1)
    result = read_result(folder)
    assert result.spec is not None
    spec = result.spec.model_copy(update={"circuit": "monza"})
    elsewhere = result.model_copy(update={"circuit": "monza", "spec": spec})
    write_result(elsewhere, folder / RESULT_NAME)
    bag = write_reference(tmp_path / "lap.bag", staircase())
    print_report([tmp_path / "runs"], tmp_path / "report", references=[bag])
    assert "no run of monza measured against a reference" in capsys.readouterr().err
    assert (tmp_path / "report/reference.csv").read_text().count("\n") == 2


def test_references_that_fit_no_run_or_one_circuit_twice_are_refused(tmp_path: Path) -> None:
    folder = record_lap(tmp_path, "a", "simple_circuit", 0.1)
    bag = write_reference(tmp_path / "lap.bag", staircase())
    other = write_reference(tmp_path / "other.bag", staircase("montmelo"))
    with pytest.raises(DataError, match="no reference lap of simple_circuit"):
        print_report([folder], tmp_path / "report", references=[bag, other])
    with pytest.raises(UsageError, match="both laps of simple_circuit"):
        print_report([folder], tmp_path / "report", references=[bag, bag])
    assert not (tmp_path / "report").exists()
