"""Drives one run by circuit.launch, from its arguments to its result."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import HarnessError
from harness.paths import claim_recording, recordings_root
from harness.recording.results import Result, read_result
from harness.run.launching import check_roslaunch, failure, launch
from harness.run.simulator import check_simulator
from harness.spec.run import RunSpec


def drive(
    spec: RunSpec, show: Callable[[str], None], run_id: str | None = None
) -> tuple[Path, Result]:
    """Runs one run to its end.

    Args:
        spec: what to run.
        show: takes each line of progress.
        run_id: marks the run's processes (see `harness.run.processes`); drawn where None.

    Returns:
        The recording's folder and its result, whatever the outcome.

    Raises:
        UnavailableError: this shell has no roslaunch, or this machine lacks what the model or the
            simulator needs.
        UsageError: the output folder holds a finished run.
        StorageError: the recording can't be written.
        HarnessError: the run left no result.
    """
    check_roslaunch()
    spec.check_runnable()
    check_simulator()
    started_at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    folder = spec.folder(recordings_root(), started_at)
    claim_recording(folder)
    arguments = spec.model_copy(update={"output": str(folder)}).launch_arguments()
    launch("circuit.launch", arguments, folder, show, run_id)
    if not (folder / "result.json").exists():
        raise HarnessError(failure(folder))
    return folder, read_result(folder / "result.json")
