"""One run of a batch, driven until it is a result or has failed too often."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from harness.batch.jobs import Job
from harness.errors import HarnessError, StorageError
from harness.recording.messages import mend_bag
from harness.recording.results import RESULT_NAME, Result, read_result, write_result
from harness.recording.run_ending import Ending, finish_recording
from harness.run.drive import drive
from harness.spec.run import RunSpec

ATTEMPTS = "attempts"
_NEEDED_BYTES = 32 << 20  # a lap without camera is 4 MB, its logs and pictures less


class WallTimeError(KeyboardInterrupt):
    """The attempt took too long; ends a run as Ctrl-C does, its bag closed."""


def carry_out(job: Job, show: Callable[[str], None]) -> Result:
    """Drives a run; a harness_error is put aside and driven again, up to the job's limit.

    What an interrupted attempt left is put aside first, its bag recovered. A run that has a result
    is left alone.

    Args:
        job: the run.
        show: takes each line of progress.

    Returns:
        The result that now stands in the recording.

    Raises:
        UnavailableError: this machine lacks what the model needs.
        StorageError: the disk is full or the recording can't be written.
    """
    if is_finished(job.folder):
        return read_result(job.folder)
    put_aside(job)
    tries = job.retries + 1
    for number in range(1, tries + 1):
        check_space(job.folder)
        result = _attempt(job, show)
        if result.outcome != "harness_error":
            return result
        check_space(job.folder)
        show(f"attempt {number} of {tries}: {result.outcome}: {result.outcome_reason}")
        if number < tries:
            put_aside(job)
    return result


def is_finished(folder: Path) -> bool:
    """Whether a recording holds a result that is never driven again.

    A harness_error says nothing of the model, nor does the file of an interrupted run.

    Raises:
        DataError: the result can't be read.
    """
    return (folder / RESULT_NAME).exists() and read_result(folder).outcome != "harness_error"


def put_aside(job: Job) -> None:
    """Moves what a failed or interrupted attempt left to attempts/1, attempts/2, ...

    An attempt without a result gets one, with the figures of what its bag still holds.

    Raises:
        StorageError: the recording can't be written.
    """
    folder = job.folder
    if not any(_content(folder)):
        return
    try:
        if not (folder / RESULT_NAME).exists():
            finish_broken(job.spec, folder, "the attempt was interrupted: its processes were ended")
        aside = _next_attempt(folder)
        aside.mkdir(parents=True)
        for path in _content(folder):
            path.rename(aside / path.name)
    except OSError as error:
        raise StorageError(f"{folder}: can't put an attempt aside: {error.strerror}") from None


def finish_broken(spec: RunSpec, folder: Path, reason: str) -> Result:
    """Writes the result of an attempt whose recorder could not: a harness_error.

    Args:
        spec: the run.
        folder: the recording.
        reason: what happened.

    Raises:
        StorageError: the result can't be written.
    """
    command = folder / "command.sh"
    if not command.exists():
        command.write_text("# ended before the run began\n")
    return finish_recording(
        folder,
        spec,
        Ending("harness_error", reason),
        proof={},
        started_at=datetime.fromtimestamp(command.stat().st_mtime, UTC),
        timings={},
        bag_recovered=mend_bag(folder / "run.bag"),
    )


def check_space(folder: Path) -> None:
    """Tells a full disk (or quota) from a failure of the harness, by asking for space.

    Raises:
        StorageError: a run would not fit.
    """
    place = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            os.posix_fallocate(file.fileno(), 0, _NEEDED_BYTES)
    except OSError as error:
        raise StorageError(
            f"{place}: {error.strerror}: a run takes up to {_NEEDED_BYTES >> 20} MiB;"
            " make room and give the same command again"
        ) from None


def _attempt(job: Job, show: Callable[[str], None]) -> Result:
    try:
        with _wall_time_limit(job.wall_timeout_s):
            return drive(job.spec, show, run_id=str(job.folder))[1]
    except HarnessError as error:
        return finish_broken(job.spec, job.folder, str(error))
    except OSError as error:
        raise StorageError(f"{job.folder}: can't write the recording: {error}") from None
    except WallTimeError:
        reason = f"took longer than wall_timeout_s, {job.wall_timeout_s:g} s"
        if not (job.folder / RESULT_NAME).exists():
            return finish_broken(job.spec, job.folder, reason)
        ended = read_result(job.folder)
        result = ended.model_copy(update={"outcome_reason": reason})
        write_result(result, job.folder / RESULT_NAME)
        return result


@contextmanager
def _wall_time_limit(limit_s: float) -> Iterator[None]:
    """Raises WallTimeError in the main thread when the time is over."""

    def ring(_number: int, _frame: FrameType | None) -> NoReturn:
        raise WallTimeError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _content(folder: Path) -> list[Path]:
    """What an attempt left, the earlier attempts apart."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name != ATTEMPTS)


def _next_attempt(folder: Path) -> Path:
    numbers = [int(path.name) for path in (folder / ATTEMPTS).glob("[0-9]*")]
    return folder / ATTEMPTS / str(max(numbers, default=0) + 1)
