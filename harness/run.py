"""Starts circuit.launch on ROS and Gazebo masters of its own and ends exactly what it started."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import HarnessError, PitwallError, StorageError, UnavailableError
from harness.paths import claim_recording, recordings_root
from harness.processes import RUN_ID, end_run
from harness.results import Result, read_result
from harness.run_spec import RunSpec
from harness.simulator import free_port


def drive(
    spec: RunSpec, show: Callable[[str], None], run_id: str | None = None
) -> tuple[Path, Result]:
    """Runs one run to its end.

    Args:
        spec: what to run.
        show: takes each line of progress.
        run_id: marks the run's processes (see `harness.processes`); drawn where None.

    Returns:
        The recording's folder and its result, whatever the outcome.

    Raises:
        UnavailableError: this shell has no roslaunch, or this machine lacks what the model needs.
        UsageError: the output folder holds a finished run.
        StorageError: the recording can't be written.
        HarnessError: the run left no result.
    """
    if not shutil.which("roslaunch"):
        raise UnavailableError("no roslaunch on PATH: run `make setup`, then `source env.sh`")
    spec.check_runnable()
    started_at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    folder = spec.folder(recordings_root(), started_at)
    claim_recording(folder)
    try:
        (folder / "logs").mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: can't write the recording: {error}") from None
    run_id = run_id or uuid.uuid4().hex
    port = free_port()
    env = {
        **os.environ,
        RUN_ID: run_id,
        "ROS_LOG_DIR": str(folder / "logs"),
        "ROS_MASTER_URI": f"http://127.0.0.1:{port}",
    }
    arguments = spec.model_copy(update={"output": str(folder)}).launch_arguments()
    command = [
        "roslaunch",
        "--disable-title",
        f"--port={port}",
        "harness",
        "circuit.launch",
        *arguments,
    ]
    try:
        _launch(command, env, folder / "logs" / "roslaunch.log", show)
    finally:
        end_run(run_id)
    if not (folder / "result.json").exists():
        raise _failure(folder)
    return folder, read_result(folder / "result.json")


def _launch(
    command: list[str], env: dict[str, str], log: Path, show: Callable[[str], None]
) -> None:
    """Runs roslaunch in a session of its own; keeps all it prints, shows the run's lines."""
    with (
        log.open("w") as sink,
        subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                sink.write(line)
                if line.startswith(("[run] ", "error: ")):
                    show(line.rstrip())
        except KeyboardInterrupt:
            # The stats node then closes the bag and writes the result, as at any end.
            process.terminate()
            process.wait()
            raise


def _failure(folder: Path) -> PitwallError:
    """What to say of a run that wrote no result: the line that its log ends with, if any."""
    log = folder / "logs" / "roslaunch.log"
    errors = [line for line in log.read_text().splitlines() if line.startswith("error: ")]
    reason = errors[-1].removeprefix("error: ") if errors else "the run left no result"
    return HarnessError(f"{reason} (log: {log})")
