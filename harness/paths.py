"""Where the project's things are."""

import os
import uuid
from pathlib import Path

from harness.errors import StorageError, UsageError

CALLED_FROM = "PITWALL_CALLED_FROM"
"""Environment variable in which roslaunch tells its nodes where it was called."""


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
    fresh.replace(root / "latest")
