"""Writes the weights files kept in git: named arrays, rounded to float16."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError


def write_weights(
    path: Path, arrays: Mapping[str, NDArray[np.floating]], *, compress: bool = False
) -> None:
    """Write arrays by name, rounded to float16 (atomically).

    Args:
        path: The file, an ``.npz``.
        arrays: Weights by name.
        compress: Whether to deflate them; worth its time where many weights are zero.

    Raises:
        DataError: A weight is not finite or too large for float16.
    """
    with np.errstate(over="ignore"):
        rounded = {name: np.asarray(array, np.float16) for name, array in arrays.items()}
    if not all(np.isfinite(array).all() for array in rounded.values()):
        raise DataError("the network has weights that are not finite in float16: train it anew")
    part = path.with_name(f".{path.name}.part.npz")
    if compress:
        np.savez_compressed(part, allow_pickle=False, **rounded)
    else:
        np.savez(part, allow_pickle=False, **rounded)
    part.replace(path)
