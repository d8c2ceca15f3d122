"""`harness circuit import`: what the user is told; such a circuit is one like any other."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import DataError, UsageError
from harness.recording.bag_metrics import measure_bag
from harness.recording.results import Result
from harness.recording.run_ending import Ending, finish_recording
from harness.report.digest import DigestCache
from harness.report.groups import Run
from harness.spec.recorded import CIRCUIT_DRIVEN
from harness.spec.run import RunSpec
from harness.study.collect import plan
from tests.harness.bagmaker import Recording, along, write_bag, write_reference
from tests.harness.cli.conftest import Harness
from tests.worlds.foreign_worlds import TRACK, Tiny, in_world
from worlds.circuit import carried, load_circuit
from worlds.foreign import read_world


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return Tiny().write(tmp_path / "CustomRobots" / "f1")


def imported(harness: Harness, theirs: Path, *more: object) -> str:
    code, _, said = harness("circuit", "import", theirs, "--world", "tiny.world", *more)
    assert code == 0, said
    return said


def test_a_world_becomes_a_circuit_of_the_user_s(harness: Harness, theirs: Path, own: Path) -> None:
    said = imported(harness, theirs)
    assert "note: the red line, 0.12 m wide, is found along 100.0% of the lap\n" in said
    last = said.splitlines()[-1]
    assert last == f"imported original_tiny ({TRACK.length_m:.1f} m): {own / 'original_tiny.yaml'}"
    code, out, _ = harness("circuit", "list", "--json")
    row = {row["name"]: row for row in json.loads(out)}["original_tiny"]
    assert row["source"] == str(theirs / "worlds" / "tiny.world")
    assert row["world"]["sha256"] == read_world(theirs, "tiny").sha256
    assert row["world"]["folder"] == str(theirs)
    # A narrow terminal folds the word: the line below names the world.
    code, _, said = harness("circuit", "list")
    assert f", from {theirs / 'worlds' / 'tiny.world'}\n" in said
    assert "unchanged: original_tiny" in imported(harness, theirs)
    # With shadows it is another one.
    code, _, said = harness("circuit", "import", theirs, "--world", "tiny", "--shadows")
    assert code == 2
    assert "there is another 'original_tiny' already" in said
    assert "replaced original_tiny" in imported(harness, theirs, "--shadows", "--replace")


def guides(folder: Path) -> dict[str, Path]:
    """A line 0.2 m beside the red one in x and in y, as a table, a bag and a circuit."""
    points = in_world(TRACK.position(np.arange(0.0, TRACK.length_m - 0.5, 0.5))) + 0.2
    table = folder / "guide.csv"
    table.write_text("x,y\n" + "".join(f"{x:.4f},{y:.4f}\n" for x, y in points))
    bag = write_reference(folder / "guide.bag", np.vstack([points, points[:20]]))
    return {"table": table, "bag": bag}


@pytest.mark.parametrize("kind", ["table", "bag", "circuit", "yaml"])
def test_a_circuit_a_table_or_a_bag_leads_along(
    harness: Harness, theirs: Path, tmp_path: Path, own: Path, kind: str
) -> None:
    made = guides(tmp_path)
    if kind in ("circuit", "yaml"):
        harness("circuit", "add", made["table"], "--name", "guide")
        made |= {"circuit": Path("guide"), "yaml": own / "guide.yaml"}
    said = imported(harness, theirs, "--centreline", made[kind])
    assert "is found along 100.0% of " in said
    apart_m = float(said.split(" m from it on average")[0].split()[-1])
    assert apart_m == pytest.approx(0.18, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--world", "huge"], 3, "there is no world huge.world; there are tiny.world"),
        (["--world", "tiny", "--name", "montreal"], 2, "'montreal' is a built-in circuit"),
        (["--world", "tiny", "--name", "No!"], 2, "cannot name a circuit"),
        (["--world", "tiny", "--centreline", "nowhere.csv"], 2, "is no file, nor a circuit (known"),
        (["--world", "tiny", "--asphalt-width", "9"], 2, "is more than the walls leave"),
        (["--world", "tiny", "--centreline", "montreal"], 3, "leads round another circuit"),
    ],
)
def test_what_is_wrong_is_one_line(
    harness: Harness, theirs: Path, arguments: list[str], code: int, said: str
) -> None:
    ended, _, text = harness("circuit", "import", theirs, *arguments)
    assert (ended, text.count("\n"), text.startswith("error: ")) == (code, 1, True), text
    assert said in text


def test_a_folder_that_is_none_is_one_line(harness: Harness, tmp_path: Path) -> None:
    code, _, said = harness("circuit", "import", tmp_path / "nowhere", "--world", "tiny")
    assert (code, said) == (3, f"error: {tmp_path / 'nowhere'}: there is no such folder\n")


def test_its_look_is_its_own(harness: Harness, theirs: Path) -> None:
    imported(harness, theirs)
    with pytest.raises(UsageError, match="appearance: 3 can't be had: the circuit's world has its"):
        RunSpec.parse({"circuit": "original_tiny", "appearance": 3})
    with pytest.raises(UsageError, match="conditions: line_worn, light can't be had"):
        RunSpec.parse({"circuit": "original_tiny", "conditions": "light=0.5,gusts=1,line_worn=0.2"})
    looks = {
        (spec.circuit, spec.appearance)
        for spec in plan(["original_tiny", "montmelo"], 1, Path("/tmp/data"))
    }
    assert looks == {("original_tiny", 0), ("montmelo", 0), ("montmelo", 1)}


def test_a_world_that_is_gone_is_told_before_anything_starts(
    harness: Harness, theirs: Path, tmp_path: Path
) -> None:
    imported(harness, theirs)
    spec = RunSpec.parse_runnable({"circuit": "original_tiny", "model": "explicit"})
    assert spec.circuit == "original_tiny"
    (theirs / "models" / "tiny_track" / "meshes" / "walls.dae").unlink()
    with pytest.raises(DataError, match=r"walls\.dae is not there"):
        RunSpec.parse_runnable({"circuit": "original_tiny", "model": "explicit"})
    code, _, said = harness("lap", "--circuit", "original_tiny", "--model", "explicit")
    assert (code, said.count("\n")) == (3, 1), said


def driven(folder: Path, offset_m: float) -> Result:
    """A recording of a lap in the imported world."""
    spec = RunSpec.parse({"circuit": "original_tiny"})
    told: dict[str, Any] = spec.model_dump() | {CIRCUIT_DRIVEN: carried(spec.load_circuit())}
    poses = along("original_tiny", metres=140.0, offset_m=offset_m)
    folder.mkdir()
    events = [{"event": "go", "sim_s": 0.0}]
    write_bag(folder / "run.bag", Recording(poses=poses, events=events, metadata=told))
    (folder / "command.sh").write_text("roslaunch\n")
    return finish_recording(folder, spec, Ending("completed", ""), {}, datetime.now(UTC), {})


def test_two_rulers_the_line_on_the_ground_and_a_reference(
    harness: Harness, theirs: Path, tmp_path: Path
) -> None:
    imported(harness, theirs)
    folder = tmp_path / "run"
    result = driven(folder, offset_m=0.1)
    world = load_circuit("original_tiny").world
    assert world is not None
    assert result.world_sha256 == world.sha256
    assert result.deviation_mae_m == pytest.approx(0.1, abs=0.01)
    # A reference drawn 0.1 m to the left, where the car drove: on that ruler it is exact.
    line = load_circuit("original_tiny").centreline()
    stations_m = np.arange(0.0, line.length_m, 0.13)
    heading = line.heading(stations_m)
    left = np.column_stack([-np.sin(heading), np.cos(heading)])
    reference = write_reference(tmp_path / "ref.bag", line.position(stations_m) + 0.1 * left)
    code, out, said = harness("metrics", folder, "--reference", reference, "--json")
    assert code == 0, said
    (measured,) = json.loads(out)["bags"] if "bags" in json.loads(out) else [json.loads(out)]
    assert measured
    # Without their world all figures are there still.
    (theirs / "worlds" / "tiny.world").unlink()
    assert measure_bag(folder).metrics.deviation_mae_m == result.deviation_mae_m
    DigestCache(tmp_path / "digests").of(Run("run", result, folder))
