"""The expert in a kinematic simulation of the real circuits, undisturbed and disturbed."""

import numpy as np
import pytest

from brains.disturbance import Disturber
from brains.expert import V_LIMITS_M_S, W_LIMIT_RAD_S, Decision, Expert
from brains.interface import Command
from tests.brains.kinematics import Pose, Step, drive, start_pose
from worlds.centreline import Centreline
from worlds.circuit import Direction, load_circuit

CIRCUITS = ["simple_circuit", "montreal", "montmelo"]
DIRECTIONS = ["forward", "reverse"]


def line_of(circuit: str, direction: Direction) -> Centreline:
    return load_circuit(circuit).centreline(direction)


def lap(line: Centreline, latency_s: float) -> list[Step]:
    expert = Expert(line)
    return list(
        drive(
            line,
            lambda pose: expert.command(*pose),
            start_pose(line, 0, 0, 0),
            s_m=0.0,
            latency_s=latency_s,
            distance_m=line.length_m,
        )
    )


@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("latency_s", [0.03, 0.06, 0.12])
def test_completes_a_lap_close_to_the_line(
    circuit: str, direction: Direction, latency_s: float
) -> None:
    line = line_of(circuit, direction)
    steps = lap(line, latency_s)
    assert steps[-1].progress_m > line.length_m - 1
    lateral_m = np.abs([step.lateral_m for step in steps])
    speed_m_s = steps[-1].progress_m / steps[-1].time_s
    print(
        f"{circuit} {direction} {latency_s * 1e3:.0f} ms: {speed_m_s:.2f} m/s, "
        f"deviation {lateral_m.mean():.3f} m, at most {lateral_m.max():.2f} m"
    )
    assert lateral_m.mean() < 0.08
    assert lateral_m.max() < 0.4
    assert speed_m_s > {"simple_circuit": 9.3, "montreal": 11.2, "montmelo": 8.0}[circuit]


def test_commands_stay_in_what_the_networks_can_answer() -> None:
    line = line_of("montmelo", "forward")
    expert = Expert(line)
    random = np.random.default_rng(0)
    for s_m in random.uniform(0, line.length_m, 200):
        expert = Expert(line)
        pose = start_pose(line, s_m, random.uniform(-1, 1), random.uniform(-3, 3))
        command = expert.command(*pose)
        assert V_LIMITS_M_S[0] <= command.v_m_s <= V_LIMITS_M_S[1]
        assert abs(command.w_rad_s) <= W_LIMIT_RAD_S


def test_steers_back_to_the_line_from_both_sides() -> None:
    line = line_of("simple_circuit", "forward")
    straight_s_m = float(line.stations_m[np.abs(line.curvatures_1_m).argmin()])
    left = Expert(line).command(*start_pose(line, straight_s_m, 0.5, 0))
    right = Expert(line).command(*start_pose(line, straight_s_m, -0.5, 0))
    assert left.w_rad_s < -0.2
    assert right.w_rad_s > 0.2


def disturbed_lap(line: Centreline, seed: int) -> tuple[list[Step], list[Decision], list[Command]]:
    expert, disturber = Expert(line), Disturber(seed)
    decisions: list[Decision] = []
    executed: list[Command] = []

    def decide(pose: Pose) -> Command:
        decisions.append(expert.decide(*pose))
        return decisions[-1].command

    def execute(_: Command) -> Command:
        executed.append(disturber.execute(decisions[-1]))
        return executed[-1]

    start = start_pose(line, 0, *disturber.start_offset())
    steps = list(
        drive(
            line,
            decide,
            start,
            s_m=0.0,
            latency_s=0.03,
            distance_m=line.length_m,
            execute=execute,
        )
    )
    return steps, decisions, executed


@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_disturbed_laps_are_completed_and_visit_the_states_to_recover_from(
    circuit: str, direction: Direction
) -> None:
    line = line_of(circuit, direction)
    lateral_m, heading_deg = [], []
    for seed in range(1, 5):
        steps, decisions, _ = disturbed_lap(line, seed)
        assert steps[-1].progress_m > line.length_m - 1
        lateral_m += [d.lateral_m for d in decisions]
        heading_deg += [np.degrees(d.heading_error_rad) for d in decisions]
    assert min(lateral_m) < -0.55
    assert max(lateral_m) > 0.55
    assert np.abs(lateral_m).max() < 1.2
    assert min(heading_deg) < -14
    assert max(heading_deg) > 14


def test_the_same_seed_disturbs_the_same_and_another_does_not() -> None:
    line = line_of("simple_circuit", "forward")
    first, again, other = (disturbed_lap(line, seed)[2] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_label_is_not_the_disturbed_command() -> None:
    _, decisions, executed = disturbed_lap(line_of("simple_circuit", "forward"), 1)
    differences = [d.command.w_rad_s - e.w_rad_s for d, e in zip(decisions, executed, strict=True)]
    assert np.std(differences) > 0.2
