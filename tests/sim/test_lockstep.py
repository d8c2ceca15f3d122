"""Lockstep in a real Gazebo: a result that does not depend on the machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.recording.results import Result
from harness.run.drive import drive
from harness.spec.run import RunSpec
from harness.study.faults import pids_of

pytestmark = pytest.mark.sim


def lap(circuit: str, output: Path, latency: str = "fixed:40", seed: int = 0) -> Result:
    """One lap of the red line follower in lockstep."""
    values = {
        "model": "explicit",
        "circuit": circuit,
        "clock": "lockstep",
        "latency": latency,
        "seed": seed,
        "output": str(output),
    }
    return drive(RunSpec.parse(values), lambda _: None)[1]


def fingerprint(result: Result) -> tuple[object, ...]:
    """All of a lap that must be the same bit for bit: line, frames, commands, figures."""
    assert result.outcome == "completed", result.outcome_reason
    assert result.odometry_sha256 and result.commands_sha256
    return (
        result.odometry_sha256,
        result.commands_sha256,
        result.lap_time_s,
        result.deviation_mae_m,
        result.frames_used,
        result.frames_missed,
    )


def test_the_same_lap_alone_and_three_in_parallel(short_circuit: str, tmp_path: Path) -> None:
    alone = fingerprint(lap(short_circuit, tmp_path / "alone"))
    with ThreadPoolExecutor(3) as pool:
        folders = [tmp_path / f"parallel-{index}" for index in range(3)]
        together = list(pool.map(lambda folder: lap(short_circuit, folder), folders))
    assert [fingerprint(result) for result in together] == [alone] * 3


@pytest.fixture
def busy_core() -> Iterator[None]:
    """A process that computes without end."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield
        process.kill()


def test_a_profile_and_its_seed_are_the_lap_beside_a_busy_core_too(
    short_circuit: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    profile = tmp_path / "board.json"
    profile.write_text(json.dumps({"latency_ms": [3.0, 30.0, 60.0, 90.0]}))
    latency = f"profile:{profile}"
    alone = fingerprint(lap(short_circuit, tmp_path / "alone", latency, seed=1))
    request.getfixturevalue("busy_core")
    assert fingerprint(lap(short_circuit, tmp_path / "busy", latency, seed=1)) == alone
    assert fingerprint(lap(short_circuit, tmp_path / "other", latency, seed=2)) != alone


def test_latency_changes_the_lap_and_costs_frames(short_circuit: str, tmp_path: Path) -> None:
    quick = lap(short_circuit, tmp_path / "quick", "fixed:0")
    slow = lap(short_circuit, tmp_path / "slow", "fixed:110")
    assert quick.frames_missed == 0
    assert slow.frames_missed and slow.frames_used
    assert slow.frames_missed > slow.frames_used  # 110 ms: two of three frames find it busy
    assert slow.camera_to_command_ms_median == pytest.approx(110.0, abs=0.01)
    assert quick.odometry_sha256 != slow.odometry_sha256


def test_a_simulator_that_stalls_is_a_harness_error(short_circuit: str, tmp_path: Path) -> None:
    stopped: list[int] = []

    def stop_when_driving(line: str) -> None:
        # Before the first frame, at 0 %, much longer would be waited.
        if "lap 1/1" in line and " 0%" not in line and not stopped:
            for pid in pids_of(str(tmp_path), "gzserver"):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)

    values = {"model": "explicit", "circuit": short_circuit, "clock": "lockstep"}
    spec = RunSpec.parse({**values, "output": str(tmp_path / "run")})
    _, result = drive(spec, stop_when_driving, run_id=str(tmp_path))
    assert stopped
    assert result.outcome == "harness_error"
    assert "stood still" in result.outcome_reason
    assert not pids_of(str(tmp_path), "gzserver")


def test_a_brain_that_connects_late_gets_the_first_frame(
    short_circuit: str, tmp_path: Path
) -> None:
    values = {
        "model": "tests.sim.brains_for_tests:Late",
        "circuit": short_circuit,
        "clock": "lockstep",
        "latency": "fixed:5",
        "timeout": 0.5,
        "output": str(tmp_path / "late"),
    }
    result = drive(RunSpec.parse(values), lambda _: None)[1]
    assert result.outcome == "timeout", result.outcome_reason
    assert (result.frames_used, result.frames_missed) == (10, 0)
