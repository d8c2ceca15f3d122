"""``python -m brains.build_child MODEL``: builds an artifact, telling each step as a JSON line.

``brains.build_elsewhere`` starts it under the interpreter of the model's environment.
"""

import json
import os
import sys

from brains.build import build_artifact
from brains.catalogue import find_model
from harness.errors import PitwallError


def main() -> int:
    """Builds the model that the command line names."""
    # What an engine prints must not get between the lines.
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

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
