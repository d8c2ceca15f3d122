"""The evaluation set kept in git: held-out real frames of each circuit with the expert's labels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.training.frames import DATA_DIR, FrameSet, pick_frames, read_frames

EVALUATION_FILE = DATA_DIR / "evaluation.npz"


def make_evaluation(data: Path, per_circuit: int = 300) -> FrameSet:
    """Pick frames of a data set's test split, evenly spread over each circuit's runs.

    Raises:
        DataError: The data set is broken or its test split empty.
    """

    def evenly(labels: NDArray[np.float32]) -> NDArray[np.intp]:
        count = min(per_circuit, len(labels))
        return np.linspace(0, len(labels) - 1, count).round().astype(np.intp)

    return pick_frames(data, "test", evenly)


def read_evaluation(path: Path = EVALUATION_FILE) -> FrameSet:
    """Read an evaluation set.

    Raises:
        DataError: The file is missing or broken.
    """
    return read_frames(path)
