"""Bags read back as arrays, and what is said of those that can't be read."""

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from harness.errors import DataError
from harness.metrics.run_log import odometry_sha256
from harness.recording.log import read_run_log
from tests.harness.bagmaker import WALL_ORIGIN_S, Iteration, Pose, Recording, on_circle, write_bag


def full_recording() -> Recording:
    return Recording(
        poses=on_circle(4.0, rate_hz=20.0),
        iterations=[
            Iteration(0.05, 0.06, frames_missed=0),
            Iteration(0.15, 0.16, frames_missed=1, latency_s=0.03, effective_sim_s=0.18),
        ],
        events=[
            {"event": "go", "sim_s": 1.0, "wall_s": 7.0},
            {"event": "finish", "sim_s": 3.0, "wall_s": 9.0},
        ],
        camera_sim_s=[0.05, 0.10, 0.15],
        contacts_sim_s=[2.5],
        performance=[(1.0, 0.97), (2.0, 0.99)],
        metadata={"world": "circle"},
    )


def test_every_topic_is_read_back(tmp_path: Path) -> None:
    log = read_run_log(write_bag(tmp_path / "run.bag", full_recording()))
    assert log.odometry.sim_s == pytest.approx(np.arange(81) / 20.0)
    assert log.odometry.wall_s == pytest.approx(WALL_ORIGIN_S + np.arange(81) / 20.0, abs=1e-6)
    poses = on_circle(4.0, rate_hz=20.0)
    assert log.odometry.x_m == pytest.approx([p.x_m for p in poses], abs=1e-12)
    assert log.odometry.y_m == pytest.approx([p.y_m for p in poses], abs=1e-12)
    assert log.odometry.yaw_rad == pytest.approx([p.yaw_rad for p in poses], abs=1e-9)
    assert log.odometry.v_m_s == pytest.approx(np.full(81, 8.0))
    assert log.clock.sim_s == pytest.approx(np.arange(401) / 100.0)
    assert log.iterations.frame_sim_s == pytest.approx([0.05, 0.15])
    assert log.iterations.infer_end_s - log.iterations.infer_start_s == pytest.approx([4e-3, 4e-3])
    assert log.iterations.frames_missed.tolist() == [0.0, 1.0]
    assert np.isnan(log.iterations.effective_sim_s).tolist() == [True, False]
    assert log.iterations.effective_sim_s[1] == pytest.approx(0.18)
    assert log.commands.w_rad_s == pytest.approx([0.4, 0.4])
    assert log.performance.real_time_factor == pytest.approx([0.97, 0.99])
    assert log.camera_sim_s == pytest.approx([0.05, 0.10, 0.15])
    assert log.contacts_sim_s == pytest.approx([2.5])
    assert log.metadata == {"world": "circle"}
    assert [event.name for event in log.events] == ["go", "finish"]
    assert (log.go_sim_s, log.finish_sim_s) == (1.0, 3.0)


def test_a_bag_of_the_published_study_reads_with_odometry_and_clock_alone(tmp_path: Path) -> None:
    log = read_run_log(write_bag(tmp_path / "run.bag", Recording(poses=on_circle(4.0))))
    assert (log.go_sim_s, log.finish_sim_s) == (0.0, 4.0)
    assert log.iterations.frame_sim_s.shape == (0,)
    assert log.events == ()
    assert log.metadata == {}


def test_odometry_is_ordered_by_its_stamps(tmp_path: Path) -> None:
    poses = on_circle(1.0)
    bag = write_bag(tmp_path / "run.bag", Recording(poses=poses[::-1], clock=False))
    assert read_run_log(bag).odometry.sim_s == pytest.approx([p.sim_s for p in poses])


def test_the_fingerprint_is_over_the_samples_from_go_to_finish(tmp_path: Path) -> None:
    log = read_run_log(write_bag(tmp_path / "run.bag", full_recording()))
    odometry = log.odometry
    packed = b"".join(
        struct.pack("<4d", odometry.sim_s[i], odometry.x_m[i], odometry.y_m[i], odometry.yaw_rad[i])
        for i in range(20, 61)
    )
    assert odometry_sha256(log) == hashlib.sha256(packed).hexdigest()
    assert odometry_sha256(log, 2.9) != odometry_sha256(log)


def test_one_sample_moved_by_a_nanometre_changes_the_fingerprint(tmp_path: Path) -> None:
    poses = on_circle(4.0)
    same = read_run_log(write_bag(tmp_path / "same.bag", Recording(poses=poses)))
    again = read_run_log(write_bag(tmp_path / "again.bag", Recording(poses=list(poses))))
    middle = poses[100]
    poses[100] = Pose(middle.sim_s, middle.x_m + 1e-9, middle.y_m, middle.yaw_rad)
    moved = read_run_log(write_bag(tmp_path / "moved.bag", Recording(poses=poses)))
    assert odometry_sha256(same) == odometry_sha256(again)
    assert odometry_sha256(same) != odometry_sha256(moved)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_truncated_bag_names_the_mending(tmp_path: Path, share: float) -> None:
    whole = write_bag(tmp_path / "run.bag", full_recording()).read_bytes()
    broken = tmp_path / "broken.bag"
    broken.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match="rosbag reindex"):
        read_run_log(broken)


def test_an_unindexed_bag_names_the_mending(tmp_path: Path) -> None:
    data = bytearray(write_bag(tmp_path / "run.bag", full_recording()).read_bytes())
    at = data.index(b"index_pos=") + len(b"index_pos=")
    data[at : at + 8] = bytes(8)
    broken = tmp_path / "run.bag.active"
    broken.write_bytes(data)
    with pytest.raises(DataError, match="rosbag reindex"):
        read_run_log(broken)


def test_what_is_no_bag_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such bag"):
        read_run_log(tmp_path / "none.bag")
    with pytest.raises(DataError, match="folder"):
        read_run_log(tmp_path)
    text = tmp_path / "text.bag"
    text.write_text("hello\n")
    with pytest.raises(DataError, match="is no bag: neither ROS 1"):
        read_run_log(text)
    no_odometry = write_bag(tmp_path / "empty.bag", Recording(metadata={"a": 1}))
    with pytest.raises(DataError, match="/F1ROS/odom"):
        read_run_log(no_odometry)
