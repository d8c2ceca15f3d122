"""What conditions draw: each from a stream of its own, so that none shifts another's."""

import zlib

import numpy as np


def generator(seed: int, name: str, *numbers: int) -> np.random.Generator:
    """The stream of a condition in a run.

    Args:
        seed: Of the run.
        name: The condition's.
        numbers: Further ones, of a frame say, for a stream of its own.
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode()), *numbers])
