"""Batches in a real Gazebo, and everything that may end them."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.batch.attempt import ATTEMPTS, carry_out
from harness.batch.jobs import Job, expand
from harness.batch.plan import read_plan
from harness.errors import UnavailableError
from harness.recording.results import Result, read_result
from harness.run.processes import processes_of_run, processes_of_runs_in
from harness.spec.latency import read_profile
from harness.study.chaos import small_disk
from harness.study.faults import Trouble, fill, send, stop_the_clock

pytestmark = [pytest.mark.sim, pytest.mark.timeout(300)]

MODULE = "tests.sim.brains_for_tests"
PATIENCE_S = 60.0  # nothing is asserted about wall time; this only ends a test that hangs
SMALL = "image_width: 320\nimage_height: 240\n"


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"gave up waiting: {what}"
        time.sleep(0.02)


def write_plan(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(SMALL + text)
    return path


def batch(plan: Path, output: Path, *options: str) -> "subprocess.Popen[str]":
    """`harness batch`, as a user starts it."""
    code = "from harness.cli.main import main; main()"
    command = [sys.executable, "-c", code, "batch", str(plan), "--output", str(output), *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )


def results_in(output: Path) -> dict[str, Result]:
    return {path.parent.name: read_result(path) for path in output.glob("*/result.json")}


def job_of(tmp_path: Path, text: str) -> Job:
    (job,) = expand(read_plan(write_plan(tmp_path, text)), tmp_path / "out").jobs
    return job


@pytest.fixture
def three_runs(short_circuit: str, tmp_path: Path) -> Path:
    """A plan of three short runs in lockstep: all end by the limit of simulated time."""
    text = f"models: [explicit]\ncircuits: [{short_circuit}]\nrepetitions: 3\nlatency: fixed:20\n"
    return write_plan(tmp_path, text + "timeout_s: 6\n")


def test_killed_at_a_random_moment_it_goes_on_and_parallel_runs_drive_the_same_laps(
    three_runs: Path, tmp_path: Path
) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with batch(three_runs, killed, "--jobs", "3") as first:
        wait_until(lambda: bool(processes_of_runs_in(killed)), "the first process")
        moment_s = random.uniform(0.0, 20.0)
        print(f"killed {moment_s:.2f} s after its first process")
        time.sleep(moment_s)
        first.kill()
    wait_until(lambda: not processes_of_runs_in(killed), "the end of every process of the batch")
    before = {path: path.stat() for path in killed.glob("*/result.json")}
    done = {p: s for p, s in before.items() if read_result(p).judged}
    with batch(three_runs, killed, "--jobs", "3") as second:
        printed, _ = second.communicate()
    assert second.returncode == 0, printed
    for path, stat in done.items():
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
        assert not (path.parent / ATTEMPTS).exists()
    for path in killed.glob(f"*/{ATTEMPTS}/*/result.json"):
        assert read_result(path).outcome == "harness_error"
    with batch(three_runs, whole, "--jobs", "1") as alone:
        printed, _ = alone.communicate()
    assert alone.returncode == 0, printed
    together = {name: result.odometry_sha256 for name, result in results_in(killed).items()}
    one_by_one = {name: result.odometry_sha256 for name, result in results_in(whole).items()}
    assert together == one_by_one
    assert len(set(together.values())) == 3  # each repetition starts elsewhere
    assert None not in together.values()


def test_results_of_driving_and_of_a_broken_brain_are_not_driven_again(
    short_circuit: str, tmp_path: Path
) -> None:
    models = ["explicit", f"{MODULE}:Backwards", f"{MODULE}:Dying"]
    text = f"circuits: [{short_circuit}]\nprofiles: {tmp_path}/profiles\nruns:\n"
    text += "  - {models: [explicit], latency: profile}\n"
    text += f"  - {{models: {models[1:]}, latency: fixed:5}}\n"
    with batch(write_plan(tmp_path, text), tmp_path / "out", "--jobs", "3", "--json") as run:
        printed, _ = run.communicate()
    assert run.returncode == 6, printed
    outcomes = {result.model: result.outcome for result in results_in(tmp_path / "out").values()}
    assert outcomes == dict(zip(models, ["completed", "wrong_way", "brain_error"], strict=True))
    assert not list((tmp_path / "out").glob(f"*/{ATTEMPTS}"))
    # The model without a profile was measured first.
    latencies_s = read_profile(tmp_path / "profiles" / "explicit.json")
    assert len(latencies_s) == 300


def test_stopped_by_the_user_it_leaves_nothing_behind(three_runs: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    with batch(three_runs, output) as run:
        wait_until(lambda: bool(list(output.glob("*/run.bag"))), "a run")
        run.send_signal(signal.SIGINT)
        printed, _ = run.communicate()
    assert run.returncode == 130
    assert "the same command goes on" in printed
    assert processes_of_runs_in(output) == []


def test_a_harness_error_is_driven_again(short_circuit: str, tmp_path: Path) -> None:
    job = job_of(tmp_path, f"models: [explicit]\ncircuits: [{short_circuit}]\nlatency: fixed:5\n")
    trouble = Trouble(str(job.folder), send(signal.SIGKILL, "gzserver"))
    assert carry_out(job, trouble).outcome == "completed"
    failed = job.folder / ATTEMPTS / "1"
    assert read_result(failed).outcome == "harness_error"
    assert (failed / "run.bag").exists()
    assert (failed / "logs" / "roslaunch.log").exists()
    assert any("attempt 1 of 3: harness_error" in line for line in trouble.lines)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (send(signal.SIGKILL, "rosmaster"), ""),
        (send(signal.SIGSTOP, "gzserver"), "stood still"),
        (stop_the_clock, "stood still"),
    ],
    ids=["roscore killed", "simulator hung", "clock stopped"],
)
def test_trouble_of_the_harness_up_to_the_limit(
    short_circuit: str, tmp_path: Path, make: Callable[[str], None], reason: str
) -> None:
    text = f"models: [explicit]\ncircuits: [{short_circuit}]\nclock: realtime\nretries: 0\n"
    job = job_of(tmp_path, text)
    result = carry_out(job, Trouble(str(job.folder), make))
    assert (result.outcome, reason in result.outcome_reason) == ("harness_error", True), result
    assert result.progress_m is not None
    assert processes_of_run(str(job.folder)) == []
    assert not (job.folder / ATTEMPTS).exists()


def test_an_unclosed_bag_is_recovered_and_marked(short_circuit: str, tmp_path: Path) -> None:
    # The camera fills a chunk of the bag every few seconds: what was in whole chunks can be read.
    text = f"models: [explicit]\ncircuits: [{short_circuit}]\nlatency: fixed:5\nlaps: 9\n"
    job = job_of(tmp_path, text + "record_camera: true\nretries: 0\n")

    def kill_the_recorder(_line: str) -> None:
        bag = job.folder / "run.bag"
        if bag.exists() and bag.stat().st_size > 1 << 20:
            send(signal.SIGKILL, "stats_node.py")(str(job.folder))

    result = carry_out(job, kill_the_recorder)
    assert result.outcome == "harness_error"
    assert result.bag_recovered
    assert result.progress_m is not None and result.progress_m > 10.0
    assert result == read_result(job.folder)


def test_a_run_that_takes_too_long_is_ended(short_circuit: str, tmp_path: Path) -> None:
    text = f"models: [explicit]\ncircuits: [{short_circuit}]\nclock: realtime\nretries: 0\n"
    job = job_of(tmp_path, text + "wall_timeout_s: 12\n")
    result = carry_out(job, lambda _: None)
    assert result.outcome == "harness_error"
    assert result.outcome_reason == "took longer than wall_timeout_s, 12 s"
    assert processes_of_run(str(job.folder)) == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB."""
    with ExitStack() as stack:
        try:
            mounted = stack.enter_context(small_disk(tmp_path))
        except UnavailableError as error:
            pytest.skip(str(error))
        yield mounted


def test_a_full_disk_stops_the_batch_with_one_line(three_runs: Path, disk: Path) -> None:
    output = disk / "out"

    def fill_later() -> None:
        wait_until(lambda: len(list(output.glob("*/result.json"))) == 1, "the first result")
        wait_until(lambda: len(list(output.glob("*/run.bag"))) == 2, "the second run")
        fill(disk)("")

    filler = threading.Thread(target=fill_later)
    with batch(three_runs, output, "--jobs", "1") as run:
        filler.start()
        printed, _ = run.communicate()
    filler.join()
    assert run.returncode == 7, printed
    assert printed.strip().splitlines()[-1].startswith("error: "), printed
    assert "No space left on device" in printed.strip().splitlines()[-1]
    assert processes_of_runs_in(output) == []
    (first,) = results_in(output).values()
    assert first.outcome == "timeout"
    (disk / "ballast").unlink()
    with batch(three_runs, output, "--jobs", "1") as run:
        printed, _ = run.communicate()
    assert run.returncode == 0, printed
    assert len(results_in(output)) == 3
