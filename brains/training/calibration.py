"""The calibration set kept in git: training frames from which integer networks take their ranges.

Calibration on frames of the evaluation set would flatter the networks it is to judge.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.training.dataset import read_split, yaw_rate_weights
from brains.training.frames import DATA_DIR, FrameSet, circuits_of_frames, read_frames

CALIBRATION_FILE = DATA_DIR / "calibration.npz"


def make_calibration(data: Path, per_circuit: int = 100) -> FrameSet:
    """Pick frames of a data set's training split, spread over circuits and yaw rates.

    Of each circuit's frames in the order of their yaw rate, one is taken after every equal share
    of the weight that training gives them (``yaw_rate_weights``).

    Raises:
        DataError: The data set is broken or its training split empty.
    """
    split = read_split(data, "train")
    where = circuits_of_frames(data, "train")
    rows: list[NDArray[np.intp]] = []
    for circuit in sorted(set(where.tolist())):
        frames = np.flatnonzero(where == circuit)
        frames = frames[np.argsort(split.labels[frames, 1], kind="stable")]
        passed = np.cumsum(yaw_rate_weights(split.labels[frames]))
        count = min(per_circuit, len(frames))
        middles = (np.arange(count) + 0.5) / count * passed[-1]
        rows.append(frames[np.unique(np.searchsorted(passed, middles))])
    picked = np.concatenate(rows)
    return FrameSet(np.asarray(split.crops[picked]), split.labels[picked], where[picked])


def read_calibration(path: Path = CALIBRATION_FILE) -> FrameSet:
    """Read a calibration set.

    Raises:
        DataError: The file is missing or broken.
    """
    return read_frames(path)
