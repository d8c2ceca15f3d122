"""`harness circuit`: adding, listing, and what becomes of runs when a circuit changes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import PitwallError
from harness.recording.bag_metrics import measure_bag
from harness.recording.results import Result
from harness.recording.run_ending import Ending, finish_recording
from harness.report.digest import DigestCache
from harness.report.groups import Run
from harness.spec.recorded import CIRCUIT_DRIVEN
from harness.spec.run import RunSpec
from tests.harness.bagmaker import Pose, Recording, along, on_circle, write_bag, write_reference
from tests.harness.cli.conftest import Harness
from worlds.circuit import carried, load_circuit

ANGLE = np.arange(60) * 2 * np.pi / 60


def ring(folder: Path, radius_m: float = 20.0, at_m: tuple[float, float] = (0.0, 0.0)) -> Path:
    path = folder / f"ring{radius_m:g}.csv"
    rows = radius_m * np.column_stack([np.cos(ANGLE), np.sin(ANGLE)]) + at_m
    path.write_text("x,y\n" + "".join(f"{x:.4f},{y:.4f}\n" for x, y in rows))
    return path


def test_case_11_another_line_of_the_same_name_is_refused(harness: Harness, tmp_path: Path) -> None:
    first, second = ring(tmp_path), ring(tmp_path, 25.0)
    code, _, said = harness("circuit", "add", first, "--name", "mine")
    assert (code, said.split(" (")[0]) == (0, "added mine")
    code, _, said = harness("circuit", "add", second, "--name", "mine")
    assert code == 2
    assert "there is another 'mine' already" in said
    assert "--replace" in said
    assert load_circuit("mine").centreline().length_m == pytest.approx(40 * np.pi, abs=0.1)
    code, _, said = harness("circuit", "add", second, "--name", "mine", "--replace")
    assert (code, said.split(" (")[0]) == (0, "replaced mine")
    assert load_circuit("mine").centreline().length_m == pytest.approx(50 * np.pi, abs=0.1)


def test_case_11_the_same_line_again_is_fine(harness: Harness, tmp_path: Path) -> None:
    assert harness("circuit", "add", ring(tmp_path), "--name", "mine")[0] == 0
    code, _, said = harness("circuit", "add", ring(tmp_path), "--name", "mine")
    assert (code, said.split(" (")[0]) == (0, "unchanged: mine")
    # Another width is another circuit.
    code, _, said = harness("circuit", "add", ring(tmp_path), "--name", "mine", "--kerbs")
    assert code == 2


def test_a_file_that_is_no_circuit_is_not_overwritten(
    harness: Harness, tmp_path: Path, own: Path
) -> None:
    own.mkdir()
    (own / "mine.yaml").write_text("my: notes\n")
    assert harness("circuit", "add", ring(tmp_path), "--name", "mine")[0] == 2
    assert (own / "mine.yaml").read_text() == "my: notes\n"


def test_the_list_says_where_each_comes_from(harness: Harness, tmp_path: Path, own: Path) -> None:
    table = ring(tmp_path)
    harness("circuit", "add", table, "--name", "mine")
    (own / "broken.yaml").write_text("name: [\n")
    code, out, _ = harness("circuit", "list", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["simple_circuit"]["source"] == "built in"
    assert rows["simple_circuit"]["file"] is None
    assert rows["mine"]["source"] == str(table)
    assert rows["mine"]["file"] == str(own / "mine.yaml")
    assert rows["mine"]["length_m"] == pytest.approx(125.7, abs=0.1)
    assert rows["broken"]["length_m"] is None
    assert "broken.yaml: cannot read the circuit" in rows["broken"]["error"]
    code, _, said = harness("circuit", "list")
    assert code == 0
    assert f"mine: {own / 'mine.yaml'}, from {table}\n" in said
    assert f"broken: {own / 'broken.yaml'}: cannot read the circuit" in said


def test_case_05_a_bag_becomes_a_circuit(harness: Harness, tmp_path: Path) -> None:
    line = load_circuit("montmelo").centreline()
    poses = along("montmelo", metres=line.length_m * 2 + 20.0)
    bag = write_bag(tmp_path / "laps.bag", Recording(poses=poses))
    code, _, said = harness("circuit", "add", bag, "--name", "driven")
    assert code == 0, said
    assert "note: lap 1 of 2, " in said
    driven = load_circuit("driven")
    assert driven.source == str(bag)
    away_m = [line.project(p).lateral_m for p in driven.centreline().points_m[::40]]
    assert np.abs(away_m).max() < 0.15
    assert driven.centreline().length_m == pytest.approx(line.length_m, abs=1.5)


def test_a_bag_without_a_lap(harness: Harness, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "short.bag", Recording(poses=along(metres=100.0)))
    code, _, said = harness("circuit", "add", bag)
    assert code == 3
    assert "holds no whole lap: it drives 100 m" in said
    code, _, said = harness("circuit", "add", bag, "--columns", "x,y")
    assert code == 2


@pytest.mark.parametrize("name", ["run.bag", "bag.mcap", "folder", "line.csv", "line.png"])
def test_what_is_not_there_is_one_line(harness: Harness, tmp_path: Path, name: str) -> None:
    code, _, said = harness("circuit", "add", tmp_path / name)
    assert code == 3
    assert said.startswith("error: ")
    assert said.count("\n") == 1


def test_case_18_no_home_is_one_line(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PITWALL_CIRCUITS")
    monkeypatch.setenv("HOME", "/proc/nowhere")
    code, _, said = harness("circuit", "add", ring(tmp_path))
    assert code == 7
    assert said.startswith("error: can't write /proc/nowhere/")
    assert said.count("\n") == 1


def run_on(name: str, folder: Path, poses: list[Pose]) -> Result:
    """A recording as a run leaves it, its circuit in the metadata."""
    spec = RunSpec.parse({"circuit": name})
    folder.mkdir()
    told: dict[str, Any] = spec.model_dump() | {CIRCUIT_DRIVEN: carried(spec.load_circuit())}
    events = [{"event": "go", "sim_s": 0.0}]
    write_bag(folder / "run.bag", Recording(poses=poses, events=events, metadata=told))
    (folder / "command.sh").write_text("roslaunch\n")
    return finish_recording(folder, spec, Ending("completed", ""), {}, datetime.now(UTC), {})


def test_case_11_a_run_is_measured_on_the_circuit_it_drove(
    harness: Harness, tmp_path: Path, own: Path
) -> None:
    harness("circuit", "add", ring(tmp_path), "--name", "mine")
    folder = tmp_path / "run"
    result = run_on("mine", folder, on_circle(17.0, offset_m=0.2))
    assert result.circuit_sha256 == load_circuit("mine").sha256()
    before = measure_bag(folder)
    assert (before.outcome, before.course.source) == ("completed", "as recorded")
    DigestCache(tmp_path / "digests").of(Run("run", result, folder))

    harness("circuit", "add", ring(tmp_path, 21.0), "--name", "mine", "--replace")
    after = measure_bag(folder)
    assert after.metrics == before.metrics
    assert after.course.source == (
        "as recorded; circuit 'mine' is another one here: the figures are on the one it drove"
    )
    with pytest.raises(PitwallError, match="'mine' is another one here than it drove"):
        DigestCache(tmp_path / "digests").of(Run("run", result, folder))

    (own / "mine.yaml").unlink()
    gone = measure_bag(folder)
    assert gone.metrics == before.metrics
    assert gone.course.source == (
        "as recorded; circuit 'mine' is not here: the run carries its own"
    )


def test_case_01_a_bag_without_stamps_has_a_line_all_the_same(
    harness: Harness, tmp_path: Path
) -> None:
    line = load_circuit("simple_circuit").centreline()
    points = line.position(np.arange(0.0, line.length_m, 0.13))
    bag = write_reference(tmp_path / "reference.bag", points)
    code, _, said = harness("circuit", "add", bag)
    assert code == 0, said
    assert load_circuit("reference").centreline().length_m == pytest.approx(430.1, abs=1.0)


def test_case_06_the_odometry_may_have_another_topic(harness: Harness, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "laps.bag", Recording(poses=along(metres=450.0)))
    code, _, said = harness("circuit", "add", bag, "--odometry-topic", "/odom")
    assert code in (2, 3)
    assert "/F1ROS/odom" in said
    assert harness("circuit", "add", bag, "--odometry-topic", "/F1ROS/odom")[0] == 0


def test_a_table_is_not_asked_for_its_topics(harness: Harness, tmp_path: Path) -> None:
    code, _, said = harness("circuit", "add", ring(tmp_path), "--odometry-topic", "/odom")
    assert code == 2
    assert "is for bags" in said
