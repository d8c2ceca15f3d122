"""The published networks' view and scale, as their card says them, for their own trainings."""

import numpy as np
from numpy.typing import NDArray

from brains.card import cached_card
from brains.interface import Command, Frame
from brains.versions import PILOTNET_CARD
from brains.view import View

_CARD = cached_card(PILOTNET_CARD)
_VIEW = View(_CARD.sees)
INPUT_HEIGHT, INPUT_WIDTH, _ = _VIEW.picture_shape
V_MIN_M_S, V_SPAN_M_S = _CARD.says.v.offset, _CARD.says.v.gain
W_MIN_RAD_S, W_SPAN_RAD_S = _CARD.says.w.offset, _CARD.says.w.gain


def crop(frame: Frame) -> NDArray[np.uint8]:
    """Lower half of a frame (H, W, 3), resized to uint8 (66, 200, 3)."""
    return _VIEW.picture(frame)


def normalise(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Crops, uint8 (..., 66, 200, 3), less ImageNet's mean and over its deviation: float32."""
    return _VIEW.scaled(crops)


def preprocess(frame: Frame) -> NDArray[np.float32]:
    """Network input for one frame: float32, shape (1, 66, 200, 3)."""
    return normalise(crop(frame))[np.newaxis]


def to_command(output: NDArray[np.float32]) -> Command:
    """Command from one network output, shape (1, 2) or (2,), of scaled speed and yaw rate."""
    return _CARD.says.command({"output": np.asarray(output).reshape(1, 2)})


def to_output(commands: NDArray[np.floating]) -> NDArray[np.float32]:
    """Network outputs for commands (v m/s, w rad/s), shape (..., 2); inverse of to_command."""
    return _CARD.says.to_picked(commands)
