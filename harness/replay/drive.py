"""Carries out a replay by replay.launch, from its arguments to its result."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import error_of
from harness.paths import recordings_root
from harness.recording.messages import bag_of
from harness.replay.result import RESULT_NAME, ReplayResult, claim_replay, read_replay
from harness.replay.source import open_source
from harness.run.launching import check_roslaunch, failure, launch
from harness.spec.replay import ReplaySpec


def replay(
    spec: ReplaySpec, show: Callable[[str], None], run_id: str | None = None
) -> tuple[Path, ReplayResult]:
    """Sends every frame of a bag through a model.

    Args:
        spec: what to replay.
        show: takes each line of progress.
        run_id: marks the processes (see `harness.run.processes`); drawn where None.

    Returns:
        The replay's folder and its result.

    Raises:
        UnavailableError: this shell has no roslaunch, or this machine lacks what the model needs.
        UsageError: the output folder holds a finished replay, or the camera's topic is not there.
        DataError: the bag is missing, broken or without camera frames.
        StorageError: the replay can't be written.
        BrainError: the brain died, hung or failed.
        HarnessError: the replay left no result for another reason.
    """
    check_roslaunch()
    spec.check_runnable()
    bag = bag_of(Path(spec.bag)).absolute()
    for note in open_source(bag, spec.camera_topic or None).notes:
        show(note)
    folder = spec.folder(recordings_root(), datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ"))
    claim_replay(folder)
    asked = spec.model_copy(update={"bag": str(bag), "output": str(folder)})
    code = launch("replay.launch", asked.launch_arguments(), folder, show, run_id)
    if not (folder / RESULT_NAME).exists():
        raise error_of(code, failure(folder))
    return folder, read_replay(folder)
