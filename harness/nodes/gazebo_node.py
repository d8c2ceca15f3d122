#!/usr/bin/env python3
"""Generates the world of the run that the launch file asks for and runs the simulator on it.

The ROS node `gazebo` itself lives in gzserver (the API plugin); this program only starts it, passes
the end on and says clearly when gzserver ended by itself.
"""

import signal
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

from harness.errors import HarnessError
from harness.nodes.node import SIMULATOR_FAILURE, asked_run, exit_with, refuse_second_run
from harness.run.processes import die_with_parent
from harness.run.simulator import Simulator, stop
from harness.run.start import world_of

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _EndRequestedError(Exception):
    """Raised by a signal."""


def _on_signal(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _EndRequestedError


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
    except _EndRequestedError:
        return
    raise HarnessError(f"the simulator (gzserver) ended by itself with status {status}")


def main() -> int:
    """Entry point; returns the exit status."""
    die_with_parent()
    refuse_second_run("gazebo")
    spec = asked_run()
    with tempfile.TemporaryDirectory(prefix="pitwall-world-") as folder:
        world = world_of(spec, Path(folder))
        run(Simulator.from_environment(world, gui=spec.gui, seed=spec.seed))
    return 0


if __name__ == "__main__":
    exit_with(main, SIMULATOR_FAILURE)
