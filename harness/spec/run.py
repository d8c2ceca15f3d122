"""What one run is asked to be: the arguments of circuit.launch and of `harness lap`."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_validator

from brains import availability
from brains.artifacts import asked_by
from brains.catalogue import find_model
from harness.conditions.asked import Conditions, ConditionsText
from harness.conditions.table import HELP
from harness.errors import UsageError
from harness.spec.latency import LatencyText, read_profile
from harness.spec.launch import Count, LaunchSpec, NonNegative, Seed, model_file_name
from worlds.circuit import Circuit, load_circuit
from worlds.foreign import unchanged

EXPERT = "expert"
MEASURED = "measured"


def _samples(value: int) -> int:
    if value not in (0, 4):
        raise ValueError("is 4 (samples a pixel, as Gazebo renders) or 0 (harder edges, faster)")
    return value


Antialiasing = Annotated[int, AfterValidator(_samples), Field(json_schema_extra={"enum": [4, 0]})]
"""Samples a pixel of the camera; an integer, for roslaunch's words become one."""


def useless_condition(asked: Conditions, model: str, latency: str) -> str:
    """Why a condition would change nothing in a run; empty where each does something."""
    if model == EXPERT and asked.of_pixels:
        return f"{asked.of_pixels[0]} changes frames, and the expert answers poses alone"
    if "latency_jitter_ms" in asked.levels and latency == MEASURED:
        return (
            "latency_jitter_ms needs clock:=lockstep and latency:=fixed:MS or profile:FILE: a"
            " measured latency has its own"
        )
    return ""


class RunSpec(LaunchSpec):
    """One run."""

    ALWAYS: ClassVar[tuple[str, ...]] = ("model", "circuit")

    model: str = "tflite_dynamic"
    circuit: str = "simple_circuit"
    laps: Count = 1
    direction: Literal["forward", "reverse"] = "forward"
    start: str = "default"
    timeout: NonNegative = Field(default=0.0, description="simulated s; 0: the circuit's limit")
    seed: Seed = 0
    clock: Literal["realtime", "lockstep"] = "realtime"
    latency: str = MEASURED
    record_camera: bool = False
    gui: bool = False
    image_width: int = Field(default=640, ge=64, le=1920)
    image_height: int = Field(default=480, ge=48, le=1080)
    antialiasing: Antialiasing = Field(default=4, description="samples a pixel: 4 or 0")
    appearance: Seed = Field(default=0, description="0: as published; else a random look")
    conditions: ConditionsText = Field(default="", description=HELP)
    output: str = ""

    @field_validator("start")
    @classmethod
    def _start_is_a_station(cls, value: str) -> str:
        if value != "default":
            try:
                station_m = float(value)
            except ValueError:
                station_m = math.nan
            if not math.isfinite(station_m):
                raise ValueError("is 'default' or a station in metres")
        return value

    @field_validator("latency")
    @classmethod
    def _latency_is_one(cls, value: str) -> str:
        LatencyText.parse(value)
        return value

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Checks arguments, names of model and circuit included.

        Raises:
            UsageError: in one line, what is wrong and what is known.
            DataError: the circuit's or the latency profile's file is missing or broken.
        """
        spec = cls.checked(values)
        if spec.latency != MEASURED and spec.clock == "realtime":
            raise UsageError(
                f"latency: {spec.latency} needs clock:=lockstep: in real time a brain has its own"
            )
        if useless := useless_condition(spec.asked_conditions(), spec.model, spec.latency):
            raise UsageError(f"conditions: {useless}")
        if load_circuit(spec.circuit).world is not None:
            if spec.appearance:
                raise UsageError(
                    f"appearance: {spec.appearance} can't be had: the circuit's world has its own"
                    " look"
                )
            if ours := spec.asked_conditions().of_world:
                raise UsageError(
                    f"conditions: {', '.join(ours)} can't be had: the circuit's world has its own"
                    " look"
                )
        if profile := spec.latency_profile():
            read_profile(profile)
        if spec.model == EXPERT:
            return spec
        # A card by its whole path: nodes start elsewhere, and a result must find it again.
        return spec.model_copy(update={"model": asked_by(find_model(spec.model))})

    def check_runnable(self) -> None:
        """Says at once what the model lacks on this machine, before anything is started.

        Raises:
            UnavailableError: an extra, a device or an artifact is missing; how to get it.
            DataError: the world that the circuit names is not there, or another one by now.
        """
        if self.model != EXPERT:
            availability.to_drive(find_model(self.model)).require()
        if (world := self.load_circuit().world) is not None:
            unchanged(world)

    def asked_conditions(self) -> Conditions:
        """The conditions of this run."""
        return Conditions.parse(self.conditions)

    def load_circuit(self) -> Circuit:
        """The circuit of this run."""
        return load_circuit(self.circuit)

    def start_station_m(self, circuit: Circuit | None = None) -> float:
        """Where the car starts, along the centreline in driving direction.

        Args:
            circuit: The circuit, if it is not the one known here by the run's name of it.
        """
        circuit = circuit or self.load_circuit()
        if self.start == "default":
            return circuit.start_station(self.direction)
        return float(self.start) % circuit.centreline(self.direction).length_m

    def latency_profile(self) -> Path | None:
        """The file of the latency profile; None where there is none."""
        return LatencyText.parse(self.latency).profile

    def timeout_s(self, circuit: Circuit | None = None) -> float:
        """Simulated time after which the run is over; the argument as for `start_station_m`."""
        return self.timeout or (circuit or self.load_circuit()).time_limit_s * self.laps

    def folder(self, recordings: Path, started_at: str) -> Path:
        """Where the run lands: the output asked for, else recordings/<time>-<model>-<circuit>."""
        if self.output:
            return Path(self.output).absolute()
        model = model_file_name(self.model)
        return recordings / f"{started_at}-{model}-{Path(self.circuit).stem}"
