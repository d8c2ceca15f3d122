"""What can go wrong with a run from outside, made on purpose: for tests and for chaos.py."""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.recording.results import Outcome
from harness.run.processes import processes_of_run

Make = Callable[[str], None]
"""Makes the trouble in the run of this id."""


@dataclass(frozen=True)
class Fault:
    """A kind of trouble.

    Attributes:
        name: in words.
        make: makes it in a run that drives.
        outcome: how the run must end.
    """

    name: str
    make: Make
    outcome: Outcome


def pids_of(run_id: str, program: str) -> list[int]:
    """Processes of a run that execute a program, or Python with this script."""
    return [pid for pid in processes_of_run(run_id) if program in _command(pid)]


def send(number: signal.Signals, program: str) -> Make:
    """Trouble: a signal to a program of the run."""

    def make(run_id: str) -> None:
        for pid in pids_of(run_id, program):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    return make


def stop_the_clock(run_id: str) -> None:
    """Trouble: the simulator goes on answering, but simulated time stands still."""
    pid = pids_of(run_id, "gzserver")[0]
    settings = Path(f"/proc/{pid}/environ").read_text().split("\0")
    master = next(entry for entry in settings if entry.startswith("ROS_MASTER_URI="))
    command = ["rosservice", "call", "/gazebo/pause_physics"]
    env = {**os.environ, "ROS_MASTER_URI": master.partition("=")[2]}
    subprocess.run(command, env=env, check=True, capture_output=True)


def fill(disk: Path) -> Make:
    """Trouble: the disk of the recording is full.

    Args:
        disk: a small file system of its own.
    """

    def make(_run_id: str) -> None:
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(1 << 16))

    return make


KILLED, HUNG = signal.SIGKILL, signal.SIGSTOP
FAULTS = (
    Fault("gzserver killed", send(KILLED, "gzserver"), "harness_error"),
    Fault("roscore killed", send(KILLED, "rosmaster"), "harness_error"),
    Fault("brain killed", send(KILLED, "brain_node.py"), "brain_error"),
    Fault("stats killed", send(KILLED, "stats_node.py"), "harness_error"),
    Fault("brain hung", send(HUNG, "brain_node.py"), "brain_error"),
    Fault("simulator hung", send(HUNG, "gzserver"), "harness_error"),
    Fault("clock stopped", stop_the_clock, "harness_error"),
)


class Trouble:
    """Takes a run's lines of progress, and makes trouble, once, a second or more after go."""

    def __init__(self, run_id: str, make: Make) -> None:
        self._run_id = run_id
        self._make = make
        self.lines: list[str] = []
        self.made = False

    def __call__(self, line: str) -> None:
        """Takes a line."""
        self.lines.append(line)
        if not self.made and sum("lap 1/1" in seen for seen in self.lines) > 1:
            self.made = True
            self._make(self._run_id)


def _command(pid: int) -> str:
    """A process's command line up to the program or script; empty once it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return ""
    # bash and bwrap hold the whole simulator script in theirs.
    return " ".join(Path(word).name for word in words[:2] if len(word) < 1000)
