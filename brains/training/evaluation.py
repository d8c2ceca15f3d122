"""The evaluation set kept in git: held-out real frames of each circuit with the expert's labels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.training.dataset import read_split
from brains.training.frames import DATA_DIR, FrameSet, circuits_of_frames, read_frames

EVALUATION_FILE = DATA_DIR / "evaluation.npz"


def make_evaluation(data: Path, per_circuit: int = 300) -> FrameSet:
    """Pick frames of a data set's test split, evenly spread over each circuit's runs.

    Raises:
        DataError: The data set is broken or its test split empty.
    """
    split = read_split(data, "test")
    where = circuits_of_frames(data, "test")
    rows: list[NDArray[np.intp]] = []
    for circuit in sorted(set(where.tolist())):
        frames = np.flatnonzero(where == circuit)
        chosen = np.linspace(0, len(frames) - 1, min(per_circuit, len(frames))).round().astype(int)
        rows.append(frames[chosen])
    picked = np.concatenate(rows)
    return FrameSet(np.asarray(split.crops[picked]), split.labels[picked], where[picked])


def read_evaluation(path: Path = EVALUATION_FILE) -> FrameSet:
    """Read an evaluation set.

    Raises:
        DataError: The file is missing or broken.
    """
    return read_frames(path)
