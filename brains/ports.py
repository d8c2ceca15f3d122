"""What a network takes and gives, as its file tells: names, shapes and number types.

The file is opened in a process of its own (``brains.look_child``): Keras 2 and 3 need different
settings, and what others wrote stays out of this one.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import DataError, error_of

_CHILD = "brains.look_child"
_PROJECT = Path(__file__).parents[1]
_PATIENCE_S = 300


class Port(NamedTuple):
    """One input or output.

    Attributes:
        name: As the file names it.
        shape: Its sizes, None where one is free; None: the file does not tell.
        dtype: As NumPy names it (``float32``).
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str

    def __str__(self) -> str:
        """``name 1x66x200x3 float32``; a free size is a question mark."""
        if self.shape is None:
            return f"{self.name} (shape not told)"
        sizes = "x".join("?" if size is None else str(size) for size in self.shape) or "one number"
        return f"{self.name} {sizes} {self.dtype}"


class Ports(NamedTuple):
    """All of a network, in the file's order."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def look(path: Path, *, drop_lambda: bool = False) -> Ports:
    """What the network in a file takes and gives.

    Args:
        path: The file.
        drop_lambda: Its Lambda layers are left out.

    Raises:
        DataError: The file is refused, or can't be opened; in one line.
        UnavailableError: What opens it is not installed.
    """
    search = os.pathsep.join(p for p in (str(_PROJECT), os.environ.get("PYTHONPATH")) if p)
    # Which Keras is meant is the child's choice, by the file.
    kept = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    with tempfile.TemporaryFile("w+") as said:
        try:
            child = subprocess.run(
                [sys.executable, "-P", "-m", _CHILD],
                env={**kept, "PYTHONPATH": search, "TF_CPP_MIN_LOG_LEVEL": "3"},
                input=json.dumps([str(path), drop_lambda]),
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DataError(f"{path} could not be opened within {_PATIENCE_S} s") from error
        told = _told(child.stdout)
        if told is None:
            said.seek(0)
            lines = [line.strip() for line in said if line.strip()]
            last = lines[-1] if lines else "it said nothing"
            raise DataError(f"{path} broke what opens it (status {child.returncode}): {last}")
    if "error" in told:
        raise error_of(int(told["exit_code"]), str(told["error"]))
    inputs, outputs = (
        tuple(
            Port(name, None if shape is None else tuple(shape), dtype)
            for name, shape, dtype in told[side]
        )
        for side in ("inputs", "outputs")
    )
    return Ports(inputs, outputs)


def _told(output: str) -> dict[str, Any] | None:
    try:
        told = json.loads(output)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
