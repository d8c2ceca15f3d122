"""What every node's `main` needs: one clear line on failure, and no life after roslaunch."""

import sys
from collections.abc import Callable

import rospy

from harness.errors import PitwallError
from harness.processes import die_with_parent
from harness.run_spec import RunSpec


def start_node(name: str) -> None:
    """Registers the node. It keeps wall time: /clock at 100 Hz is nothing it needs."""
    die_with_parent()
    rospy.init_node(name, disable_rostime=True)


def asked_run() -> RunSpec:
    """The run that the launch file asks for.

    Raises:
        UsageError: a name or a value is wrong.
    """
    return RunSpec.parse(rospy.get_param("/run"))


def exit_with(main: Callable[[], int]) -> None:
    """Runs a node's main; an error a user can act on becomes its one line and its exit code."""
    try:
        sys.exit(main())
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(error.exit_code)
