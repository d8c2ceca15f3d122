"""What every node's `main` needs: one clear line on failure, and no life after roslaunch."""

import os
import shlex
import sys
import traceback
import xmlrpc.client
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import rosgraph
import rospkg
import rospy

from harness.errors import PitwallError, StorageError, UsageError
from harness.paths import CALLED_FROM
from harness.run.processes import die_with_parent
from harness.spec.run import RunSpec

SIMULATOR_FAILURE = "/gazebo/failure"
BRAIN_FAILURE = "/brain/failure"


def start_node(name: str) -> None:
    """Registers the node. It keeps wall time: /clock at 100 Hz is nothing it needs.

    Raises:
        UsageError: another run is live on this master.
    """
    die_with_parent()
    refuse_second_run(name)
    rospy.init_node(name, disable_rostime=True)


def refuse_second_run(name: str) -> None:
    """A node of the same name would take the place of the other run's, and end it.

    Raises:
        UsageError: a live node has this name.
    """
    master = rosgraph.Master("/pitwall")
    try:
        address = master.lookupNode(f"/{name}")
        xmlrpc.client.ServerProxy(address).getPid("/pitwall")
    except (OSError, rosgraph.MasterException):
        return
    raise UsageError(
        f"another run is live on the ROS master {master.getUri()}: give this one its own by"
        " `roslaunch -p PORT harness circuit.launch ...`, or use `harness lap`"
    )


def asked_run() -> RunSpec:
    """The run that the launch file asks for.

    Raises:
        UsageError: a name or a value is wrong.
    """
    return RunSpec.parse(rospy.get_param("/run"))


def say(text: str) -> None:
    """Prints a line that the commands show too."""
    print(f"[run] {text}", flush=True)


def note_command(folder: Path, launch_file: str, arguments: Sequence[str]) -> None:
    """Writes the exact command into a recording, and a way to the logs.

    Raises:
        StorageError: it can't be written.
    """
    try:
        words = ["roslaunch", "harness", launch_file, *arguments]
        (folder / "command.sh").write_text(f"{shlex.join(words)}\n")
        if not (folder / "logs").exists():
            log_folder = Path(rospkg.get_log_dir()) / rospy.get_param("/run_id")
            (folder / "logs").symlink_to(log_folder)
    except OSError as error:
        raise StorageError(f"{folder}: can't write the recording: {error}") from None


def exit_with(main: Callable[[], int], failure_parameter: str | None = None) -> NoReturn:
    """Runs a node's main; an error a user can act on becomes one line and an exit code.

    Args:
        main: the node.
        failure_parameter: where the line is left for the stats node to tell. roslaunch shows every
            node's stderr, so the user would read it twice; None prints it.
    """
    # Nodes start in ~/.ros: a user's paths are meant from where roslaunch was called.
    os.chdir(os.environ.get(CALLED_FROM, "."))
    try:
        code = main()
    except PitwallError as error:
        _tell(str(error), failure_parameter)
        code = error.exit_code
    except Exception as error:
        # A fault of ours: the log has where, the user what.
        traceback.print_exc()
        line = " ".join(str(error).split())
        _tell(f"{Path(sys.argv[0]).stem}: {type(error).__name__}: {line}", failure_parameter)
        code = PitwallError.exit_code
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Ends the process, without the second of a core that Python takes to clear all modules.

    roslaunch waits for that at every run's end, and a batch with it.
    """
    rospy.signal_shutdown("done")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _tell(reason: str, failure_parameter: str | None) -> None:
    if failure_parameter is None:
        print(f"error: {reason}", file=sys.stderr, flush=True)
    else:
        rospy.set_param(failure_parameter, reason)
        print(f"error: {reason}", flush=True)
