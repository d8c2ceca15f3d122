"""What every network sees and says: one implementation for all engines, training included.

The published networks see the lower half of the frame at 200 x 66, normalised by ImageNet's mean
and deviation, and answer speed and yaw rate scaled to [0, 1].
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from brains.interface import Command, Frame

INPUT_HEIGHT = 66
INPUT_WIDTH = 200
V_MIN_M_S, V_SPAN_M_S = 6.5, 17.5
W_MIN_RAD_S, W_SPAN_RAD_S = -7.1, 14.2

_MEAN = np.array([0.485, 0.456, 0.406])
_DEVIATION = np.array([0.229, 0.224, 0.225])
# (p / 255 - mean) / deviation as one multiplication and one addition, repeated over a row.
_GAIN = np.tile((1 / (255 * _DEVIATION)).astype(np.float32), INPUT_WIDTH)
_OFFSET = np.tile((-_MEAN / _DEVIATION).astype(np.float32), INPUT_WIDTH)


def crop(frame: Frame) -> NDArray[np.uint8]:
    """Lower half of a frame (rows H/2 to H), resized.

    Args:
        frame: uint8, shape (H, W, 3), red-green-blue.

    Returns:
        uint8, shape (66, 200, 3).
    """
    lower = frame[frame.shape[0] // 2 :]
    small = cv2.resize(lower, (INPUT_WIDTH, INPUT_HEIGHT), interpolation=cv2.INTER_LINEAR)
    return np.asarray(small, np.uint8)


def normalise(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Subtract ImageNet's mean and divide by its deviation.

    Args:
        crops: uint8, shape (..., 66, 200, 3).

    Returns:
        float32 of the same shape.
    """
    rows = crops.reshape(*crops.shape[:-2], -1).astype(np.float32)
    rows *= _GAIN
    rows += _OFFSET
    return rows.reshape(crops.shape)


def preprocess(frame: Frame) -> NDArray[np.float32]:
    """Network input for one frame: float32, shape (1, 66, 200, 3)."""
    return normalise(crop(frame))[np.newaxis]


def to_command(output: NDArray[np.float32]) -> Command:
    """Command from one network output, shape (1, 2) or (2,), of scaled speed and yaw rate."""
    y_v, y_w = np.asarray(output, np.float64).reshape(2)
    return Command(V_MIN_M_S + V_SPAN_M_S * float(y_v), W_MIN_RAD_S + W_SPAN_RAD_S * float(y_w))


def to_output(commands: NDArray[np.floating]) -> NDArray[np.float32]:
    """Network outputs for commands (v m/s, w rad/s), shape (..., 2); inverse of to_command."""
    low = np.array([V_MIN_M_S, W_MIN_RAD_S])
    span = np.array([V_SPAN_M_S, W_SPAN_RAD_S])
    return np.asarray((np.asarray(commands, np.float64) - low) / span, np.float32)
