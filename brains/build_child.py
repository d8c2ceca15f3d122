"""``python -m brains.build_child MODEL [DATA FOLDER]``: makes one model's file.

Its artifact; with a data set and a weights folder its kept file. Each step is told as a JSON line.
``brains.build_elsewhere`` starts it.
"""

import json
import os
import sys
from pathlib import Path

from brains.build import build_artifact, train_file
from brains.catalogue import find_model
from harness.errors import PitwallError


def main() -> int:
    """Makes what the command line names."""
    # What an engine prints must not get between the lines.
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def progress(text: str, done: int = 0, total: int = 0) -> None:
        told.write(json.dumps({"text": text, "done": done, "total": total}) + "\n")

    try:
        name, *training = sys.argv[1:]
        if training:
            data, folder = map(Path, training)
            train_file(find_model(name), data, folder, progress)
        else:
            build_artifact(find_model(name), progress)
    except PitwallError as error:
        told.write(json.dumps({"error": str(error), "exit_code": error.exit_code}) + "\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
