"""How far a network's answers are from the expert's labels."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from harness.errors import BrainError

SPANS = np.array([17.5, 14.2])
"""Spans of v (m/s) and w (rad/s) by which the study scales errors, whatever a network's own are."""


class Errors(BaseModel):
    """Errors over some frames.

    Attributes:
        frames: How many.
        mse: Mean over frames and both commands, scaled by their spans, of the squared error, as
            published.
        mae_v_m_s: Mean absolute error of the speed.
        mae_w_rad_s: Mean absolute error of the yaw rate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    frames: int
    mse: float
    mae_v_m_s: float
    mae_w_rad_s: float


def errors(commands: NDArray[np.floating], labels: NDArray[np.float32]) -> Errors:
    """Errors of commands, computed in float64.

    Args:
        commands: What the network says: v (m/s) and w (rad/s), shape (n, 2).
        labels: The expert's v (m/s) and w (rad/s), shape (n, 2).

    Raises:
        BrainError: The outputs have another shape or are not finite.
    """
    if commands.shape != labels.shape:
        raise BrainError(f"the network answered shape {commands.shape}, not {labels.shape}")
    if not np.isfinite(commands).all():
        raise BrainError("the network answered values that are not finite")
    differences = (commands.astype(np.float64) - labels.astype(np.float64)) / SPANS
    mae_v_m_s, mae_w_rad_s = np.abs(differences).mean(axis=0) * SPANS
    return Errors(
        frames=len(labels),
        mse=float(np.square(differences).mean()),
        mae_v_m_s=float(mae_v_m_s),
        mae_w_rad_s=float(mae_w_rad_s),
    )


def errors_by_circuit(
    commands: NDArray[np.floating], labels: NDArray[np.float32], circuits: NDArray[np.str_]
) -> dict[str, Errors]:
    """Errors over the frames of each circuit, shape (n,) of names beside the frames."""
    return {
        str(circuit): errors(commands[circuits == circuit], labels[circuits == circuit])
        for circuit in np.unique(circuits)
    }
