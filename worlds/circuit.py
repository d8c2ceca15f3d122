"""Circuits: what a world is generated from, loaded from YAML files."""

import hashlib
import json
import os
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import DataError, UsageError
from worlds.centreline import Centreline

Direction = Literal["forward", "reverse"]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]

_BUILT_IN = Path(__file__).parent / "circuits"
_NOT_DRIVEN = {"name", "title", "published_length_m", "source", "map_scale", "map_origin_m"}


class Pose(NamedTuple):
    """A pose in the plane, world frame: metres and radians."""

    x_m: float
    y_m: float
    yaw_rad: float


class OriginalWorld(BaseModel):
    """A Gazebo world made elsewhere, in which a circuit is driven instead of a generated one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Annotated[str, Field(description="holds worlds/ and models/")]
    file: Annotated[str, Field(description="the .world, within worlds/ or the folder")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="of it and its models")]
    ground_m: Annotated[float, Field(description="height of the road")] = 0.0
    shadows: bool = False
    walls: Annotated[bool, Field(description="walls of ours stand for its own")] = True


class Circuit(BaseModel):
    """One circuit: a closed line with its widths, walls and start.

    `forward` is the order of the control points (clockwise for the published circuits).
    A start is given as a pose or as a station of the forward centreline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: str
    control_points: Annotated[tuple[tuple[float, float], ...], Field(min_length=4)]
    asphalt_width_m: Positive
    red_line_width_m: Positive = 0.1
    wall_height_m: Positive = 0.6
    wall_colour: Literal["white", "grey"] = "white"
    verge_m: NonNegative = 2.0
    kerbs: bool = False
    start_pose: Pose | None = None
    start_station_m: float = 0.0
    time_limit_s: Positive
    world: OriginalWorld | None = None
    published_length_m: Positive | None = None
    source: str | None = Field(default=None, description="what its line was read from")
    map_scale: Positive = Field(default=1.0, description="times as large as its source")
    map_origin_m: tuple[float, float] = Field(
        default=(0.0, 0.0), description="where the world's (0, 0) lies in its scaled source"
    )

    @model_validator(mode="before")
    @classmethod
    def _station_of_start_pose(cls, data: object) -> object:
        """A start given as a pose fixes the start station."""
        if isinstance(data, dict) and data.get("start_pose") and "start_station_m" not in data:
            line = Centreline.from_control_points(data["control_points"])
            data = {**data, "start_station_m": line.project(data["start_pose"][:2]).s_m}
        return data

    @staticmethod
    def from_yaml(path: Path) -> "Circuit":
        """Load a circuit file.

        Raises:
            DataError: The file is not YAML or not a circuit.
        """
        try:
            return _circuit_of(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise DataError(f"{path}: cannot read the circuit: {_one_line(error)}") from error
        except ValidationError as error:
            raise DataError(f"{path}: not a circuit: {_first(error)}") from error

    def sha256(self) -> str:
        """Fingerprint (hex) of all that a run depends on; not of names, nor of where it is from.

        Returns:
            SHA-256 over the fields that differ from their defaults, as JSON with sorted names.
        """
        told = self.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_DRIVEN)
        if self.start_pose is not None:
            told.pop("start_station_m", None)  # it follows from the pose
        if self.world is not None:
            # Where it lies doesn't matter: its own fingerprint says what it is.
            told["world"] = {k: v for k, v in told["world"].items() if k not in ("folder", "file")}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @cached_property
    def _forward(self) -> Centreline:
        return Centreline.from_control_points(self.control_points)

    def centreline(self, direction: Direction = "forward") -> Centreline:
        """The centreline in a driving direction; station 0 is the first control point in both."""
        return self._forward if direction == "forward" else self._forward.reversed()

    def start_station(self, direction: Direction) -> float:
        """Station in metres of the circuit's own start, on the centreline in that direction."""
        if direction == "forward":
            return self.start_station_m
        length_m = self.centreline(direction).length_m
        return (length_m - self.start_station_m) % length_m

    def start(self, direction: Direction = "forward", station_m: float | None = None) -> Pose:
        """Where the car stands at the start.

        Args:
            direction: Driving direction.
            station_m: A station of the centreline in that direction; None is the circuit's
                own start (in reverse the same spot, facing the other way).
        """
        line = self.centreline(direction)
        if station_m is None:
            if self.start_pose is not None:
                turn = 0.0 if direction == "forward" else np.pi
                return self.start_pose._replace(yaw_rad=_wrapped(self.start_pose.yaw_rad + turn))
            station_m = self.start_station(direction)
        x_m, y_m = line.position(station_m)
        return Pose(float(x_m), float(y_m), _wrapped(float(line.heading(station_m))))


