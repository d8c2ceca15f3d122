"""Conditions in a real Gazebo: what they do to the car, the world and the frames."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from harness.metrics.run_log import RunLog
from harness.recording.log import read_run_log
from harness.recording.results import Result
from harness.replay.drive import replay
from harness.run.drive import drive
from harness.spec.replay import ReplaySpec
from harness.spec.run import RunSpec

pytestmark = pytest.mark.sim

STEADY = "tests.sim.brains_for_tests:Steady"
"""Answers 4 m/s and 0.5 rad/s to every frame."""


def driven(output: Path, conditions: str, **values: object) -> tuple[Result, RunLog]:
    """A short run in lockstep."""
    asked = {
        "model": STEADY,
        "clock": "lockstep",
        "latency": "fixed:0",
        "timeout": 1.5,
        "image_width": 160,
        "image_height": 120,
        "conditions": conditions,
        "output": str(output),
        **values,
    }
    folder, result = drive(RunSpec.parse(asked), lambda _: None)
    return result, read_run_log(folder / "run.bag")


def test_the_car_obeys_otherwise_and_the_brain_is_recorded_as_it_spoke(tmp_path: Path) -> None:
    _, log = driven(tmp_path / "run", "steering_gain=2,steering_bias_rad_s=-0.25,speed_gain=0.5")
    assert set(log.iterations.w_rad_s) == {0.5}
    assert set(log.iterations.v_m_s) == {4.0}
    moving = log.odometry.sim_s > 0.2
    assert log.odometry.w_rad_s[moving] == pytest.approx(2.0 * 0.5 - 0.25, abs=1e-3)
    assert log.odometry.v_m_s[moving] == pytest.approx(2.0, abs=1e-3)
    # Before its first command it stands, whatever its bias.
    assert log.odometry.w_rad_s[0] == pytest.approx(0.0, abs=1e-9)


def test_gusts_turn_the_car_and_come_again_with_the_seed(tmp_path: Path) -> None:
    logs = [driven(tmp_path / name, "gusts=0.5", seed=seed) for name, seed in
            (("a", 1), ("b", 1), ("c", 2))]  # fmt: skip
    (one, log), (same, _), (other, _) = logs
    assert one.odometry_sha256 == same.odometry_sha256 != other.odometry_sha256
    assert one.commands_sha256 == same.commands_sha256
    turned = log.odometry.w_rad_s[log.odometry.sim_s > 0.2] - 0.5
    assert 0.1 < turned.std() < 1.5


def test_the_car_starts_where_it_is_asked_and_the_camera_sits_so(tmp_path: Path) -> None:
    _, usual = driven(tmp_path / "usual", "", timeout=0.3)
    asked = "start_offset_m=0.5,start_heading_deg=10,camera_pitch_deg=10,line_worn=1,light=0.5"
    result, moved = driven(tmp_path / "moved", asked, timeout=0.3, record_camera=True)
    assert result.spec is not None
    assert set(result.spec.conditions.split(",")) == set(asked.split(","))
    assert moved.metadata["conditions"] == result.spec.conditions
    first, there = usual.odometry, moved.odometry
    offset = np.array([there.x_m[0] - first.x_m[0], there.y_m[0] - first.y_m[0]])
    heading = first.yaw_rad[0]
    left = np.array([-math.sin(heading), math.cos(heading)])
    assert offset @ left == pytest.approx(0.5, abs=0.01)
    assert math.remainder(there.yaw_rad[0] - heading, math.tau) == pytest.approx(
        math.radians(10.0), abs=1e-2
    )


def test_lost_frames_are_no_answers_and_a_replay_sees_what_the_brain_saw(tmp_path: Path) -> None:
    """A brain that folds all pixels of a frame into a command: in the run, and in its replay."""
    model = "tests.sim.brains_for_tests:Hashing"
    asked = "camera_noise=12,camera_dirt=0.1,frame_drop=0.4,camera_freeze=1,camera_jpeg=40"
    result, log = driven(
        tmp_path / "run", asked,
        model=model, timeout=8.0, latency="fixed:70", seed=5, record_camera=True,
    )  # fmt: skip
    again, _ = driven(
        tmp_path / "again", asked, model=model, timeout=8.0, latency="fixed:70", seed=5
    )
    assert result.commands_sha256 == again.commands_sha256
    assert result.frames_missed and result.frames_used
    assert result.frames_missed > 0.4 * result.frames_used
    replayed = tmp_path / "replay"
    spec = ReplaySpec.parse({"bag": str(tmp_path / "run"), "model": model, "output": str(replayed)})
    _, shown = replay(spec, lambda _: None)
    assert shown.frames_answered < shown.frames_recorded
    assert shown.commands_equal == shown.frames_compared > 30
    with (replayed / "replay.csv").open() as file:
        assert len(list(csv.DictReader(file))) == shown.frames_answered
    assert log.camera_sim_s.size >= shown.frames_answered


def test_a_neutral_level_is_the_lap_without_conditions_bit_for_bit(tmp_path: Path) -> None:
    model = "explicit"
    plain, _ = driven(tmp_path / "plain", "", model=model, timeout=3.0)
    neutral = "camera_noise=0,gusts=0,light=1,line_worn=0,speed_gain=1,latency_jitter_ms=0"
    same, _ = driven(tmp_path / "same", neutral, model=model, timeout=3.0)
    assert plain.odometry_sha256 == same.odometry_sha256
    assert plain.commands_sha256 == same.commands_sha256
    worn, _ = driven(tmp_path / "worn", "line_worn=0.5", model=model, timeout=3.0)
    assert worn.commands_sha256 != plain.commands_sha256
    late, log = driven(tmp_path / "late", "latency_jitter_ms=20", model=model, timeout=3.0)
    assert late.odometry_sha256 != plain.odometry_sha256
    assert 0.005 < log.iterations.latency_s.mean() < 0.05
