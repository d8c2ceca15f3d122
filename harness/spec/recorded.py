"""What a run was asked to be, as its recording says it: perhaps by another version of Pitwall."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Self

from pydantic import ConfigDict, model_validator

from harness.spec.launch import launch_value
from harness.spec.run import RunSpec

UNSAID: Mapping[str, Any] = MappingProxyType(
    {
        "laps": 1,
        "direction": "forward",
        "start": "default",
        "timeout": 0.0,
        "seed": 0,
        "clock": "realtime",
        "latency": "measured",
        "record_camera": False,
        "gui": False,
        "image_width": 640,
        "image_height": 480,
        "antialiasing": 4,
        "appearance": 0,
        "conditions": "",
        "output": "",
    }
)
"""What an argument was where a recording does not name it.

Version 1 of result.json kept the command alone, which leaves out what had its default: these were
the defaults. An argument that came later stands here with what all runs did before it, which need
not be the default of today.
"""


CIRCUIT_DRIVEN = "circuit_driven"
"""Name under which a bag's metadata carry the whole circuit beside the spec."""


class RecordedSpec(RunSpec):
    """What a run was asked to be.

    Arguments that this version does not know are kept: whoever compares runs sees them. Of those
    that an older version did not know, `UNSAID` has the value.
    """

    model_config = ConfigDict(extra="allow")

    model: str
    circuit: str

    @model_validator(mode="before")
    @classmethod
    def _say_what_is_unsaid(cls, values: Any) -> Any:
        return {**UNSAID, **values} if isinstance(values, Mapping) else values

    @classmethod
    def of(cls, spec: RunSpec) -> Self:
        """A run's spec, to be recorded."""
        return cls.model_validate(spec.model_dump())

    def differences(self, asked: RunSpec, same: Collection[str] = ()) -> tuple[str, ...]:
        """Where this run is another one than asked for, wherever it landed: one entry each.

        Args:
            asked: the run that is asked for.
            same: arguments whose files have moved, but hold the same.
        """
        driven, wanted = self.model_dump(), asked.model_dump()
        names = [name for name in {**wanted, **driven} if name not in ("output", *same)]
        return tuple(
            f"{name}:={_told(wanted, name)} is asked, {_told(driven, name)} was driven"
            for name in names
            if name not in driven or name not in wanted or driven[name] != wanted[name]
        )


def _told(values: Mapping[str, Any], name: str) -> str:
    return launch_value(values[name]) if name in values else "unknown"
