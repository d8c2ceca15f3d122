"""Generated worlds in a real Gazebo."""

from pathlib import Path

import pytest
import yaml

from harness.recording.log import read_run_log
from harness.run.drive import drive
from harness.spec.run import RunSpec
from worlds.circuit import load_circuit

pytestmark = pytest.mark.sim


def test_generated_walls_hold_the_car(short_circuit: str, tmp_path: Path) -> None:
    # Walls so near that the car, driving straight on, meets one before it leaves the asphalt.
    narrow = yaml.safe_load(Path(short_circuit).read_text()) | {"name": "narrow", "verge_m": 0.05}
    path = tmp_path / "narrow.yaml"
    path.write_text(yaml.safe_dump(narrow))
    spec = RunSpec.parse(
        {
            "model": "tests.sim.brains_for_tests:Counting",
            "circuit": str(path),
            "clock": "lockstep",
            "latency": "fixed:20",
            "timeout": 6.0,
            "output": str(tmp_path / "run"),
        }
    )
    folder, result = drive(spec, lambda _: None)
    assert result.outcome in ("stuck", "timeout", "off_track"), result.outcome_reason
    log = read_run_log(folder / "run.bag")
    assert len(log.contacts_sim_s) > 0
    circuit = load_circuit(str(path))
    line = circuit.centreline()
    away_m = [
        abs(line.project(point).lateral_m)
        for point in zip(log.odometry.x_m, log.odometry.y_m, strict=True)
    ]
    # The wall's face is at half the asphalt and the verge; no part of the car's middle passes it.
    assert max(away_m) < circuit.asphalt_width_m / 2 + 0.05
