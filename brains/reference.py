"""Check frames with the float network's answers: how far an optimised version is from it.

The file lies beside the weights (reference.npz): ``crops`` uint8 (n, h, w, c), the network's
pictures, and ``outputs`` float32 (n, 2), what the float network with those weights answers.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import checked_sha256, source_folder
from brains.model import ModelSpec
from brains.view import View

Answers = Callable[[Iterable[dict[str, NDArray[np.float32]]]], NDArray[np.float32]]
"""Picked values, shape (n, 2), for inputs as a view gives them."""


def write_reference(path: Path, crops: NDArray[np.uint8], outputs: NDArray[np.float32]) -> None:
    """Write check frames and the float network's answers to them."""
    np.savez_compressed(path, crops=crops, outputs=outputs)


def greatest_difference(answers: Answers, view: View, model: ModelSpec) -> float | None:
    """Greatest absolute difference of picked values from the float network's answers.

    None where the network comes without check frames.

    Args:
        answers: Of the version.
        view: Of the network.
        model: Names the file with check frames and answers.

    Raises:
        DataError: The check frames' file is broken.
    """
    if model.reference is None or not (path := source_folder(model) / model.reference).is_file():
        return None
    checked_sha256(path)
    with np.load(path) as reference:
        outputs = answers([view.inputs_of(picture) for picture in reference["crops"]])
        return float(np.abs(outputs - reference["outputs"]).max())
