"""Runs Snakemake on a batch's runs, and ends all that it started however the batch ends."""

import fcntl
import importlib.util
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.batch.attempt import check_space
from harness.batch.jobs import STATE, JobFile
from harness.errors import StorageError, UnavailableError, UsageError
from harness.files import lock
from harness.run.processes import RUN_ID, die_with_parent, end_runs_in

LOG = f"{STATE}/snakemake.log"
_LEASH = f"{STATE}/lock"
_JOBS = f"{STATE}/jobs.json"
_SNAKEFILE = Path(__file__).with_name("Snakefile")
_GRACE_S = 30.0  # an ended run closes its bag first
_HANDOVER_S = 3.0  # the jobs of a killed batch hold its lock for a moment
_TICK_S = 0.5


def require_snakemake() -> None:
    """Says how to get Snakemake.

    Raises:
        UnavailableError: it is not installed.
    """
    if importlib.util.find_spec("snakemake") is None:
        raise UnavailableError("no snakemake: run `make setup EXTRAS=batch`")


@contextmanager
def claimed(output: Path) -> Iterator[Path]:
    """Holds the folder of a batch, all processes of an earlier try ended; yields the leash.

    Raises:
        UsageError: another batch runs in it.
        StorageError: it can't be written.
    """
    leash = output / _LEASH
    try:
        leash.parent.mkdir(parents=True, exist_ok=True)
        file = leash.open("a")
    except OSError as error:
        raise StorageError(f"{output}: can't write: {error.strerror}") from None
    with file:
        deadline_s = time.monotonic() + _HANDOVER_S
        while not lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if time.monotonic() > deadline_s:
                raise UsageError(f"another batch is running in {output}")
            time.sleep(0.05)
        end_runs_in(output, _GRACE_S)
        yield leash


def run_snakemake(
    jobs: JobFile,
    output: Path,
    profile: Path | None,
    limit: int | None,
    hear: Callable[[str], None],
    tick: Callable[[], None],
) -> None:
    """Drives all runs that have no result, to the end of the last one.

    Args:
        jobs: the runs.
        output: folder of the recordings, claimed.
        profile: a Snakemake profile that names another executor; None drives here.
        limit: jobs at once on that executor; None takes the profile's.
        hear: takes each line that a run printed.
        tick: called twice a second.

    Raises:
        StorageError: the disk is full; the runs that drove are ended.
        KeyboardInterrupt: after the runs that drove were ended.
    """
    jobs.write(output / _JOBS)
    process = subprocess.Popen(
        _command(jobs, output, profile, limit),
        env={**os.environ, RUN_ID: str(output)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=_begin,  # noqa: PLW1509 - no other thread is running yet
    )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process, output / LOG, lines.put), daemon=True).start()
    try:
        ticked_s = 0.0
        while (line := _next(lines)) is not None:
            if line.startswith("error: "):
                check_space(output)
            if line:
                hear(line)
            if time.monotonic() - ticked_s > _TICK_S:
                ticked_s = time.monotonic()
                tick()
        if process.wait() != 0:
            check_space(output)
    except (KeyboardInterrupt, StorageError):
        _stop(process, output, here=profile is None)
        raise


def _command(jobs: JobFile, output: Path, profile: Path | None, limit: int | None) -> list[str]:
    command = [sys.executable, "-P", "-m", "snakemake", "--snakefile", str(_SNAKEFILE)]
    command += ["--directory", str(output), "--config", f"jobs={output / _JOBS}"]
    # What is done is told by the recordings alone, which are written atomically: Snakemake's own
    # marks would have a finished run driven again after a kill.
    command += ["--ignore-incomplete", "--drop-metadata", "--rerun-triggers", "mtime", "--nolock"]
    command += ["--keep-going", "--nocolor"]
    if profile is not None:
        return [*command, "--profile", str(profile), *(["--jobs", str(limit)] if limit else [])]
    gpus = max(1, sum(1 for _ in Path("/dev").glob("nvidia[0-9]*")))
    limits = [f"simulators={jobs.slots}", f"gpu={gpus}"]
    return [*command, "--scheduler", "greedy", "--cores", str(jobs.slots), "--resources", *limits]


def _begin() -> None:
    """In the child: a batch killed by -9 takes Snakemake with it, and SIGINT is never ignored."""
    die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read(process: subprocess.Popen[str], log: Path, put: Callable[[str | None], None]) -> None:
    """Hands on each line and keeps it; a full disk must not stop the reading."""
    assert process.stdout is not None
    for line in process.stdout:
        put(line.rstrip())
        with suppress(OSError), log.open("a") as sink:
            sink.write(line)
    put(None)


def _next(lines: "queue.SimpleQueue[str | None]") -> str | None:
    try:
        return lines.get(timeout=_TICK_S)
    except queue.Empty:
        return ""


def _stop(process: subprocess.Popen[str], output: Path, here: bool) -> None:
    """Ends Snakemake and what it drives: here, or by its executor on a cluster."""
    process.send_signal(signal.SIGINT)
    if here:
        end_runs_in(output, _GRACE_S)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
