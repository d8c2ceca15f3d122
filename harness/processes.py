"""Ending exactly the processes of one run, however they were started."""

import ctypes
import os
import signal
import time
from pathlib import Path

RUN_ID = "PITWALL_RUN_ID"
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Asks the kernel to end this process when its parent dies (roslaunch killed by -9, say)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def processes_of_run(run_id: str) -> list[int]:
    """Process ids whose environment carries this run's id, zombies left out.

    roslaunch starts every node in a session of its own, so that no process group holds a run:
    the inherited environment does.
    """
    marker = f"{RUN_ID}={run_id}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if marker in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def end_run(run_id: str, patience_s: float = 3.0) -> None:
    """Ends what is left of a run: SIGTERM, then SIGKILL for what ignores it.

    Args:
        run_id: value of $PITWALL_RUN_ID in the environment of the run's processes.
        patience_s: how long SIGTERM is given.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in processes_of_run(run_id):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline_s = time.monotonic() + patience_s
        while processes_of_run(run_id):
            if time.monotonic() > deadline_s:
                break
            time.sleep(0.05)
        else:
            return
