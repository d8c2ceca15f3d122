"""``python -m brains.build_child MODEL [DATA FOLDER]``: makes one model's file.

MODEL is a ``ModelSpec`` as JSON. Its artifact; with a data set and a weights folder its kept file.
Each step is told as a JSON line. ``brains.build_elsewhere`` starts it.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from brains.build import build_artifact, train_file
from brains.failures import ANYTHING
from brains.model import ModelSpec
from brains.workshop import Progress
from harness.errors import DataError, PitwallError, one_line


def main() -> int:
    """Makes what the command line names."""
    spec, *training = sys.argv[1:]
    model = ModelSpec.model_validate_json(spec)

    def make(progress: Progress) -> None:
        if training:
            data, folder = map(Path, training)
            train_file(model, data, folder, progress)
        else:
            build_artifact(model, progress)

    return telling(make)


def telling(make: Callable[[Progress], None]) -> int:
    """Run something that tells its progress; all goes out as JSON lines.

    Returns:
        The exit code.
    """
    # What an engine prints must not get between the lines.
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def progress(text: str, done: int = 0, total: int = 0) -> None:
        told.write(json.dumps({"text": text, "done": done, "total": total}) + "\n")

    try:
        try:
            make(progress)
        except PitwallError:
            raise
        except ANYTHING as error:
            # Converters and networks raise whatever they stumble over.
            raise DataError(one_line(error)) from error
    except PitwallError as error:
        told.write(json.dumps({"error": str(error), "exit_code": error.exit_code}) + "\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
