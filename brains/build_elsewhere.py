"""Builds an artifact under the interpreter of the model's environment, its progress shown here.

Run there as ``python -m brains.build_elsewhere MODEL``: prints a line of JSON for each step.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from brains.model import ModelSpec
from brains.workshop import Progress
from harness.errors import DataError, PitwallError, UnavailableError, UsageError

_ERRORS = {kind.exit_code: kind for kind in (UsageError, DataError, UnavailableError)}
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
    path = os.pathsep.join(p for p in (str(_PROJECT), os.environ.get("PYTHONPATH")) if p)
    with (
        tempfile.TemporaryFile("w+") as messages,
        subprocess.Popen(
            [str(python), "-m", __name__, model.name],
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
            raise PitwallError(f"building {model.name} ended with status {code}: {last}")


def main() -> int:
    """Builds the model that the command line names."""
    # What an engine prints must not get between the lines.
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from brains.build import build_artifact  # noqa: PLC0415 - imports this module
    from brains.catalogue import find_model  # noqa: PLC0415

    def progress(text: str, done: int = 0, total: int = 0) -> None:
        told.write(json.dumps({"text": text, "done": done, "total": total}) + "\n")

    try:
        build_artifact(find_model(sys.argv[1]), progress)
    except PitwallError as error:
        told.write(json.dumps({"error": str(error), "exit_code": error.exit_code}) + "\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
