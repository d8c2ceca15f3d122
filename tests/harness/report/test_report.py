"""The report of several recordings, failures among them."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest
from rich.console import Console

from harness.errors import DataError
from harness.recording.results import RESULT_NAME, write_result
from harness.report.cells import line_text
from harness.report.columns import ranked_by
from harness.report.found import find_runs
from harness.report.groups import Run, heats
from harness.report.published import published_rows
from harness.report.ranking import rank, statement
from harness.report.recording import print_report
from harness.report.sheets import groups_csv, runs_csv
from harness.report.table import (
    CircuitTable,
    circuit_tables,
    headings,
    markdown_report,
    overall,
    terminal_report,
)
from tests.harness.bagmaker import Iteration, Pose, Recording, write_bag
from tests.harness.recording.test_results import PROVENANCE, make_result
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


def laps(model: str, deviations_m: list[float], first_seed: int = 0, **changes: Any) -> list[Run]:
    """Runs of one model with seeds 0, 1, ... and these deviations."""
    return [
        Run(
            f"{model}-{seed}",
            make_result(
                model=model,
                seed=seed,
                deviation_mae_m=deviation_m,
                odometry_sha256=f"{model}{seed}",
                **changes,
            ),
        )
        for seed, deviation_m in enumerate(deviations_m, start=first_seed)
    ]


def cell(table: CircuitTable, row: int, heading: str) -> str:
    return line_text(table.rows[row][headings().index(heading)])


def test_a_model_has_one_row_beside_the_published_ones() -> None:
    (table,) = circuit_tables(laps("tflite_dynamic", [0.1, 0.2, 0.3]))
    assert table.title == "simple_circuit; 1 lap; realtime"
    assert len(table.rows) == 1
    assert cell(table, 0, "Model") == "tflite_dynamic"
    assert cell(table, 0, "Clock, latency") == "realtime"
    # Clopper-Pearson of 3 of 3: 0.025 ** (1 / 3) = 29 %.
    assert cell(table, 0, "Completed") == "3/3 [29%, 100%]"
    # Student's t of 2 degrees of freedom: 0.2 +- 4.3027 * 0.1 / 3 ** 0.5.
    assert cell(table, 0, "Deviation (m)") == "0.200 [-0.048, 0.448]"
    assert cell(table, 0, "Lap time (s)") == "48.25 [48.25, 48.25]"
    assert len(table.published) == 11
    assert table.published[3][0] == "TF-TRT FP32, published"
    assert "4.94" in map(line_text, table.published[3])


def test_a_single_run_has_figures_without_an_interval() -> None:
    (table,) = circuit_tables([Run("a", make_result())])
    for figure in ("48.25", "8.90", "0.104", "2.31", "231.4", "2.710", "0.987"):
        assert figure in map(line_text, table.rows[0])


def test_equal_laps_count_once_in_driving_but_not_in_timing() -> None:
    runs = [
        Run(str(seed), make_result(seed=seed, odometry_sha256="aa", inference_ms_mean=ms))
        for seed, ms in enumerate([1.0, 2.0, 3.0])
    ]
    (table,) = circuit_tables(runs)
    assert cell(table, 0, "Completed").startswith("3/3")
    assert cell(table, 0, "n") == "1"
    assert cell(table, 0, "Deviation (m)") == "0.104"
    assert cell(table, 0, "Mean inference (ms)") == "2.000 [-0.484, 4.484]"


def test_a_published_run_that_did_not_complete_is_marked() -> None:
    rows = published_rows("montreal")
    assert [row.completed for row in rows] == [False, True, True, True, True]
    (table,) = circuit_tables([Run("a", make_result(circuit="montreal"))])
    assert table.published[0][2] == "no"


def test_published_rows_claim_no_count_that_nobody_stated() -> None:
    (table,) = circuit_tables([Run("a", make_result())])
    assert {row[2:4] for row in table.published} == {("-", "-")}
    rows = list(csv.DictReader(io.StringIO(groups_csv(heats([Run("a", make_result())])))))
    counts = ("runs", "judged", "completed", "distinct_laps", "average_speed_m_s_n")
    assert {tuple(row[name] for name in counts) for row in rows[1:]} == {("",) * 5}


def test_the_best_published_and_the_floor_of_its_deviation() -> None:
    rows = published_rows("simple_circuit")
    assert max(row.average_speed_m_s or 0.0 for row in rows) == 8.84
    *driven, floor = (row.deviation_published or 0.0 for row in rows)
    assert (min(driven), floor) == (4.61, 1.318)
    (table,) = circuit_tables([Run("a", make_result())])
    assert table.published[-1][0] == "exactly on the centreline, published"
    assert "1.32" in map(line_text, table.published[-1])
    assert "neighbours, not rivals" in markdown_report([table])


def test_failures_are_counted_and_listed_never_dropped() -> None:
    runs = [
        Run("a", make_result()),
        Run("b", make_result(outcome="off_track", laps=0, outcome_reason="1.70 m away")),
        Run("c", make_result(outcome="stuck", laps=0)),
        Run("d", make_result(outcome="harness_error", laps=0)),
    ]
    (table,) = circuit_tables(runs)
    assert cell(table, 0, "Completed") == "1/3 [1%, 91%]"
    assert [line.split(":")[0] for line in table.failures] == [
        "off_track",
        "stuck",
        "harness_error",
    ]
    assert "1.70 m away" in table.failures[0]
    # An error of the harness says nothing of the model: it is named, but not in the share.
    assert table.outcomes == (
        "1 of 3 runs completed; 1 more ended by an error of the harness or the brain."
        " Outcomes: 1 completed, 1 off_track, 1 stuck, 1 harness_error."
    )
    text = markdown_report([table])
    for name in ("b", "c", "d"):
        assert f", {name} (" in text


def test_a_model_that_never_completed_keeps_its_row() -> None:
    (table,) = circuit_tables([Run("a", make_result(outcome="off_track", lap_time_s=None))])
    assert cell(table, 0, "Completed").startswith("0/1")
    assert cell(table, 0, "Deviation (m)") == "-"


def test_what_was_driven_otherwise_has_its_own_table() -> None:
    runs = [
        Run("a", make_result()),
        Run("b", make_result(direction="reverse")),
        Run("c", make_result(circuit="montmelo")),
        Run("d", make_result(clock="lockstep", latency="fixed:50")),
        Run("e", make_result(clock="lockstep", latency="profile:/x/a.json")),
        Run("f", make_result(clock="lockstep", latency="profile:/x/b.json", model="other")),
        Run("g", make_result(arguments={"image_width": 320})),
        Run("h", make_result(arguments={"output": "/elsewhere"})),
    ]
    tables = circuit_tables(runs)
    assert [table.title for table in tables] == [
        "simple_circuit; 1 lap; realtime",
        "simple_circuit (reverse); 1 lap; realtime",
        "montmelo; 1 lap; realtime",
        "simple_circuit; 1 lap; lockstep, fixed:50",
        "simple_circuit; 1 lap; lockstep, profile",
        "simple_circuit; 1 lap; realtime; image_width=320",
    ]
    assert [len(table.published) for table in tables] == [11, 0, 0, 11, 11, 11]
    assert cell(tables[0], 0, "Completed").startswith("2/2")
    assert [row[0] for row in tables[4].rows] == ["tflite_dynamic", "other"]


def test_two_files_of_one_model_are_two_rows() -> None:
    other = PROVENANCE.model_copy(update={"model_sha256": "cd" * 32})
    (table,) = circuit_tables([Run("a", make_result()), Run("b", make_result(provenance=other))])
    assert [row[0] for row in table.rows] == [
        "tflite_dynamic (abababab)",
        "tflite_dynamic (cdcdcdcd)",
    ]


def test_the_ranking_tells_noise_from_difference() -> None:
    deviations_m = [0.10, 0.12, 0.11, 0.13, 0.10, 0.12, 0.11, 0.13]
    nudged = [value + (0.002 if i % 2 else -0.0015) for i, value in enumerate(deviations_m)]
    worse = [value + 0.05 + 0.001 * i for i, value in enumerate(deviations_m)]
    runs = [
        *laps("worse", worse),
        *laps("nudged", nudged),
        *laps("best", deviations_m),
        *laps("elsewhere", worse, first_seed=100),
        *laps("once", [0.5]),
        *laps("never", [0.01] * 8, outcome="off_track"),
    ]
    (heat,) = heats(runs)
    places = rank(heat)
    verdicts = {place.group.label: place.verdict for place in places}
    assert verdicts == {
        "best": None,
        "nudged": "not told apart",
        "worse": "behind",
        "elsewhere": "not compared",
        "once": "too few pairs",
        "never": "behind",
    }
    # Whoever never completes is last, however little its completed metres deviate.
    assert [place.group.label for place in places][-1] == "never"
    text = statement(places)
    assert text.startswith(
        "best stands first. Behind it in deviation, beyond noise: worse."
        " Behind it in completion, beyond noise: never."
    )
    assert "Not told apart from it: nudged." in text
    versus = next(place.versus_first for place in places if place.group.label == "worse")
    completion, lap_time, deviation = versus
    assert completion is not None and (completion.value, completion.beyond_noise) == (0.0, False)
    assert lap_time is not None and (lap_time.value, lap_time.beyond_noise) == (0.0, False)
    assert deviation is not None
    assert deviation.n == 8
    assert deviation.value == pytest.approx(0.0535)


@pytest.mark.parametrize("width", [80, 112, 190])
def test_a_terminal_shows_whole_cells_at_any_width(width: int) -> None:
    runs = laps("tflite_pruned_dynamic", [0.201, 0.202, 0.203], clock="lockstep", latency="fixed:5")
    text = io.StringIO()
    console = Console(file=text, width=width)
    console.print(terminal_report(circuit_tables(runs), width))
    printed = text.getvalue()
    assert "…" not in printed
    for words in ("lockstep, fixed:5", "3/3", "0.202", "48.25" if width == 190 else "8.90"):
        assert words in printed
    assert ("[0.200, 0.204]" in printed) == (width >= 112)
    assert "tflite" in printed and "PilotNet" in printed


def test_models_are_ranked_over_all_circuits_that_they_drove() -> None:
    few = [0.10, 0.12]
    runs = [
        run
        for circuit in ("simple_circuit", "montreal", "montmelo")
        for model, worse_m in (("a", 0.0), ("b", 0.05))
        for run in laps(model, [d + worse_m for d in few], circuit=circuit)
    ]
    for number, run in enumerate(runs):
        # Two pairs a circuit tell nothing; six do. No two laps are the same.
        result = run.result.model_copy(update={"odometry_sha256": str(number)})
        runs[number] = Run(run.name, result)
    runs += laps("only here", [0.01, 0.01])
    found = heats(runs)
    assert {place.verdict for heat in found for place in rank(heat)[1:]} == {"too few pairs"}
    (together,) = overall(found, ranked_by("lap_time"))
    assert together.title.startswith("All circuits: simple_circuit, montreal, montmelo; 1 lap")
    ranking = together.ranking
    assert [row[1] for row in ranking.places] == ["a", "b"]
    assert ranking.places[1][-1] == "behind: deviation"
    assert line_text(ranking.places[1][-2]) == "6"
    assert ranking.statement in markdown_report(circuit_tables(runs), [together])
    assert overall(heats(laps("a", few)), ranked_by("lap_time")) == ()


def test_repeats_of_equal_laps_are_one_pair() -> None:
    def repeats(model: str, deviation_m: float) -> list[Run]:
        result = make_result(model=model, deviation_mae_m=deviation_m, odometry_sha256=model)
        return [Run(f"{model}{i}", result) for i in range(5)]

    (heat,) = heats([*repeats("a", 0.1), *repeats("b", 0.2)])
    assert [place.verdict for place in rank(heat)] == [None, "too few pairs"]


def test_the_csv_holds_every_model_and_every_run() -> None:
    runs = [*laps("a", [0.1, 0.2, 0.3]), *laps("b", [0.4], outcome="stuck")]
    rows = list(csv.DictReader(io.StringIO(groups_csv(heats(runs)))))
    assert [row["model"] for row in rows[:2]] == ["a", "b"]
    assert [row["source"] for row in rows[2:]] == ["published"] * 11
    assert float(rows[0]["deviation_mae_m"]) == pytest.approx(0.2)
    assert (rows[0]["deviation_mae_m_n"], rows[0]["completed"]) == ("3", "3")
    assert (rows[1]["outcome_stuck"], rows[1]["completed"], rows[1]["judged"]) == ("1", "0", "1")
    assert rows[1]["deviation_mae_m"] == ""
    single = list(csv.DictReader(io.StringIO(runs_csv(runs))))
    assert [row["recording"] for row in single] == ["a-0", "a-1", "a-2", "b-0"]
    assert single[3]["outcome"] == "stuck"


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


def test_rank_by_chooses_who_stands_first_in_all_outputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    quick: dict[str, Any] = {"lap_time_s": 42.0, "deviation_mae_m": 0.08}
    record(tmp_path / "runs", "one", driven_m=4.0, model="quick", odometry_sha256="1", **quick)
    neat: dict[str, Any] = {"lap_time_s": 56.0, "deviation_mae_m": 0.01}
    record(tmp_path / "runs", "two", driven_m=4.0, model="neat", odometry_sha256="2", **neat)
    for rank_by, words in (
        ("lap_time", "Ranking by share completed, then lap time, then deviation: quick stands"),
        ("deviation", "Ranking by share completed, then deviation, then lap time: neat stands"),
    ):
        output = tmp_path / rank_by
        print_report([tmp_path / "runs"], output, rank_by=rank_by)
        assert words in capsys.readouterr().out
        assert words in (output / "report.md").read_text()
        title, first = words.split(": ")
        page = (output / "report.html").read_text()
        assert f"<h3>{title}</h3>" in page and first in page
        text = (output / "report.md").read_text()
    assert "| 1 | neat | 1/1 | 0.010 | - | 56.00 | - | - | - |" in text
    assert "| 2 | quick | 1/1 | 0.080 | +0.0700 | 42.00 | -25.00% | 1 | too few pairs |" in text


def test_a_single_run_has_its_report_and_pictures_in_its_folder(tmp_path: Path) -> None:
    folder = record(tmp_path, "one")
    print_report([folder])
    for name in ("line.png", "deviation.png", "inference.png"):
        image = matplotlib.image.imread(folder / name)
        height, width = image.shape[:2]
        assert height > 300 and width > 900
        # Something is drawn: neither blank nor nearly so.
        assert image[..., :3].std() > 0.02
    assert "tflite_dynamic" in (folder / "report.md").read_text()


def test_runs_are_found_at_any_depth_but_not_within_each_other(tmp_path: Path) -> None:
    record(tmp_path, "night/a/simple_circuit/1", driven_m=2.0)
    folder = record(tmp_path, "night/a/simple_circuit/2", driven_m=2.0)
    record(folder, "attempts/1", driven_m=2.0, outcome="harness_error")
    (tmp_path / "night/b/1").mkdir(parents=True)
    (tmp_path / "night/b/1/command.sh").write_text("roslaunch")
    (tmp_path / "night/profiles").mkdir()
    (tmp_path / "night/profiles/a.json").write_text("{}")
    found = find_runs([tmp_path / "night"])
    assert [run.name for run in found.runs] == ["a/simple_circuit/1", "a/simple_circuit/2"]
    assert len(found.notes) == 2
    assert found.notes[0].startswith("a/simple_circuit/2: 1 failed attempt")
    assert "b/1 has no result.json" in found.notes[1]


def test_a_broken_result_is_named_and_the_others_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, "runs/good", driven_m=2.0)
    broken = record(tmp_path, "runs/broken", driven_m=2.0)
    (broken / RESULT_NAME).write_text('{"outcome": "compl')
    print_report([tmp_path / "runs"], tmp_path / "report")
    assert "1 of 1 runs completed" in capsys.readouterr().out
    (note,) = find_runs([tmp_path / "runs"]).notes
    assert "broken" in note and "\n" not in note
    assert note in (tmp_path / "report/report.md").read_text()


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
