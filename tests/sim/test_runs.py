"""Real runs in a real Gazebo: every way in which one can end."""

import json
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from rosbags.highlevel import AnyReader

from brains.artifacts import weights_dir
from harness.errors import UnavailableError
from harness.recording.bag_metrics import measure_bag
from harness.recording.log import read_run_log
from harness.recording.results import Result, read_result
from harness.run.drive import drive
from harness.run.processes import RUN_ID, processes_of_run
from harness.run.simulator import free_port
from harness.spec.recorded import CIRCUIT_DRIVEN
from harness.spec.run import RunSpec
from harness.study.faults import pids_of

pytestmark = pytest.mark.sim

MODULE = "tests.sim.brains_for_tests"
CAMERA = "/F1ROS/cameraL/image_raw/compressed"


def run(tmp_path: Path, **values: object) -> tuple[Path, Result, list[str]]:
    lines: list[str] = []
    spec = RunSpec.parse({"output": str(tmp_path / "run"), **values})
    folder, result = drive(spec, lines.append, run_id=str(tmp_path))
    assert processes_of_run(str(tmp_path)) == []
    assert result == read_result(folder)
    return folder, result, lines


def test_a_lap_of_the_default_model(tmp_path: Path) -> None:
    folder, result, lines = run(tmp_path, record_camera=True)
    assert result.outcome == "completed", result.outcome_reason
    assert result.laps == 1
    assert result.lap_time_s is not None and 20.0 < result.lap_time_s < 75.0
    assert result.average_speed_m_s is not None and result.average_speed_m_s > 6.0
    assert result.deviation_mae_m is not None and result.deviation_mae_m < 0.4
    assert result.images_per_sim_s == pytest.approx(20.0, abs=0.1)
    assert result.brain_proof["artifact_sha256"] == result.provenance.model_sha256
    assert any("lap 1/1" in line for line in lines)
    assert (folder / "command.sh").read_text().startswith("roslaunch harness circuit.launch")
    with AnyReader([folder / "run.bag"]) as reader:
        counts = {topic: info.msgcount for topic, info in reader.topics.items()}
    assert counts["/F1ROS/odom"] > 20 * result.lap_time_s
    assert counts["/brain/iteration"] > 15 * result.lap_time_s
    assert counts[CAMERA] > 15 * result.lap_time_s
    assert counts["/metadata"] == counts["/experiment_metrics"] == 1
    written = json.loads((folder / "result.json").read_text())
    metadata = dict(read_run_log(folder / "run.bag").metadata)
    assert metadata.pop(CIRCUIT_DRIVEN)["name"] == "simple_circuit"
    assert metadata == written["spec"]
    assert written["command"] == (folder / "command.sh").read_text().strip()
    assert answered_last(folder) in stamps(folder, CAMERA)
    # Whoever finds a result finds a closed bag beside it.
    times_ns = [(folder / name).stat().st_mtime_ns for name in ("run.bag", "result.json")]
    assert times_ns == sorted(times_ns)
    measured = measure_bag(folder / "run.bag")
    assert measured.different == ()
    assert measured.recorded["odometry_sha256"] == result.odometry_sha256


def stamps(folder: Path, topic: str) -> set[int]:
    """Simulated times of a topic's messages, nanoseconds."""
    with AnyReader([folder / "run.bag"]) as reader:
        connections = [c for c in reader.connections if c.topic == topic]
        found = (
            cast(Any, reader.deserialize(raw, connection.msgtype)).header.stamp
            for connection, _, raw in reader.messages(connections)
        )
        return {stamp.sec * 1_000_000_000 + stamp.nanosec for stamp in found}


def answered_last(folder: Path) -> int:
    """Simulated time of the last frame that the brain answered."""
    return max(stamps(folder, "/brain/iteration"))


def test_in_lockstep_too_the_last_answer_has_its_frame(tmp_path: Path) -> None:
    folder, result, _ = run(
        tmp_path, record_camera=True, clock="lockstep", latency="fixed:20", timeout=5.0
    )
    assert (result.outcome, result.frames_used) == ("timeout", 100)
    # Lockstep is faster than the frames can be packed: they come long after the finish.
    assert answered_last(folder) in stamps(folder, CAMERA)


