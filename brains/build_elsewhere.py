"""Makes a model's file in a process of its own, its progress shown here.

Under the interpreter of the model's environment, if it has one; and so that frameworks of several
models don't meet in the process that makes them all.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from brains.model import ModelSpec
from brains.workshop import Progress
from harness.errors import BrainError, DataError, PitwallError, UnavailableError, UsageError

_ERRORS = {kind.exit_code: kind for kind in (UsageError, DataError, UnavailableError, BrainError)}
_CHILD = "brains.build_child"
_ANSWERS = "brains.answers_child"
_PROJECT = Path(__file__).parents[1]


def build_elsewhere(python: Path, model: ModelSpec, progress: Progress) -> None:
    """Build the model's artifact in a process of its own.

    Args:
        python: Interpreter of the model's environment.
        model: The model.
        progress: Is told how far it is.

    Raises:
        UnavailableError: What builds it is not installed, or fails on this machine.
        DataError: The weights are missing or broken.
        PitwallError: The process died; with the last line that it printed.
    """
    command = [str(python), "-P", "-m", _CHILD, model.model_dump_json()]
    run_child(command, f"building {model.name}", progress)


def train_elsewhere(model: ModelSpec, data: Path, folder: Path, progress: Progress) -> None:
    """Make the model's kept file in a process of its own; as ``brains.build.train_file``.

    Raises:
        UnavailableError: What trains it is not installed.
        DataError: Data set or weights are missing or broken.
        PitwallError: The process died; with the last line that it printed.
    """
    command = [sys.executable, "-P", "-m", _CHILD, model.model_dump_json(), str(data), str(folder)]
    run_child(command, f"training {model.name}", progress)


def answer_elsewhere(python: Path, model: ModelSpec, target: Path, progress: Progress) -> None:
    """Have the model answer its check frames in a process of its own, into a file.

    Raises:
        UnavailableError: What runs it is not installed.
        DataError: Its file or the frames are missing or broken.
        PitwallError: The process died; with the last line that it printed.
    """
    command = [str(python), "-P", "-m", _ANSWERS, model.model_dump_json(), str(target)]
    run_child(command, f"asking {model.name}", progress)


def run_child(command: list[str], what: str, progress: Progress) -> None:
    """Run a process that tells its progress, and how it failed, as JSON lines.

    Raises:
        PitwallError: What the process told, or that it died.
    """
    path = os.pathsep.join(p for p in (str(_PROJECT), os.environ.get("PYTHONPATH")) if p)
    with (
        tempfile.TemporaryFile("w+") as messages,
        subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        failure: PitwallError | None = None
        for line in process.stdout:
            told = json.loads(line)
            if "error" in told:
                failure = _ERRORS.get(told["exit_code"], PitwallError)(told["error"])
            else:
                progress(told["text"], told["done"], told["total"])
        code = process.wait()
        if failure is not None:
            raise failure
        if code != 0:
            messages.seek(0)
            lines = [line.strip() for line in messages if line.strip()]
            last = lines[-1] if lines else "it printed nothing"
            raise PitwallError(f"{what} ended with status {code}: {last}")
