"""Replays with a real brain node, and recordings in the hands of ROS's own tools."""

import csv
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import rosbag

from harness import topics
from harness.errors import BrainError, PitwallError
from harness.replay.drive import replay
from harness.replay.result import ReplayResult, read_replay
from harness.run.drive import drive
from harness.run.processes import RUN_ID, processes_of_run
from harness.run.simulator import free_port
from harness.spec.replay import ReplaySpec
from harness.spec.run import RunSpec
from tests.harness.camerabag import random_frames, write_camera_bag

pytestmark = pytest.mark.sim

MODULE = "tests.sim.brains_for_tests"
FRAMES = 45


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of noise: every one another."""
    return write_camera_bag(tmp_path_factory.mktemp("noise") / "a.bag", random_frames(FRAMES))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds of a real run, with its camera; in lockstep the brain tells what it saw."""
    values = {"timeout": 4.0, "record_camera": True, "clock": "lockstep", "latency": "fixed:30"}
    output = str(tmp_path_factory.mktemp("real") / "run")
    folder, result = drive(RunSpec.parse({**values, "output": output}), lambda _: None)
    assert result.outcome == "timeout", result.outcome_reason
    return folder


def replayed(tmp_path: Path, bag: Path, model: str, **values: object) -> tuple[ReplayResult, str]:
    """A replay's result and the content of its table."""
    asked = {"bag": str(bag), "model": model, "output": str(tmp_path / "replay"), **values}
    folder, result = replay(ReplaySpec.parse(asked), lambda _: None, run_id=str(tmp_path))
    assert processes_of_run(str(tmp_path)) == []
    return result, (folder / "replay.csv").read_text()


def messages(recording: Path, topic: str) -> list[Any]:
    """What a recording's bag holds on a topic."""
    with rosbag.Bag(str(recording / "run.bag")) as bag:
        return [message for _, message, _ in bag.read_messages(topics=[topic])]


def test_every_frame_once_and_in_order_however_slow_the_model_and_the_replay(
    tmp_path: Path, bag: Path
) -> None:
    paces = {
        "fast": (f"{MODULE}:Remembering", 0.0),
        "slow": (f"{MODULE}:RememberingSlowly", 0.0),
        "held back": (f"{MODULE}:Remembering", 25.0),
    }
    results, tables = zip(
        *(
            replayed(tmp_path / name, bag, model, rate=rate)
            for name, (model, rate) in paces.items()
        ),
        strict=True,
    )
    assert [result.frames_answered for result in results] == [FRAMES] * 3
    assert len({result.commands_sha256 for result in results}) == 1
    assert len(set(tables)) == 1
    rows = [line.split(",") for line in tables[0].splitlines()[1:]]
    assert [int(row[1]) for row in rows] == [50_000_000 * (i + 1) for i in range(FRAMES)]


def test_the_same_model_answers_what_it_answered_when_it_drove(
    tmp_path: Path, recording: Path
) -> None:
    result, table = replayed(tmp_path, recording, "tflite_dynamic")
    assert result.frame_compression == "png"
    assert result.recorded_model == "tflite_dynamic"
    assert result.frames_compared > 40
    assert result.commands_equal == result.frames_compared
    assert result.v_max_m_s == result.w_max_rad_s == 0.0
    seen = {
        (iteration.header.stamp.to_nsec(), f"{iteration.frame_crc32:08x}")
        for iteration in messages(recording, topics.ITERATIONS)
    }
    rows = [row for row in csv.DictReader(table.splitlines()) if row["recorded_v_m_s"]]
    assert {(int(row["stamp_ns"]), row["frame_crc32"]) for row in rows} <= seen


def test_another_model_answers_something_else(tmp_path: Path, recording: Path) -> None:
    result, _ = replayed(tmp_path, recording, "explicit")
    assert result.frames_answered == result.frames_recorded
    assert result.commands_equal == 0
    assert result.v_mae_m_s is not None and result.v_mae_m_s > 0.1
    assert result.v_p95_m_s is not None and result.v_p95_m_s >= result.v_mae_m_s


@pytest.mark.parametrize(
    ("brain", "reason", "patience"),
    [
        ("Dying", "died at frame 38 of 45", 300.0),
        ("Hanging", r"did not answer frame \d+ of 45 within 5 s", 5.0),
        ("Raising", "tensor shapes do not match", 300.0),
    ],
)
def test_a_brain_that_misbehaves(
    tmp_path: Path, bag: Path, brain: str, reason: str, patience: float
) -> None:
    with pytest.raises(BrainError, match=reason) as caught:
        replayed(tmp_path, bag, f"{MODULE}:{brain}", patience=patience)
    assert "\n" not in str(caught.value)
    assert processes_of_run(str(tmp_path)) == []
    assert not (tmp_path / "replay" / "replay.json").exists()


