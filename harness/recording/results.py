"""result.json: what a run came to, written last and atomically, so that it is whole or absent."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from harness.errors import DataError
from harness.files import write_whole
from harness.metrics.figures import Metrics
from harness.recording.provenance import Provenance
from worlds.circuit import Direction

SCHEMA_VERSION: Literal[1] = 1
RESULT_NAME = "result.json"

Outcome = Literal[
    "completed",
    "off_track",
    "stuck",
    "wrong_way",
    "timeout",
    "brain_error",
    "harness_error",
]

# These say how a model drives; the others only that a run could not be judged.
DRIVING_OUTCOMES: tuple[Outcome, ...] = (
    "completed",
    "off_track",
    "stuck",
    "wrong_way",
    "timeout",
)


class Result(Metrics):
    """One run: what was asked, how it ended, its figures, and what it was made with.

    The figures are those of `Metrics`, computed from the run's bag.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )

    schema_version: Literal[1] = SCHEMA_VERSION
    outcome: Outcome
    outcome_reason: str = ""
    model: str
    circuit: str
    direction: Direction = "forward"
    start_station_m: float = 0.0
    laps_asked: int = Field(default=1, ge=1)
    timeout_s: float = Field(gt=0.0, description="simulated seconds allowed from go")
    seed: int = 0
    clock: Literal["realtime", "lockstep"] = "realtime"
    latency: str | None = Field(default=None, description="lockstep: how latency was applied")
    command: str = Field(description="the exact command that makes this run again")
    started_at: datetime
    bag: str | None = Field(default=None, description="the bag, relative to the run's folder")
    bag_recovered: bool = Field(
        default=False, description="its recorder was killed: the index was rebuilt, the end is lost"
    )
    timings: dict[str, float] = Field(default={}, description="wall seconds of the run's phases")
    brain_proof: dict[str, Any] = Field(default={}, description="what the brain says it executed")
    provenance: Provenance

    @property
    def completed(self) -> bool:
        """Whether all laps were driven."""
        return self.outcome == "completed"

    @property
    def judged(self) -> bool:
        """Whether the run says anything about the model's driving."""
        return self.outcome in DRIVING_OUTCOMES

    def to_json(self) -> str:
        """The result as it stands in result.json: what it is first, its figures after."""
        values = self.model_dump(mode="json")
        own = [name for name in type(self).model_fields if name not in Metrics.model_fields]
        ordered = {name: values[name] for name in (*own, *Metrics.model_fields)}
        return json.dumps(ordered, indent=2, allow_nan=False)


def write_result(result: Result, path: Path) -> None:
    """Write a result so that the file is either whole or not there.

    Args:
        result: The result.
        path: The file, `result.json` in the run's folder; replaced if it exists.

    Raises:
        StorageError: The disk is full, the folder missing or not writable.
    """
    write_whole(path, result.to_json() + "\n")


def read_result(path: Path) -> Result:
    """Read a result.

    Args:
        path: A `result.json`, or the run's folder that holds one.

    Raises:
        DataError: Missing, no JSON, or not of this schema.
    """
    file = path / RESULT_NAME if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"no readable result at {file}: {_one_line(error)}") from error
    try:
        return Result.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise DataError(
            f"{file} is no result of schema {SCHEMA_VERSION}: {where}: {first['msg']}"
        ) from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
