"""PilotNet's dimensions and its weights file; needs no framework."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

PARAMETERS = 17_016_206
INPUT_HEIGHT, INPUT_WIDTH = 66, 200
EPSILON = 1e-3
"""Of the leading BatchNormalization."""
CONVOLUTIONS = ((24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1))
"""Filters, size and stride of each."""


def read_weights(path: Path) -> list[NDArray[np.float32]]:
    """Weights of a weights file, in Keras' order.

    Raises:
        DataError: The file is missing or no weights file.
    """
    try:
        with np.load(path) as arrays:
            return [arrays[name].astype(np.float32) for name in sorted(arrays.files)]
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        line = " ".join(str(error).split())
        raise DataError(f"{path} holds no weights: {line}") from error
