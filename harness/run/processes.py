"""Ending exactly the processes of one run, however they were started."""

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

RUN_ID = "PITWALL_RUN_ID"
_PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Asks the kernel to end this process when its parent dies (roslaunch killed by -9, say)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)


def processes_of_run(run_id: str) -> list[int]:
    """Process ids whose environment carries this run's id, zombies and the caller left out.

    roslaunch starts every node in a session of its own, so that no process group holds a run:
    the inherited environment does.
    """
    return _processes(lambda found: found == run_id)


def processes_of_runs_in(folder: Path) -> list[int]:
    """Process ids of a batch, whose runs' ids are its folder and the recordings in it."""
    return _processes(lambda found: Path(found).is_relative_to(folder))


def end_run(run_id: str, patience_s: float = 3.0) -> None:
    """Ends what is left of a run: SIGTERM, then SIGKILL for what ignores it.

    Args:
        run_id: value of $PITWALL_RUN_ID in the environment of the run's processes.
        patience_s: how long SIGTERM is given.
    """
    _end(lambda: processes_of_run(run_id), patience_s)


def end_runs_in(folder: Path, patience_s: float = 3.0) -> None:
    """Ends what is left of a batch, as `end_run` does."""
    _end(lambda: processes_of_runs_in(folder), patience_s)


def _processes(wanted: Callable[[str], bool]) -> list[int]:
    prefix = f"{RUN_ID}=".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            settings = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # ended meanwhile, or another user's
            continue
        values = (entry.removeprefix(prefix) for entry in settings if entry.startswith(prefix))
        if any(wanted(os.fsdecode(value)) for value in values):
            found.append(int(folder.name))
    return found


def _end(find: Callable[[], list[int]], patience_s: float) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in find():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline_s = time.monotonic() + patience_s
        while find():
            if time.monotonic() > deadline_s:
                break
            time.sleep(0.05)
        else:
            return