def roslaunch(tmp_path: Path, port: int, *arguments: str) -> subprocess.Popen[str]:
    """Starts the launch file as a user does, without `harness lap` round it."""
    env = {
        **os.environ,
        RUN_ID: str(tmp_path),
        "ROS_MASTER_URI": f"http://127.0.0.1:{port}",
        "ROS_LOG_DIR": str(tmp_path / "log"),
    }
    return subprocess.Popen(
        ["roslaunch", f"--port={port}", "harness", "circuit.launch", *arguments],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_roslaunch_alone_ends_by_itself_with_exit_code_0(tmp_path: Path) -> None:
    output = tmp_path / "standing"
    with roslaunch(
        tmp_path, free_port(), f"model:={MODULE}:Standing", f"output:={output}"
    ) as process:
        printed, _ = process.communicate(timeout=180)
    assert process.returncode == 0, printed[-2000:]
    assert read_result(output).outcome == "stuck"
    assert processes_of_run(str(tmp_path)) == []


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (["circuit:=monza"], "simple_circuit"),
        (["model:=tftrt_fp64"], "tflite_dynamic"),
        (["laps:=0"], "laps"),
    ],
)
def test_roslaunch_with_an_unknown_name_says_what_is_known(
    tmp_path: Path, arguments: list[str], known: str
) -> None:
    with roslaunch(tmp_path, free_port(), *arguments) as process:
        printed, _ = process.communicate(timeout=120)
    assert process.returncode == 2, printed[-2000:]
    errors = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert known in errors[0]
    assert processes_of_run(str(tmp_path)) == []


def test_a_second_run_on_the_same_master_leaves_the_first_alone(tmp_path: Path) -> None:
    port, first, second = free_port(), tmp_path / "first", tmp_path / "second"
    with roslaunch(tmp_path, port, "model:=explicit", f"output:={first}", "timeout:=15") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "lap 1/1" in line:
                break
        with roslaunch(tmp_path, port, f"output:={second}") as refused:
            printed, _ = refused.communicate(timeout=60)
        process.communicate(timeout=120)
    assert refused.returncode == 2, printed[-2000:]
    assert "another run is live" in printed
    assert not second.exists()
    assert process.returncode == 0
    assert read_result(first).outcome == "timeout"


@pytest.mark.parametrize(
    ("brain", "outcome", "reason"),
    [
        ("Standing", "stuck", "less than 0.5 m"),
        ("Backwards", "wrong_way", "back"),
        ("Dying", "brain_error", "died"),
        ("Hanging", "brain_error", "answered no frame"),
        ("Raising", "brain_error", "tensor shapes do not match"),
    ],
)
def test_a_brain_that_misbehaves(tmp_path: Path, brain: str, outcome: str, reason: str) -> None:
    _, result, _ = run(tmp_path, model=f"{MODULE}:{brain}")
    assert (result.outcome, reason in result.outcome_reason) == (outcome, True), result


def test_a_car_that_leaves_the_track(tmp_path: Path) -> None:
    _, result, _ = run(tmp_path, model="null")
    assert result.outcome == "off_track"
    assert result.progress_m is not None and result.progress_m > 10.0
    assert result.lap_time_s is None


def test_a_dead_network_does_not_go_on_driving(tmp_path: Path) -> None:
    folder, _, _ = run(tmp_path, model=f"{MODULE}:Hanging")
    with AnyReader([folder / "run.bag"]) as reader:
        connections = [c for c in reader.connections if c.topic == "/F1ROS/odom"]
        xs = [
            cast(Any, reader.deserialize(raw, connection.msgtype)).pose.pose.position
            for connection, _, raw in reader.messages(connections)
        ]
    half_a_second = 25
    last, earlier = xs[-1], xs[-1 - half_a_second]
    assert abs(last.x - earlier.x) + abs(last.y - earlier.y) < 0.01


def test_the_simulator_killed_mid_lap(tmp_path: Path) -> None:
    killed = threading.Event()
    lines: list[str] = []

    def kill_when_driving(line: str) -> None:
        lines.append(line)
        if sum("lap 1/1" in seen for seen in lines) > 3 and not killed.is_set():
            for pid in pids_of(str(tmp_path), "gzserver"):
                os.kill(pid, signal.SIGKILL)
                killed.set()

    spec = RunSpec.parse({"model": "explicit", "output": str(tmp_path / "run")})
    folder, result = drive(spec, kill_when_driving, run_id=str(tmp_path))
    assert killed.is_set()
    assert result.outcome == "harness_error"
    assert result.progress_m is not None  # what was driven before is in the bag
    assert (folder / "run.bag").exists()
    assert processes_of_run(str(tmp_path)) == []


def test_a_broken_model_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(weights_dir(), weights)
    model = weights / "pilotnet_dynamic.tflite"
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 0xFF
    model.write_bytes(data)
    monkeypatch.setenv("PITWALL_WEIGHTS", str(weights))
    _, result, _ = run(tmp_path)
    assert result.outcome == "brain_error"
    assert "pilotnet_dynamic.tflite" in result.outcome_reason


def test_a_missing_model_file_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITWALL_WEIGHTS", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"pilotnet_dynamic\.tflite"):
        run(tmp_path)
    assert not (tmp_path / "run").exists()
