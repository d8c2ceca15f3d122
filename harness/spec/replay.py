"""What a replay is asked to be: the arguments of replay.launch and of `harness replay`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator

from brains import availability
from brains.artifacts import asked_by
from brains.catalogue import find_model
from harness.errors import UsageError
from harness.spec.launch import LaunchSpec, NonNegative, model_file_name
from harness.spec.run import EXPERT

SLOWEST_HZ = 0.001


class ReplaySpec(LaunchSpec):
    """One replay."""

    ALWAYS: ClassVar[tuple[str, ...]] = ("bag", "model")

    bag: str = Field(default="", description="a recording's folder, or a bag")
    model: str = "tflite_dynamic"
    rate: NonNegative = Field(default=0.0, description="frames/s at most; 0: as it answers")
    patience: NonNegative = Field(default=60.0, gt=0.0, description="s that an answer may take")
    output: str = ""
    camera_topic: str = Field(default="", description="empty: the usual one, or the only one")

    @field_validator("rate")
    @classmethod
    def _rate_is_no_standstill(cls, value: float) -> float:
        if 0.0 < value < SLOWEST_HZ:
            raise ValueError(f"is 0 or at least {SLOWEST_HZ:g} frames/s")
        return value

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Checks arguments, the model's name included.

        Raises:
            UsageError: in one line, what is wrong and what is known.
        """
        spec = cls.checked(values)
        if not spec.bag:
            raise UsageError("no bag given: bag:=recordings/latest, or any bag with camera frames")
        if spec.model == EXPERT:
            raise UsageError("the expert answers poses, not frames: choose a model")
        return spec.model_copy(update={"model": asked_by(find_model(spec.model))})

    def check_runnable(self) -> None:
        """Says at once what the model lacks on this machine, before anything is started.

        Raises:
            UnavailableError: an extra, a device or an artifact is missing; how to get it.
        """
        availability.to_drive(find_model(self.model)).require()

    def folder(self, recordings: Path, started_at: str) -> Path:
        """Where the replay lands: the output asked for, else recordings/replay-<time>-<model>."""
        if self.output:
            return Path(self.output).absolute()
        return recordings / f"replay-{started_at}-{model_file_name(self.model)}"
