"""The camera's frames in a real Gazebo: by shared memory to our nodes, by topic to all others."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader

from harness import topics
from harness.paths import project_root
from harness.recording.results import Result, read_result
from harness.run.drive import drive
from harness.run.processes import RUN_ID, end_run, processes_of_run
from harness.run.simulator import free_port
from harness.spec.run import RunSpec

pytestmark = pytest.mark.sim

STANDING = "tests.sim.brains_for_tests:Standing"
PATIENCE_S = 120.0  # nothing is asserted about wall time; this only ends a test that hangs
PERIOD_NS = 50_000_000
Pixels = NDArray[np.uint8]

_SUBSCRIBER = """
import sys, rospy
from sensor_msgs.msg import Image
rospy.init_node("stock_subscriber", anonymous=True, disable_rostime=True)
rospy.Subscriber("/F1ROS/cameraL/image_raw", Image, lambda i: print(i.header.stamp, flush=True))
rospy.spin()
"""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"gave up waiting: {what}"
        time.sleep(0.05)


@contextmanager
def launched(tmp_path: Path, launch_file: str, *arguments: str) -> Iterator[dict[str, str]]:
    """A run as a user starts it by roslaunch; gives the environment in which others join it."""
    port = free_port()
    env = {
        **os.environ,
        "ROS_MASTER_URI": f"http://127.0.0.1:{port}",
        "ROS_LOG_DIR": str(tmp_path / "log"),
    }
    with (tmp_path / "roslaunch.log").open("w") as log:
        process = subprocess.Popen(
            ["roslaunch", f"--port={port}", *launch_file.split(), *arguments],
            env={**env, RUN_ID: str(tmp_path)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until(lambda: _listens(port), "the ROS master")
            yield env
            process.wait(PATIENCE_S)
        finally:
            end_run(str(tmp_path))
            process.wait(PATIENCE_S)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lockstep(folder: Path, **values: object) -> Result:
    """A few simulated seconds of the default model."""
    asked = {"clock": "lockstep", "latency": "fixed:30", "timeout": 4.0, "output": str(folder)}
    result = drive(RunSpec.parse({**asked, **values}), lambda _: None)[1]
    assert result.outcome == "timeout", result.outcome_reason
    return result


def frames_of(bag: Path, topic: str) -> dict[int, Any]:
    """The messages of a topic by their stamp, nanoseconds."""
    with AnyReader([bag]) as reader:
        connections = [c for c in reader.connections if c.topic == topic]
        messages = [
            cast(Any, reader.deserialize(raw, connection.msgtype))
            for connection, _, raw in reader.messages(connections)
        ]
    stamps = [m.header.stamp.sec * 1_000_000_000 + m.header.stamp.nanosec for m in messages]
    assert len(set(stamps)) == len(stamps), "a frame came twice"
    return dict(zip(stamps, messages, strict=True))


def test_the_commands_are_the_same_by_shared_memory_and_by_the_topic(tmp_path: Path) -> None:
    by_memory = lockstep(tmp_path / "memory")
    text = (project_root() / "launch" / "circuit.launch").read_text()
    by_topic = tmp_path / "by_topic.launch"
    by_topic.write_text(
        text.replace('name="frames" value="segment"', 'name="frames" value="topic"')
    )
    assert by_topic.read_text() != text
    asked = [a for a in by_memory.spec.launch_arguments() if not a.startswith("output:=")]  # type: ignore[union-attr]
    with launched(tmp_path, str(by_topic), *asked, f"output:={tmp_path / 'topic'}"):
        pass
    other = read_result(tmp_path / "topic")
    assert by_memory.commands_sha256 and by_memory.commands_sha256 == other.commands_sha256
    assert by_memory.odometry_sha256 == other.odometry_sha256


def test_others_get_every_frame_of_the_topic(tmp_path: Path) -> None:
    arguments = (f"model:={STANDING}", "timeout:=2.5", f"output:={tmp_path / 'run'}")
    with (
        launched(tmp_path, "harness circuit.launch", *arguments) as env,
        (tmp_path / "heard").open("w") as heard,
    ):
        subscriber = [sys.executable, "-c", _SUBSCRIBER]
        recorder = ["rosbag", "record", "-O", str(tmp_path / "a.bag"), topics.CAMERA]
        others = [
            subprocess.Popen(command, env=env, stdout=heard) for command in (subscriber, recorder)
        ]
        wait_until((tmp_path / "run" / "result.json").exists, "the run's end")
        for other in others:
            other.send_signal(signal.SIGINT)
            other.wait(PATIENCE_S)
    assert read_result(tmp_path / "run").outcome in ("timeout", "stuck")
    answered = sorted(frames_of(tmp_path / "run" / "run.bag", topics.ITERATIONS))
    # Both may have come after the first frames; from then on none is missing.
    for stamps in (
        [int(word) for word in (tmp_path / "heard").read_text().split() if word.isdigit()],
        sorted(frames_of(tmp_path / "a.bag", topics.CAMERA)),
    ):
        assert set(np.diff(stamps)) == {PERIOD_NS}
        assert stamps[0] < answered[-1] <= stamps[-1]


def test_a_run_that_is_killed_leaves_no_segment(tmp_path: Path) -> None:
    address = tmp_path / "address"
    shared = sorted(Path("/dev/shm").iterdir())
    arguments = ("clock:=lockstep", "latency:=fixed:5", f"output:={tmp_path / 'run'}")
    with launched(tmp_path, "harness circuit.launch", *arguments) as env:
        command = ["rostopic", "echo", "-n", "1", "-p", topics.SEGMENT]
        with address.open("w") as file:
            subprocess.run(command, env=env, stdout=file, check=True, timeout=PATIENCE_S)
        name = address.read_text().split()[-1].split(",")[-1]
        assert f"@{name}" in Path("/proc/net/unix").read_text().split()
        while left := processes_of_run(str(tmp_path)):
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.05)
    # The kernel takes a process's name from the list before it closes what it held.
    wait_until(lambda: f"@{name}" not in Path("/proc/net/unix").read_text(), "the socket's end")
    assert sorted(Path("/dev/shm").iterdir()) == shared


def pictures(folder: Path, antialiasing: int) -> dict[int, Pixels]:
    """What the camera of a short drive saw: RGB by stamp."""
    lockstep(folder, antialiasing=antialiasing, record_camera=True, timeout=0.5)
    assert read_result(folder).spec.antialiasing == antialiasing  # type: ignore[union-attr]
    frames = frames_of(folder / "run.bag", topics.COMPRESSED_CAMERA)
    return {
        stamp: cast(Pixels, cv2.imdecode(np.frombuffer(m.data, np.uint8), cv2.IMREAD_COLOR))
        for stamp, m in frames.items()
    }


def test_without_antialiasing_the_edges_alone_differ_and_each_time_the_same(
    tmp_path: Path,
) -> None:
    smooth = pictures(tmp_path / "smooth", 4)
    hard, again = (pictures(tmp_path / name, 0) for name in ("hard", "again"))
    assert len(hard) >= 8
    assert all((hard[stamp] == again[stamp]).all() for stamp in hard)
    first = min(hard)  # before any command: the car stands where it stands
    a, b = smooth[first], hard[first]
    different = (a != b).any(axis=2)
    # Where a picture without samples changes from a pixel to its neighbour, there is an edge.
    kernel = np.ones((3, 3), np.uint8)
    near_edge = (cv2.dilate(b, kernel) != cv2.erode(b, kernel)).any(axis=2)
    assert 0.001 < different.mean() < 0.1
    assert (different & ~near_edge).sum() <= 0.01 * different.sum()
    # Many colours blend into each other at the edges of one picture, at those of the other none.
    colours = [len(np.unique(picture.reshape(-1, 3), axis=0)) for picture in (a, b)]
    assert colours[0] > 3 * colours[1]
