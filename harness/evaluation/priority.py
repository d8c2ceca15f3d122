"""Real-time priority, so that other programs on the machine hardly disturb what is being timed."""

import os
from pathlib import Path

from harness.errors import UnavailableError


def check_priority() -> None:
    """See whether this machine grants real-time priority.

    Raises:
        UnavailableError: It does not.
    """
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        os.sched_setscheduler(0, policy, param)
    except PermissionError as error:
        raise UnavailableError(
            "real-time priority is not granted here: run as root, or leave --priority out"
        ) from error


def take_priority() -> None:
    """Give real-time priority to all threads of this process."""
    # Round robin: of several spin-waiting threads on one core none can starve the others.
    for task in Path("/proc/self/task").iterdir():
        os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(1))
