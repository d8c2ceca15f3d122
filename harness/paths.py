"""Where the project's things are."""

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from harness.errors import StorageError, UsageError

CALLED_FROM = "PITWALL_CALLED_FROM"
"""Environment variable in which roslaunch tells its nodes where it was called."""
OWN_PATH = "PITWALL_OWN_PATH"
"""Environment variable that holds what the user's PYTHONPATH named: folders of own brains."""
LATEST = "latest"
"""Name of the link to the recording that was begun last."""


def project_root() -> Path:
    """The clone."""
    return Path(__file__).resolve().parents[1]


def recordings_root() -> Path:
    """Where runs land: $PITWALL_RECORDINGS, by default recordings/ of the clone."""
    return Path(os.environ.get("PITWALL_RECORDINGS") or project_root() / "recordings").absolute()


def claim_recording(folder: Path) -> None:
    """Makes a run's folder and points recordings/latest at it.

    Raises:
        UsageError: the folder holds a finished run.
        StorageError: it can't be made.
    """
    if (folder / "result.json").exists():
        raise UsageError(f"{folder} holds a finished run: choose another output")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        point_latest_at(folder)
    except OSError as error:
        raise StorageError(f"{folder}: can't write the recording: {error}") from None


def point_latest_at(folder: Path) -> None:
    """Makes recordings/latest a link to a run's folder, atomically.

    A folder below is linked relatively: the link holds wherever the recordings are mounted.
    """
    root = recordings_root()
    root.mkdir(parents=True, exist_ok=True)
    fresh = root / f".latest-{uuid.uuid4().hex}"  # runs may start side by side, in one process too
    absolute = folder.absolute()
    fresh.symlink_to(absolute.relative_to(root) if absolute.is_relative_to(root) else absolute)
    fresh.replace(root / LATEST)


def check_ros_logs(shell: Mapping[str, str]) -> None:
    """Says at once that roslaunch could not write its logs; `harness lap` needs no such folder.

    Args:
        shell: the environment of roslaunch.

    Raises:
        StorageError: neither ROS_LOG_DIR nor ROS_HOME names a folder that can be written, nor is
            there a home to make one in.
    """
    folder = Path(shell.get("ROS_LOG_DIR") or shell.get("ROS_HOME") or "~/.ros")
    try:
        folder = folder.expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except (OSError, RuntimeError):  # the latter: there is no home at all
        writable = False
    if not writable:
        raise StorageError(
            f"roslaunch can't write its logs to {folder}: set ROS_HOME to a folder that can be"
            " written, or use `harness lap`"
        )
