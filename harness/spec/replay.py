"""What a replay is asked to be: the arguments of replay.launch and of `harness replay`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field

from brains.catalogue import find_model, why_not
from harness.errors import UnavailableError, UsageError
from harness.spec.launch import LaunchSpec
from harness.spec.run import EXPERT


class ReplaySpec(LaunchSpec):
    """One replay."""

    ALWAYS: ClassVar[tuple[str, ...]] = ("bag", "model")

    bag: str = Field(default="", description="a recording's folder, or a bag")
    model: str = "tflite_dynamic"
    rate: float = Field(default=0.0, ge=0.0, description="frames/s at most; 0: as it answers")
    patience: float = Field(default=60.0, gt=0.0, description="s that an answer may take")
    output: str = ""
    camera_topic: str = Field(default="", description="empty: the usual one, or the only one")

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
        find_model(spec.model)
        return spec

    def check_runnable(self) -> None:
        """Says at once what the model lacks on this machine, before anything is started.

        Raises:
            UnavailableError: an extra, a device or an artifact is missing; how to get it.
        """
        if reason := why_not(find_model(self.model)):
            raise UnavailableError(reason)

    def folder(self, recordings: Path, started_at: str) -> Path:
        """Where the replay lands: the output asked for, else recordings/replay-<time>-<model>."""
        if self.output:
            return Path(self.output).absolute()
        return recordings / f"replay-{started_at}-{self.model.replace(':', '.')}"
