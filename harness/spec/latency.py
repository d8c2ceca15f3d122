"""How a run's latency is written: `measured`, `fixed:MS` or `profile:FILE`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.errors import DataError
from harness.files import read_text

LIMIT_MS = 10_000.0


@dataclass(frozen=True, slots=True)
class LatencyText:
    """A latency as it was asked for; neither is given where it is to be measured.

    Attributes:
        fixed_ms: the same for every frame.
        profile: file that it is drawn from.
    """

    fixed_ms: float | None = None
    profile: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads it; a profile's file is not opened.

        Raises:
            ValueError: none of the three, in one line.
        """
        kind, _, value = text.partition(":")
        if text == "measured":
            return cls()
        if kind == "profile" and value:
            return cls(profile=Path(value))
        if kind != "fixed":
            raise ValueError(f"{text!r} is none of measured, fixed:<ms>, profile:<file>")
        try:
            fixed_ms = float(value)
        except ValueError:
            fixed_ms = -1.0
        if not 0.0 <= fixed_ms < LIMIT_MS:
            raise ValueError(f"{text!r}: fixed:<ms> takes 0 to {LIMIT_MS:g} milliseconds")
        return cls(fixed_ms=fixed_ms)


def read_profile(path: Path) -> list[float]:
    """Latencies in seconds of a profile file (JSON with `latency_ms`, a list).

    Raises:
        DataError: missing, not JSON, or without sensible latencies.
    """
    try:
        values = json.loads(read_text(path, "latency profile"))["latency_ms"]
        latencies_s = [float(value) / 1e3 for value in values]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path}: not a latency profile ({type(error).__name__}: {error})"
        ) from None
    if not latencies_s or not all(0.0 <= value < LIMIT_MS / 1e3 for value in latencies_s):
        raise DataError(f"{path}: latency_ms must hold values from 0 to 10000, and at least one")
    return latencies_s