@lru_cache(maxsize=8)
def _circuit_of(text: str) -> Circuit:
    """The circuit that a file's text describes; a run asks for it and its line often."""
    return Circuit.model_validate(yaml.safe_load(text))


def user_circuits() -> Path:
    """Folder of the user's own circuits: $PITWALL_CIRCUITS or the XDG-style default."""
    chosen = os.environ.get("PITWALL_CIRCUITS")
    return Path(chosen or "~/.local/share/pitwall/circuits").expanduser()


def built_in_names() -> list[str]:
    """Names of the circuits that come with the project."""
    return sorted(path.stem for path in _BUILT_IN.glob("*.yaml"))


def circuit_names() -> list[str]:
    """Names of all circuits, built-in ones first, then the user's."""
    built_in = built_in_names()
    own = sorted(path.stem for path in _own_files())
    return built_in + [name for name in own if name not in built_in]


def circuit_file(name: str) -> Path:
    """The file of the circuit called so.

    Raises:
        UsageError: No circuit has that name.
    """
    for path in (_BUILT_IN / f"{name}.yaml", *_own_files()):
        if path.stem == name and path.is_file():
            return path
    raise UsageError(f"unknown circuit '{name}'; known: {', '.join(circuit_names())}")


def load_circuit(name_or_path: str | Path) -> Circuit:
    """Load a circuit by name, or from a .yaml file by path.

    Raises:
        UsageError: No circuit has that name.
        DataError: The file is missing or is not a circuit.
    """
    text = str(name_or_path)
    is_path = text.endswith((".yaml", ".yml"))
    return Circuit.from_yaml(Path(text) if is_path else circuit_file(text))


def carried(circuit: Circuit) -> dict[str, Any]:
    """What a run carries of its circuit, ready for JSON: all that `circuit_of_run` needs."""
    return circuit.model_dump(mode="json", exclude_defaults=True, exclude_none=True)


def circuit_of_run(name: str, told: Mapping[str, Any] | None) -> tuple[Circuit, str]:
    """The circuit that a run drove.

    Args:
        name: Its name or path, as the run has it.
        told: What the run carries of it (`carried`); None if it is older than that.

    Returns:
        The circuit, the run's own before the one known here by that name, and a sentence that says
        where they differ; empty if they don't.

    Raises:
        UsageError: The run carries none, and none has that name here.
        DataError: What it carries is no circuit, or the file here is none.
    """
    if told is None:
        return load_circuit(name), ""
    try:
        driven = Circuit.model_validate(dict(told))
    except ValidationError as error:
        raise DataError(f"the circuit that the run carries is none: {_first(error)}") from error
    try:
        here = load_circuit(name)
    except (UsageError, DataError):
        return driven, f"circuit '{name}' is not here: the run carries its own"
    if here.sha256() == driven.sha256():
        return driven, ""
    return driven, f"circuit '{name}' is another one here: the figures are on the one it drove"


def _own_files() -> list[Path]:
    """Files of the user's circuits; none where there is no such folder, nor a home to look in."""
    try:
        return sorted(user_circuits().glob("*.yaml"))
    except (OSError, RuntimeError):
        return []


def _wrapped(angle_rad: float) -> float:
    """The same angle within (-pi, pi]."""
    return float(np.arctan2(np.sin(angle_rad), np.cos(angle_rad)))


def _first(error: ValidationError) -> str:
    """The first complaint about a circuit, in one line."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "file"
    return f"{field}: {first['msg']}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
