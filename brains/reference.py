"""Check frames with the float network's answers: how far an optimised version is from it.

The file lies beside the weights (reference.npz): ``crops`` uint8 (n, 66, 200, 3) and ``outputs``
float32 (n, 2), the answers of the float network with those weights.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import REFERENCE_FILE, checked_sha256, weights_dir
from brains.preprocess import normalise

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Scaled outputs, shape (n, 2), for normalised images, shape (n, 66, 200, 3)."""


def write_reference(path: Path, crops: NDArray[np.uint8], outputs: NDArray[np.float32]) -> None:
    """Write check frames and the float network's answers to them."""
    np.savez_compressed(path, crops=crops, outputs=outputs)


def greatest_difference(network: Network, reference_file: str = REFERENCE_FILE) -> float | None:
    """Greatest absolute difference of scaled outputs from the float network's answers.

    None where the weights come without check frames.

    Args:
        network: Answers normalised images.
        reference_file: File of the weights folder with check frames and answers.

    Raises:
        DataError: The check frames' file is broken.
    """
    path = weights_dir() / reference_file
    if not path.is_file():
        return None
    checked_sha256(path)
    with np.load(path) as reference:
        outputs = network(normalise(reference["crops"]))
        return float(np.abs(outputs - reference["outputs"]).max())
