"""The calibration set kept in git: training frames from which integer networks take their ranges.

Calibration on frames of the evaluation set would flatter the networks it is to judge.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.training.dataset import yaw_rate_weights
from brains.training.frames import DATA_DIR, FrameSet, pick_frames, read_frames

CALIBRATION_FILE = DATA_DIR / "calibration.npz"


def make_calibration(data: Path, per_circuit: int = 100) -> FrameSet:
    """Pick frames of a data set's training split, spread over circuits and yaw rates.

    Of each circuit's frames in the order of their yaw rate, one is taken after every equal share
    of the weight that training gives them (``yaw_rate_weights``).

    Raises:
        DataError: The data set is broken or its training split empty.
    """

    def by_yaw_rate(labels: NDArray[np.float32]) -> NDArray[np.intp]:
        order = np.argsort(labels[:, 1], kind="stable")
        passed = np.cumsum(yaw_rate_weights(labels[order]))
        count = min(per_circuit, len(order))
        middles = (np.arange(count) + 0.5) / count * passed[-1]
        return np.asarray(order[np.unique(np.searchsorted(passed, middles))])

    return pick_frames(data, "train", by_yaw_rate)


def read_calibration(path: Path = CALIBRATION_FILE) -> FrameSet:
    """Read a calibration set.

    Raises:
        DataError: The file is missing or broken.
    """
    return read_frames(path)
