"""Looks at the arguments of our launch files before anything is started."""

from collections.abc import Sequence

from harness.spec.launch import LaunchSpec
from harness.spec.replay import ReplaySpec
from harness.spec.run import RunSpec

PACKAGE = "harness"
SPECS: dict[str, type[LaunchSpec]] = {"circuit.launch": RunSpec, "replay.launch": ReplaySpec}


def check_arguments(words: Sequence[str]) -> None:
    """Checks what stands behind ``roslaunch harness FILE``; any other launch file is none of ours.

    Args:
        words: roslaunch's command line.

    Raises:
        UsageError: an unknown name or a value that makes no sense.
        UnavailableError: this machine lacks what the model needs.
    """
    if any(word in ("--help", "-h") or word.startswith("--ros-args") for word in words):
        return
    plain = [word for word in words if not word.startswith("-")]
    if len(plain) < 2 or plain[0] != PACKAGE or plain[1] not in SPECS:
        return
    pairs = (word.partition(":=") for word in plain[2:])
    SPECS[plain[1]].parse_runnable({name: value for name, sign, value in pairs if sign})
