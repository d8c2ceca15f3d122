"""What a network says: which of its outputs are speed and yaw rate, and in what scale.

A card's ``says`` tells it (``brains.card``). Outputs are bound by name: converters change their
order.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from brains.interface import Command
from brains.view import CardPart, Real
from harness.errors import DataError, UsageError

Outputs = Mapping[str, NDArray[Any]]
"""A network's outputs by name, each of shape (n, ...)."""


class Value(CardPart):
    """How v or w is read from the outputs: gain y + offset, held within limits.

    Attributes:
        output: Name of the output; None: the network has only one.
        index: Which of the output's values is y.
        bins: Instead of an index: the output holds the probabilities of classes that stand evenly
            from the first of these numbers to the second; y is the expected value.
        gain: See above.
        offset: See above.
        limits: Lowest and highest command.
        constant: Always this command, instead of an output.
    """

    output: str | None = None
    index: int | None = None
    bins: tuple[Real, Real] | None = None
    gain: Real = 1.0
    offset: Real = 0.0
    limits: tuple[Real, Real] | None = None
    constant: Real | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        others = {"output", "index", "bins", "gain", "offset", "limits"} & self.model_fields_set
        if self.constant is not None and others:
            raise ValueError(f"a constant takes no {', '.join(sorted(others))}")
        if self.bins is not None and self.index is not None:
            raise ValueError("give an index or bins, not both")
        if self.index is not None and self.index < 0:
            raise ValueError("index counts from 0")
        if self.gain == 0:
            raise ValueError("a gain of 0 forgets the network: give a constant instead")
        if self.limits is not None and not self.limits[0] <= self.limits[1]:
            raise ValueError("limits must be the lowest and the highest command")
        return self

    def array_of(self, outputs: Outputs) -> NDArray[Any]:
        """The output that it reads.

        Raises:
            DataError: There is no such output, or it isn't named and there are several.
        """
        # The only output is meant, whatever a converter has called it.
        only = next(iter(outputs.values())) if len(outputs) == 1 else None
        found = only if self.output is None else outputs.get(self.output, only)
        if found is None:
            names = ", ".join(outputs)
            what = f"no output {self.output!r}" if self.output else "several outputs"
            raise DataError(f"the network has {what}: name one of {names} in the card's says")
        return found

    def picked(self, outputs: Outputs) -> NDArray[np.float32]:
        """The values y, float32 (n,)."""
        found = self.array_of(outputs)
        rows = found.reshape(len(found), -1) if found.ndim else found.reshape(1, 1)
        if self.bins is not None:
            places = np.linspace(*self.bins, rows.shape[1])
            shares = rows.astype(np.float64)
            return np.asarray(shares @ places / shares.sum(axis=1), np.float32)
        index = self.index or 0
        if index >= rows.shape[1]:
            raise DataError(
                f"output {self.output or next(iter(outputs))!r} holds {rows.shape[1]} values: "
                f"the card's index {index} is none of them"
            )
        return np.asarray(rows[:, index], np.float32)

    def command(self, picked: NDArray[np.floating]) -> NDArray[np.float64]:
        """Commands of the values y, float64 of the same shape."""
        if self.constant is not None:
            return np.full(np.shape(picked), self.constant)
        command = self.offset + self.gain * np.asarray(picked, np.float64)
        return command if self.limits is None else np.clip(command, *self.limits)


class Says(CardPart):
    """How a network's outputs become commands.

    Attributes:
        v: Forward speed, m/s.
        w: Yaw rate, rad/s, positive to the left.
    """

    v: Value
    w: Value

    def picked(self, outputs: Outputs) -> NDArray[np.float32]:
        """The outputs' values that become v and w.

        Args:
            outputs: By name, each of shape (n, ...).

        Returns:
            float32, shape (n, 2); nan where the card says a constant.

        Raises:
            DataError: The card names what is not there.
        """
        count = next(len(output) if output.ndim else 1 for output in outputs.values())
        columns = [
            np.full(count, np.nan, np.float32)
            if value.constant is not None
            # Copied by stacking: an engine may overwrite its buffers in the next call.
            else value.picked(outputs)
            for value in (self.v, self.w)
        ]
        return np.stack(columns, axis=1)

    def commands(self, picked: NDArray[np.floating]) -> NDArray[np.float64]:
        """Commands (v m/s, w rad/s) of picked values, float64 of the same shape (..., 2)."""
        return np.stack([self.v.command(picked[..., 0]), self.w.command(picked[..., 1])], axis=-1)

    def to_picked(self, commands: NDArray[np.floating]) -> NDArray[np.float32]:
        """Values that say these commands: the inverse of ``commands``, for labels of a training.

        Args:
            commands: v m/s, w rad/s, shape (..., 2).

        Returns:
            float32 of the same shape; nan where the card says a constant.

        Raises:
            UsageError: The card reads classes (bins): no label says which.
        """
        if self.v.bins is not None or self.w.bins is not None:
            raise UsageError("a network that answers classes (bins) has no labels of v and w")
        low = np.array([self.v.offset, self.w.offset])
        span = np.array([self.v.gain, self.w.gain])
        values = np.asarray((np.asarray(commands, np.float64) - low) / span, np.float32)
        values[..., [self.v.constant is not None, self.w.constant is not None]] = np.nan
        return values

    def command(self, outputs: Outputs) -> Command:
        """The command of one frame's outputs; equals ``commands(picked(outputs))``."""
        return Command(self._one(self.v, outputs), self._one(self.w, outputs))

    @staticmethod
    def _one(value: Value, outputs: Outputs) -> float:
        if value.constant is not None:
            return value.constant
        if value.bins is not None:
            y = float(value.picked(outputs)[0])
        else:
            found = value.array_of(outputs)
            index = value.index or 0
            if index >= found.size:
                value.picked(outputs)
            y = float(np.float32(found.item(index)))
        command = value.offset + value.gain * y
        if value.limits is None:
            return command
        return min(max(command, value.limits[0]), value.limits[1])

    def step(self, of_output: float) -> tuple[float | None, float | None]:
        """How far v (m/s) and w (rad/s) move where an output moves by a step; None of constants."""
        v, w = (
            None if value.constant is not None else abs(value.gain) * of_output
            for value in (self.v, self.w)
        )
        return v, w
