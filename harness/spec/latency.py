"""How a run's latency is written: `measured`, `fixed:MS` or `profile:FILE`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

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
