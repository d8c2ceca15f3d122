"""How far a network's answers are from the expert's labels."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from brains.preprocess import V_MIN_M_S, V_SPAN_M_S, W_MIN_RAD_S, W_SPAN_RAD_S
from harness.errors import BrainError

_LOW = np.array([V_MIN_M_S, W_MIN_RAD_S])
_SPAN = np.array([V_SPAN_M_S, W_SPAN_RAD_S])


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


def errors(outputs: NDArray[np.float32], labels: NDArray[np.float32]) -> Errors:
    """Errors of scaled outputs, computed in float64.

    Args:
        outputs: Scaled outputs, shape (n, 2).
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
    outputs: NDArray[np.float32], labels: NDArray[np.float32], circuits: NDArray[np.str_]
) -> dict[str, Errors]:
    """Errors over the frames of each circuit, shape (n,) of names beside the frames."""
    return {
        str(circuit): errors(outputs[circuits == circuit], labels[circuits == circuit])
        for circuit in np.unique(circuits)
    }
