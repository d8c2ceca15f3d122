"""The contract of a brain: one camera frame in, one command out."""

import math
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from brains.model import ModelSpec
from harness.errors import BrainError

Frame = NDArray[np.uint8]
"""A camera image: uint8, shape (height, width, 3), red-green-blue."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the car is told: forward speed, and yaw rate (positive to the left)."""

    v_m_s: float
    w_rad_s: float


@dataclass(frozen=True, slots=True)
class TimedCommand:
    """A command and when the engine's call began and ended (``time.monotonic``)."""

    command: Command
    infer_start_s: float
    infer_end_s: float


@dataclass(frozen=True, slots=True)
class CarState:
    """What is known of the car at a frame's time.

    Attributes:
        speed_m_s: Measured forward speed; nan for a brain that does not need it.
        previous: The last command before the frame.
        stamp_s: The frame's time, simulated seconds.
    """

    speed_m_s: float
    previous: Command
    stamp_s: float

    @classmethod
    def standing(cls) -> Self:
        """A car that stands still at time zero and was told nothing yet."""
        return cls(0.0, Command(0.0, 0.0), 0.0)


class Brain(ABC):
    """Base of every brain; a new one overrides ``predict`` and, where useful, the rest.

    ``infer`` runs ``observe``, ``preprocess``, ``predict`` and ``postprocess``. Only ``predict``
    counts as inference, so it must hold the engine's call and nothing else, and must have finished
    (a GPU synchronised) when it returns.

    Attributes:
        stateful: Whether an answer depends on earlier frames; such a brain overrides ``reset``.
        needs_speed: Whether it must be told the car's measured speed (``CarState.speed_m_s``).
    """

    stateful: bool = False
    needs_speed: bool = False

    @classmethod
    def load(cls, model: ModelSpec) -> Self:
        """Build the brain that ``model`` describes; the default builds it without arguments.

        Raises:
            DataError: The model's file is missing, broken or not the expected one.
            UnavailableError: This machine lacks what the engine needs.
        """
        del model
        return cls()

    def reset(self) -> None:
        """Forget all frames: a new sequence begins. The default has nothing to forget."""
        return

    def observe(self, state: CarState | None) -> None:
        """Take note of the car's state, told before each frame; the default does nothing.

        Args:
            state: None where nobody knows it: a frame alone is answered.
        """
        del state

    def preprocess(self, frame: Frame) -> Any:
        """Turn a frame into the engine's input; the default hands the frame over as it is."""
        return frame

    @abstractmethod
    def predict(self, data: Any) -> Any:
        """Call the engine on a preprocessed frame and return its raw output."""

    def postprocess(self, output: Any) -> Command:
        """Turn the engine's output into a command; the default takes a ``Command`` or (v, w)."""
        if isinstance(output, Command):
            return output
        v_m_s, w_rad_s = output
        return Command(float(v_m_s), float(w_rad_s))

    def proof(self) -> dict[str, Any]:
        """Say what really runs; network brains add operators, artifact and the like."""
        kind = type(self)
        return {
            "engine": f"{kind.__module__}:{kind.__qualname__}",
            "engine_version": None,
            "device": "cpu",
            "interpreter": sys.executable,
        }

    @final
    def infer(self, frame: Frame, state: CarState | None = None) -> Command:
        """Answer one frame.

        Args:
            frame: uint8, shape (height, width, 3), red-green-blue; is not changed.
            state: The car at the frame's time, where it is known.

        Raises:
            BrainError: The answer is not a pair of finite numbers.
        """
        return self.timed_infer(frame, state).command

    @final
    def timed_infer(self, frame: Frame, state: CarState | None = None) -> TimedCommand:
        """Answer one frame as ``infer`` does, with the times around the engine's call."""
        self.observe(state)
        data = self.preprocess(frame)
        infer_start_s = time.monotonic()
        output = self.predict(data)
        infer_end_s = time.monotonic()
        return TimedCommand(self._command(output), infer_start_s, infer_end_s)

    @final
    def warm_up(self, frame: Frame, times: int = 3) -> None:
        """Answer ``frame`` a few times, so that lazy initialisation is over before the start.

        The brain is reset afterwards: what it saw was no part of any sequence.
        """
        for _ in range(times):
            self.infer(frame)
        self.reset()

    def _command(self, output: Any) -> Command:
        name = type(self).__name__
        try:
            command = self.postprocess(output)
        except (TypeError, ValueError) as error:
            raise BrainError(f"{name} answered {output!r}, which is no command: {error}") from error
        if not isinstance(command, Command):
            raise BrainError(f"{name}.postprocess returned {command!r}: it must return a Command")
        if not (math.isfinite(command.v_m_s) and math.isfinite(command.w_rad_s)):
            raise BrainError(f"{name} answered {command}: both values must be finite")
        return command
