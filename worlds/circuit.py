"""Circuits: what a world is generated from, loaded from YAML files."""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import DataError, UsageError
from worlds.centreline import Centreline

Direction = Literal["forward", "reverse"]
Positive = Annotated[float, Field(gt=0)]

_BUILT_IN = Path(__file__).parent / "circuits"


class Pose(NamedTuple):
    """A pose in the plane, world frame: metres and radians."""

    x_m: float
    y_m: float
    yaw_rad: float


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
    verge_m: Positive = 2.0
    kerbs: bool = False
    start_pose: Pose | None = None
    start_station_m: float = 0.0
    time_limit_s: Positive
    published_length_m: Positive | None = None

    @model_validator(mode="before")
    @classmethod
    def _station_of_start_pose(cls, data: object) -> object:
        """A start given as a pose fixes the start station."""
        if isinstance(data, dict) and data.get("start_pose") and "start_station_m" not in data:
            line = Centreline.from_control_points(data["control_points"])
            data = {**data, "start_station_m": line.project(data["start_pose"][:2]).s_m}
        return data

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Load a circuit file.

        Raises:
            DataError: The file is not YAML or not a circuit.
        """
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise DataError(f"{path}: cannot read the circuit: {_one_line(error)}") from error
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "file"
            raise DataError(f"{path}: not a circuit: {field}: {first['msg']}") from error

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


def user_circuits() -> Path:
    """Folder of the user's own circuits: $PITWALL_CIRCUITS or the XDG-style default."""
    chosen = os.environ.get("PITWALL_CIRCUITS")
    return Path(chosen) if chosen else Path.home() / ".local/share/pitwall/circuits"


def built_in_names() -> list[str]:
    """Names of the circuits that come with the project."""
    return sorted(path.stem for path in _BUILT_IN.glob("*.yaml"))


def circuit_names() -> list[str]:
    """Names of all circuits, built-in ones first, then the user's."""
    built_in = built_in_names()
    own = sorted(path.stem for path in user_circuits().glob("*.yaml"))
    return built_in + [name for name in own if name not in built_in]


def load_circuit(name_or_path: str | Path) -> Circuit:
    """Load a circuit by name, or from a .yaml file by path.

    Raises:
        UsageError: No circuit has that name.
        DataError: The file is missing or is not a circuit.
    """
    text = str(name_or_path)
    if text.endswith((".yaml", ".yml")):
        return Circuit.from_yaml(Path(text))
    for folder in (_BUILT_IN, user_circuits()):
        path = folder / f"{text}.yaml"
        if text in circuit_names() and path.is_file():
            return Circuit.from_yaml(path)
    raise UsageError(f"unknown circuit '{text}'; known: {', '.join(circuit_names())}")


def _wrapped(angle_rad: float) -> float:
    """The same angle within (-pi, pi]."""
    return float(np.arctan2(np.sin(angle_rad), np.cos(angle_rad)))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
