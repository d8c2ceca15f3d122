#!/usr/bin/env python3
"""Runs the simulator as a node of a launch file.

The ROS node `gazebo` itself lives in gzserver (the API plugin); this program only starts it, passes
the end on and says clearly when gzserver ended by itself.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from harness.errors import HarnessError, PitwallError
from harness.simulator import Simulator, stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _AskedToEnd(Exception):
    """Raised by a signal."""


def _on_signal(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _AskedToEnd


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, required=True, help="the .world file")
    parser.add_argument("--gui", choices=("true", "false"), default="false", help="show the window")
    parser.add_argument("--seed", type=int, default=1, help="of Gazebo's random numbers")
    # roslaunch appends remappings such as __name:=gazebo; they are not for us.
    return parser.parse_args([argument for argument in arguments if ":=" not in argument])


def run(simulator: Simulator) -> None:
    """Runs the simulator until a signal asks for the end.

    Raises:
        HarnessError: the simulator ended by itself.
    """
    try:
        for number in _SIGNALS:
            signal.signal(number, _on_signal)
        process = simulator.start()
        try:
            status = process.wait()
        finally:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            stop(process)
    except _AskedToEnd:
        return
    raise HarnessError(f"the simulator (gzserver) ended by itself with status {status}")


def main() -> int:
    """Entry point; returns the exit status."""
    options = _parse(sys.argv[1:])
    try:
        run(Simulator.from_environment(options.world, gui=options.gui == "true", seed=options.seed))
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