def roslaunch(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The launch file as a user calls it, from a folder of his own."""
    port = free_port()
    env = {
        **os.environ,
        RUN_ID: str(tmp_path),
        "ROS_MASTER_URI": f"http://127.0.0.1:{port}",
        "ROS_LOG_DIR": str(tmp_path / "log"),
    }
    done = subprocess.run(
        ["roslaunch", f"--port={port}", "harness", "replay.launch", *arguments],
        env=env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    assert processes_of_run(str(tmp_path)) == []
    return done


def test_roslaunch_alone_takes_paths_from_where_it_is_called(tmp_path: Path, bag: Path) -> None:
    (tmp_path / "mine").symlink_to(bag.parent)
    done = roslaunch(tmp_path, "bag:=mine/a.bag", "model:=null", "output:=here")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "45 of 45 frames replayed" in done.stdout
    assert read_replay(tmp_path / "here").model == "null"
    command = (tmp_path / "here" / "command.sh").read_text()
    assert command.startswith("roslaunch harness replay.launch bag:=")


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["model:=null"], 2, "bag:="),
        (["bag:=BAG", "model:=tftrt_fp64"], 2, "tflite_dynamic"),
        (["bag:=/nowhere.bag"], 3, "/nowhere.bag"),
        (["bag:=CUT", "model:=null"], 3, "truncated"),
    ],
)
def test_roslaunch_says_in_one_line_what_is_wrong(
    tmp_path: Path, bag: Path, arguments: list[str], code: int, word: str
) -> None:
    cut = tmp_path / "cut.bag"
    cut.write_bytes(bag.read_bytes()[:100_000])
    names = {"BAG": str(bag), "CUT": str(cut)}
    given = [":=".join(names.get(part, part) for part in text.split(":=")) for text in arguments]
    done = roslaunch(tmp_path, *given)
    assert done.returncode == code, done.stdout[-2000:]
    errors = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert word in errors[0]


def test_the_command_keeps_the_exit_code_and_the_line(tmp_path: Path, bag: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "pilotnet_dynamic.tflite").write_bytes(b"no model")
    os.environ["PITWALL_WEIGHTS"] = str(weights)
    try:
        with pytest.raises(PitwallError, match=r"pilotnet_dynamic\.tflite") as caught:
            replayed(tmp_path, bag, "tflite_dynamic")
    finally:
        del os.environ["PITWALL_WEIGHTS"]
    assert caught.value.exit_code == 3


def arrays(topic: str) -> list[str]:
    """A picture as numbers would be pages of text."""
    return ["--noarr"] if "camera" in topic else []


@contextmanager
def ros_master(folder: Path) -> Iterator[dict[str, str]]:
    """A roscore of its own; gives the environment that leads to it."""
    port = free_port()
    env = {
        **os.environ,
        "ROS_MASTER_URI": f"http://127.0.0.1:{port}",
        "ROS_LOG_DIR": str(folder / "log"),
    }
    with (folder / "roscore.log").open("w") as log:
        core = subprocess.Popen(
            ["roscore", "-p", str(port)], env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        command = ["rosparam", "set", "/use_sim_time", "true"]
        while subprocess.run(command, env=env, capture_output=True, check=False).returncode:
            assert core.poll() is None, (folder / "roscore.log").read_text()
            time.sleep(0.2)
        yield env
    finally:
        core.send_signal(signal.SIGINT)
        core.wait(timeout=30)


def test_rosbag_play_and_rostopic_work_on_a_recording(tmp_path: Path, recording: Path) -> None:
    told = {
        "/F1ROS/cameraL/image_raw/compressed": "png compressed",
        "/F1ROS/odom": 'child_frame_id: "base_link"',
        "/clock": "clock:",
        "/tf": 'child_frame_id: "base_link"',
        "/tf_static": 'child_frame_id: "camera_left"',
    }
    measured = "/F1ROS/cameraL/camera_info"
    play = ["rosbag", "play", "--quiet", "--wait-for-subscribers"]
    counts = {topic: 1 if topic == "/tf_static" else 20 for topic in told}
    with ros_master(tmp_path) as env:
        listeners = {
            topic: subprocess.Popen(
                ["rostopic", "echo", *arrays(topic), "-n", str(counts[topic]), topic],
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for topic in told
        }
        rates = subprocess.Popen(
            ["rostopic", "hz", measured],
            env={**env, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            played = subprocess.run(
                [*play, "--topics", *told, measured, "--bags", str(recording / "run.bag")],
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert played.returncode == 0, played.stderr
            heard = {topic: echo.communicate(timeout=60)[0] for topic, echo in listeners.items()}
        finally:
            for process in (*listeners.values(), rates):
                process.send_signal(signal.SIGINT)
            frequency, _ = rates.communicate(timeout=30)
    for topic, words in told.items():
        assert heard[topic].count("---") == counts[topic], topic
        assert words in heard[topic], heard[topic][:500]
    assert "average rate: " in frequency


def test_a_brain_is_told_of_the_car_alike_in_each_lockstep_run_and_in_a_replay(
    tmp_path: Path,
) -> None:
    model = f"{MODULE}:ToldOfTheCar"
    asked = {"model": model, "timeout": 3.0, "clock": "lockstep", "latency": "fixed:30"}
    runs = []
    for name in ("first", "second"):
        values = {**asked, "record_camera": name == "first", "output": str(tmp_path / name)}
        folder, result = drive(RunSpec.parse(values), lambda _: None)
        assert result.outcome == "timeout", result.outcome_reason
        iterations = messages(folder, topics.ITERATIONS)
        runs.append([(i.header.stamp.to_nsec(), i.v_m_s, i.w_rad_s) for i in iterations])
    first, second = runs
    common = min(len(first), len(second))
    assert first[:common] == second[:common]
    # It moves, and is told so.
    stamp_ns, v_m_s, w_rad_s = first[40]
    assert v_m_s == 1.0 + stamp_ns / 1e9
    assert w_rad_s == pytest.approx(1e-3 * v_m_s, rel=0.2)
    again, _ = replayed(tmp_path, tmp_path / "first" / "run.bag", model)
    assert again.frames_compared > 40
    assert again.commands_equal == again.frames_compared
