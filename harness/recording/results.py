"""result.json: what a run came to, written last and atomically, so that it is whole or absent."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from harness.errors import DataError
from harness.files import write_whole
from harness.metrics.figures import Metrics
from harness.recording.provenance import Provenance
from harness.recording.version_1 import copies_of, from_version_1
from harness.spec.recorded import RecordedSpec
from harness.spec.run import RunSpec
from worlds.circuit import Direction

SCHEMA_VERSION: Literal[3] = 3
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

    The figures are those of `Metrics`, computed from the run's bag. `spec` is what was asked,
    whole; some of it also stands beside it by the names of version 1, for scripts that read those.
    `start_station_m` and `timeout_s` are no copies: they are what the circuit made of the spec.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )

    schema_version: Literal[3] = SCHEMA_VERSION
    outcome: Outcome
    outcome_reason: str = ""
    spec: RecordedSpec | None = Field(
        description="all arguments of the run; null: version 1, and its command does not tell them"
    )
    model: str = Field(description="the spec's")
    circuit: str = Field(description="the spec's")
    circuit_sha256: str | None = Field(
        default=None, description="fingerprint of what was driven; null: an older run"
    )
    world_sha256: str | None = Field(
        default=None, description="of an imported world and its models; null: a generated world"
    )
    direction: Direction = Field(default="forward", description="the spec's")
    start_station_m: float = Field(
        default=0.0, description="where the car started, along the centreline in its direction"
    )
    laps_asked: int = Field(default=1, ge=1, description="the spec's laps")
    timeout_s: float = Field(gt=0.0, description="simulated seconds allowed from go")
    seed: int = Field(default=0, description="the spec's")
    clock: Literal["realtime", "lockstep"] = Field(default="realtime", description="the spec's")
    latency: str | None = Field(default=None, description="the spec's in lockstep, else null")
    latency_sha256: str | None = Field(
        default=None, description="hash of the latency profile's file; null without one"
    )
    command: str = Field(description="the exact command that makes this run again")
    started_at: datetime
    bag: str | None = Field(default=None, description="the bag, relative to the run's folder")
    bag_recovered: bool = Field(
        default=False, description="its recorder was killed: the index was rebuilt, the end is lost"
    )
    timings: dict[str, float] = Field(default={}, description="wall seconds of the run's phases")
    brain_proof: dict[str, Any] = Field(default={}, description="what the brain says it executed")
    provenance: Provenance

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.spec is not None:
            for name, value in copies_of(self.spec).items():
                if getattr(self, name) != value:
                    raise ValueError(f"{name} is {getattr(self, name)!r}, by its spec {value!r}")
        return self

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


def asked(spec: RunSpec) -> dict[str, Any]:
    """The fields of a result that say what was asked."""
    return {"spec": RecordedSpec.of(spec), **copies_of(spec)}


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
    """Read a result, of an older version too: `Result` is of the present version in any case.

    Args:
        path: A `result.json`, or the run's folder that holds one.

    Raises:
        DataError: Missing, no JSON, or not of a schema known here.
    """
    file = path / RESULT_NAME if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"no readable result at {file}: {_one_line(error)}") from error
    try:
        values = json.loads(text)
    except ValueError as error:
        raise DataError(f"{file} is no result: no JSON: {_one_line(error)}") from error
    if not isinstance(values, dict):
        raise DataError(f"{file} is no result: it holds no JSON object")
    version = values.get("schema_version", 1)
    if version not in (1, 2, SCHEMA_VERSION):
        raise DataError(
            f"{file} is a result of schema {version!r}, and this Pitwall reads those of 1 to"
            f" {SCHEMA_VERSION}"
        )
    try:
        return Result.model_validate(_of_today(values, version))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        said = first["msg"].removeprefix("Value error, ")
        raise DataError(f"{file} is no result of schema {version}: {where}: {said}") from error


def _of_today(values: Mapping[str, Any], version: int) -> dict[str, Any]:
    """A result of an older version as one of today's: figures that it lacks are null."""
    known = from_version_1(values) if version == 1 else values
    return {**known, "schema_version": SCHEMA_VERSION}


def result_schema() -> dict[str, Any]:
    """JSON Schema of result.json."""
    schema = Result.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    print(json.dumps(result_schema(), indent=2))
