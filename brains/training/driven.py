"""Frames of a network's own laps as PilotNet sees them, in the order in which it drove them.

The expert's laps show a network what to do wherever it may get to; its own laps show where it does
get to. They stand beside a data set's splits, as ``driven.npz``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.training.frames import pilotnet_view
from brains.training.recorded import read_frames
from harness.errors import DataError

DRIVEN_FILE = "driven.npz"


@dataclass(frozen=True)
class Driven:
    """Crops uint8 (n, 66, 200, 3) of laps one after the other; the laps' first rows, (laps,)."""

    crops: NDArray[np.uint8]
    firsts: NDArray[np.int64]


def gather_driven(recordings: Sequence[Path], data: Path) -> Driven:
    """Gather the frames of recordings into a data set's folder.

    Raises:
        DataError: A recording can't be read or has no camera frames.
    """
    picture = pilotnet_view().picture
    laps = [read_frames(recording, picture) for recording in recordings]
    firsts = np.cumsum([0, *(len(lap) for lap in laps[:-1])], dtype=np.int64)
    driven = Driven(np.concatenate(laps), firsts)
    part = data / f".{DRIVEN_FILE}.part"
    with part.open("wb") as file:
        np.savez(file, crops=driven.crops, firsts=driven.firsts)
    part.replace(data / DRIVEN_FILE)
    return driven


def read_driven(data: Path) -> Driven:
    """What `gather_driven` wrote.

    Raises:
        DataError: It is missing or broken.
    """
    path = data / DRIVEN_FILE
    try:
        with np.load(path) as arrays:
            return Driven(arrays["crops"], arrays["firsts"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: {error}: make it with `harness dataset driven`") from None
