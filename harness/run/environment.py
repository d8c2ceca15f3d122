"""The environment of a run's processes: what a shell happens to hold must not change a run."""

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from harness.paths import OWN_PATH, project_root
from harness.run.processes import RUN_ID

LOOPBACK = "127.0.0.1"
# Settings of a robot's shell (ROS_HOSTNAME, ROS_NAMESPACE, ROSCONSOLE_CONFIG_FILE, ...) and of its
# Python (PYTHONHOME, PYTHONWARNINGS, ...): a run has its own, whatever else there may be.
_NOT_HANDED_ON = ("ROS", "PYTHON")


def run_environment(
    shell: Mapping[str, str], logs: Path, run_id: str, master_port: int
) -> dict[str, str]:
    """The whole environment of roslaunch and all that it starts.

    Args:
        shell: the caller's.
        logs: takes all that ROS writes; it would otherwise go to the user's home, which may be
            missing or read-only.
        run_id: marks the processes (see `harness.run.processes`).
        master_port: of the run's own ROS master.
    """
    return own_settings(shell) | {
        RUN_ID: run_id,
        "ROS_HOME": str(logs),
        "ROS_LOG_DIR": str(logs),
        "ROS_MASTER_URI": f"http://{LOOPBACK}:{master_port}",
    }


def own_settings(shell: Mapping[str, str]) -> dict[str, str]:
    """A shell's environment with ROS, Python and the search paths as they are to be here."""
    kept = {name: value for name, value in shell.items() if not name.startswith(_NOT_HANDED_ON)}
    workspace = shell.get("PITWALL_WORKSPACE", "")
    return {
        **kept,
        **ros_settings(workspace),
        **_search_paths(shell),
        "PYTHONUTF8": "1",
    }


def settle(shell: MutableMapping[str, str]) -> None:
    """Puts this process's search paths in order, and what its children and libraries go by.

    Args:
        shell: the environment to change.
    """
    shell.update(_search_paths(shell))
    shell["MPLBACKEND"] = "agg"  # pictures go to files, whatever window a notebook would open
    ours = shell["PYTHONPATH"].split(os.pathsep)
    sys.path[:] = [*ours, *(entry for entry in sys.path if entry not in ours)]


def _search_paths(shell: Mapping[str, str]) -> dict[str, str]:
    """PATH with our programs first; PYTHONPATH with ours alone, OWN_PATH with the rest of it."""
    workspace = shell.get("PITWALL_WORKSPACE", "")
    ours = _joined(*python_path(workspace))
    given = _joined(shell.get(OWN_PATH, ""), shell.get("PYTHONPATH", "")).split(os.pathsep)
    own = [entry for entry in given if entry not in ours.split(os.pathsep)]
    programs = (str(project_root() / "harness" / "bin"), str(Path(sys.executable).parent))
    return {
        "PATH": _joined(*programs, "/usr/bin", shell.get("PATH", "")),
        "PYTHONPATH": ours,
        OWN_PATH: _joined(*own),
    }


def ros_settings(workspace: str) -> dict[str, str]:
    """ROS as env.sh has it.

    Args:
        workspace: install prefix of the built catkin workspace.
    """
    packages = [str(project_root() / "harness"), f"{workspace}/share" if workspace else ""]
    return {
        "ROS_DISTRO": "noetic",
        "ROS_ETC_DIR": "/etc/ros",
        "ROS_IP": LOOPBACK,  # rosmaster then listens on nothing else
        "ROS_PACKAGE_PATH": _joined(*packages, "/usr/share"),
        "ROS_ROOT": "/usr/share/ros",
        "ROS_VERSION": "1",
    }


def python_path(workspace: str) -> list[str]:
    """Where our own packages lie."""
    messages = [f"{workspace}/lib/python3/dist-packages"] if workspace else []
    return [str(project_root()), *messages]


def _joined(*paths: str) -> str:
    """Search paths as one, each entry once."""
    entries = (entry for path in paths for entry in path.split(os.pathsep) if entry)
    return os.pathsep.join(dict.fromkeys(entries))
