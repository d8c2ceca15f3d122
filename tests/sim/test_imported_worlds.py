"""A Gazebo world made elsewhere, imported and driven in a real Gazebo."""

import json
from pathlib import Path

import pytest
import yaml

from harness.recording.bag_metrics import measure_bag
from harness.recording.log import read_run_log
from harness.recording.results import Result
from harness.run.drive import drive
from harness.spec.run import RunSpec
from tests.worlds.foreign_worlds import TRACK_POSE, WALLS_M, Tiny, line_in_world
from worlds.custom import as_yaml
from worlds.imported import import_world

pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a circuit that names a world made by this test."""
    folder = tmp_path_factory.mktemp("theirs")
    circuit = import_world(Tiny(gap_m=2.0).write(folder / "f1"), "tiny", name="tiny").circuit
    path = folder / "tiny.yaml"
    path.write_text(as_yaml(circuit))
    return path


def lap(circuit: Path, output: Path, **asked: object) -> tuple[Path, Result]:
    values = {"model": "explicit", "clock": "lockstep", "latency": "fixed:5"}
    spec = RunSpec.parse({**values, "circuit": str(circuit), "output": str(output), **asked})
    return drive(spec, lambda _: None)


def test_an_imported_world_is_driven_like_any_other(imported: Path, tmp_path: Path) -> None:
    folder, result = lap(imported, tmp_path / "run")
    assert result.outcome == "completed", result.outcome_reason
    # The driver sees the red line of their mesh, on their raised road; the ruler is its middle.
    assert result.deviation_mae_m is not None
    assert result.deviation_mae_m < 0.02
    assert result.contact_messages == 0
    log = read_run_log(folder / "run.bag")
    line = line_in_world()
    away_m = [
        abs(line.project(point).lateral_m)
        for point in zip(log.odometry.x_m[::5], log.odometry.y_m[::5], strict=True)
    ]
    assert sum(away_m) / len(away_m) < 0.03
    told = yaml.safe_load(imported.read_text())["world"]
    assert told["ground_m"] == pytest.approx(TRACK_POSE[2])
    assert json.loads((folder / "result.json").read_text())["world_sha256"] == told["sha256"]
    assert measure_bag(folder).metrics.deviation_mae_m == result.deviation_mae_m


def test_walls_of_ours_stand_where_theirs_are_seen(imported: Path, tmp_path: Path) -> None:
    folder, result = lap(
        imported, tmp_path / "run", model="tests.sim.brains_for_tests:Counting", timeout=8.0
    )
    assert result.outcome in ("stuck", "timeout"), result.outcome_reason
    log = read_run_log(folder / "run.bag")
    assert len(log.contacts_sim_s) > 0
    line = line_in_world()
    away_m = [
        abs(line.project(point).lateral_m)
        for point in zip(log.odometry.x_m, log.odometry.y_m, strict=True)
    ]
    assert 0.5 < max(away_m) < WALLS_M
