"""Starts one of the launch files on a ROS master of its own and ends exactly what it started."""

import importlib.util
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import StorageError, UnavailableError
from harness.run.environment import run_environment
from harness.run.processes import end_run
from harness.run.simulator import free_port

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# The last line of a traceback, and roslaunch's own complaints (RLException: ...).
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning)\b(: |$)")


def check_roslaunch() -> None:
    """Says at once what this shell lacks.

    Raises:
        UnavailableError: there is no roslaunch, or only ours without ROS behind it.
    """
    if not shutil.which("roslaunch"):
        raise UnavailableError("no roslaunch on PATH: run `make setup`, then `source env.sh`")
    if importlib.util.find_spec("roslaunch") is None:
        raise UnavailableError("no ROS here, `make models` leaves it out: run `make setup`")


def launch(
    file: str,
    arguments: Sequence[str],
    folder: Path,
    show: Callable[[str], None],
    run_id: str | None = None,
) -> int:
    """Runs a launch file to its end.

    Args:
        file: name of the launch file.
        arguments: `name:=value` each.
        folder: the recording; all that is printed goes to its logs/.
        show: takes each line of progress.
        run_id: marks the processes (see `harness.run.processes`); drawn where None.

    Returns:
        The exit code of the node that ended it.

    Raises:
        StorageError: the logs can't be written.
    """
    try:
        (folder / "logs").mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: can't write the recording: {error}") from None
    run_id = run_id or uuid.uuid4().hex
    port = free_port()
    env = run_environment(os.environ, folder.absolute() / "logs", run_id, port)
    command = ["roslaunch", "--disable-title", f"--port={port}", "harness", file, *arguments]
    try:
        return _follow(command, env, _log(folder), show)
    finally:
        end_run(run_id)


def failure(folder: Path) -> str:
    """The line that tells why what was launched left nothing."""
    log = _log(folder)
    return f"{reason_in(log.read_text(errors='replace'))} (log: {log})"


def reason_in(log: str) -> str:
    """Why a launch ended without a result, in one line of what it printed.

    That is the last error that one of ours told, else the exception of the node that died first,
    else what roslaunch says of itself, else its last line.
    """
    lines = [_COLOURS.sub("", line).strip() for line in log.splitlines()]
    if told := [line for line in lines if line.startswith("error: ")]:
        return told[-1].removeprefix("error: ")
    deaths = (number for number, line in enumerate(lines) if "process has died" in line)
    until_first_death = lines[: next(deaths, len(lines))]
    for part in (until_first_death, lines):
        if raised := [line for line in part if _EXCEPTION.match(line)]:
            return raised[-1]
    last = next((line for line in reversed(lines) if line), "nothing")
    return f"roslaunch ended before the run began; it last said: {last}"


def _log(folder: Path) -> Path:
    return folder / "logs" / "roslaunch.log"


def _follow(command: list[str], env: dict[str, str], log: Path, show: Callable[[str], None]) -> int:
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
            # The node that records then closes what it writes, as at any end.
            process.terminate()
            process.wait()
            raise
        return process.wait()
