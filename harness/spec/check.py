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
    if not asks_for_ours(words):
        return
    plain = _plain(words)
    pairs = (word.partition(":=") for word in plain[2:])
    SPECS[plain[1]].parse_runnable({name: value for name, sign, value in pairs if sign})


def asks_for_ours(words: Sequence[str]) -> bool:
    """Whether roslaunch's command line starts one of our launch files."""
    if any(word in ("--help", "-h") or word.startswith("--ros-args") for word in words):
        return False
    plain = _plain(words)
    return len(plain) >= 2 and plain[0] == PACKAGE and plain[1] in SPECS


def _plain(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word.startswith("-")]
