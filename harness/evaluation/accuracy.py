"""How far a network's answers are from the expert's labels."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from brains.says import Says, Value
from harness.errors import BrainError

# The study's scale of speed and yaw rate, in which errors of all networks are told.
_LOW = np.array([6.5, -7.1])
_SPAN = np.array([17.5, 14.2])


class Errors(BaseModel):
    """Errors over some frames.

    Attributes:
        frames: How many.
        mse: Mean over frames and both scaled outputs of the squared error, as published.
        mae_v_m_s: Mean absolute error of the speed.
        mae_w_rad_s: Mean absolute error of the yaw rate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    frames: int
    mse: float
    mae_v_m_s: float
    mae_w_rad_s: float


def scaled_outputs(says: Says, picked: NDArray[np.float32]) -> NDArray[np.float64]:
    """Speed and yaw rate in the study's scale, (n, 2), of what a card picks of the outputs."""
    commands = (says.commands(picked) - _LOW) / _SPAN
    columns = [
        # Of a network that answers in this scale, its answers as they are.
        picked[:, column].astype(np.float64)
        if _in_the_studys_scale(value, column)
        else commands[:, column]
        for column, value in enumerate((says.v, says.w))
    ]
    return np.stack(columns, axis=1)


def _in_the_studys_scale(value: Value, column: int) -> bool:
    plain = value.constant is None and value.bins is None and value.limits is None
    return plain and (value.offset, value.gain) == (_LOW[column], _SPAN[column])


def errors(outputs: NDArray[np.floating], labels: NDArray[np.float32]) -> Errors:
    """Errors of scaled outputs, computed in float64.

    Args:
        outputs: Outputs in the study's scale, shape (n, 2).
        labels: The expert's v (m/s) and w (rad/s), shape (n, 2).

    Raises:
        BrainError: The outputs have another shape or are not finite.
    """
    if outputs.shape != labels.shape:
        raise BrainError(f"the network answered shape {outputs.shape}, not {labels.shape}")
    if not np.isfinite(outputs).all():
        raise BrainError("the network answered values that are not finite")
    differences = outputs.astype(np.float64) - (labels.astype(np.float64) - _LOW) / _SPAN
    mae_v_m_s, mae_w_rad_s = np.abs(differences).mean(axis=0) * _SPAN
    return Errors(
        frames=len(labels),
        mse=float(np.square(differences).mean()),
        mae_v_m_s=float(mae_v_m_s),
        mae_w_rad_s=float(mae_w_rad_s),
    )


def errors_by_circuit(
    outputs: NDArray[np.floating], labels: NDArray[np.float32], circuits: NDArray[np.str_]
) -> dict[str, Errors]:
    """Errors over the frames of each circuit, shape (n,) of names beside the frames."""
    return {
        str(circuit): errors(outputs[circuits == circuit], labels[circuits == circuit])
        for circuit in np.unique(circuits)
    }
