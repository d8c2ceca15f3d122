"""The red line follower on drawn roads, in closed loop, by what it sees alone."""

import numpy as np
import pytest

from brains.backends.explicit import ExplicitBrain, ExplicitParams
from tests.brains.kinematics import drive, start_pose
from tests.brains.roadview import RoadView
from worlds.circuit import Direction, load_circuit


@pytest.mark.parametrize("circuit", ["simple_circuit", "montreal", "montmelo"])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_drives_every_circuit(circuit: str, direction: Direction) -> None:
    line = load_circuit(circuit).centreline(direction)
    view, brain = RoadView(line, height_px=120, width_px=160), ExplicitBrain()
    steps = list(
        drive(
            line,
            lambda pose: brain.infer(view.frame(pose)),
            start_pose(line, 0, 0, 0),
            s_m=0.0,
            latency_s=0.05,
            distance_m=line.length_m,
        )
    )
    assert steps[-1].progress_m > line.length_m - 1
    assert np.abs([step.lateral_m for step in steps]).max() < 0.5


@pytest.mark.parametrize("offset_m", [-0.6, 0.6])
def test_returns_from_beside_the_line(offset_m: float) -> None:
    line = load_circuit("simple_circuit").centreline("forward")
    straight_s_m = float(line.stations_m[np.abs(line.curvatures_1_m).argmin()])
    view, brain = RoadView(line), ExplicitBrain()
    pose = start_pose(line, straight_s_m, offset_m, 0)
    assert np.sign(brain.infer(view.frame(pose)).w_rad_s) == -np.sign(offset_m)
    steps = list(
        drive(
            line,
            lambda pose: brain.infer(view.frame(pose)),
            pose,
            s_m=straight_s_m,
            latency_s=0.05,
            distance_m=25,
        )
    )
    assert abs(steps[-1].lateral_m) < 0.1


@pytest.mark.parametrize("side", [-1, 1])
def test_a_lost_line_is_searched_where_it_was_seen_last(side: int) -> None:
    line = load_circuit("simple_circuit").centreline("forward")
    view, brain = RoadView(line), ExplicitBrain()
    brain.infer(view.frame(start_pose(line, 60.0, -0.5 * side, 0)))
    command = brain.infer(np.full((240, 320, 3), 90, np.uint8))
    assert command.v_m_s == ExplicitParams().v_min_m_s
    assert np.sign(command.w_rad_s) == side
