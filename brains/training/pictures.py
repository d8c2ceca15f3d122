"""What a network sees of a data set's frames: made once for each geometry, beside the data set."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.training.dataset import (
    INDEX_FILE,
    PICTURES,
    Index,
    RunEntry,
    SplitName,
    read_index,
    read_whole_run,
)
from brains.training.recorded import decoded
from brains.view import Geometry, View
from harness.errors import DataError

CROPS_OF_VERSION_1 = Geometry((0.0, 0.5, 1.0, 1.0), (200, 66), "linear", "rgb")
"""What data sets held before they held whole frames: what PilotNet sees."""

Told = Callable[[int, int], None]
"""Is told how many frames are done, and of how many."""


def quietly(done: int, total: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Split:
    """One split as a network sees it.

    Attributes:
        pictures: uint8, (n, h, w, channels), in the order of the runs.
        labels: float32, (n, 2), v m/s and w rad/s.
        firsts: int64, (runs,), the first row of each run.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.float32]
    firsts: NDArray[np.int64]


def read_pictures(folder: Path, split: SplitName, view: View, tell: Told = quietly) -> Split:
    """A split of a data set as a view sees it; the pictures are mapped from their file.

    Frames are decoded only once: what the view sees of them is kept in ``pictures/`` of the data
    set, for each geometry.

    Args:
        folder: The data set.
        split: Which of its splits.
        view: What the network sees.
        tell: Is told how far the decoding is, where there is any.

    Raises:
        DataError: The data set is broken, or of version 1 and the view sees other parts of a frame.
    """
    index = read_index(folder)
    runs = index.of(split)
    firsts = np.array([run.first for run in runs], np.int64)
    if index.schema_version == 1:
        pictures, labels = _version_1(folder, split, index, view)
    else:
        path = _pictures_file(folder, split, view)
        if not path.is_file():
            _make(folder, runs, view, path, tell)
        pictures, labels = _arrays(path, path.with_name(f"{split}_labels.npy"))
    frames = sum(run.frames for run in runs)
    if pictures.shape != (frames, *view.picture_shape) or labels.shape != (frames, 2):
        raise DataError(f"{folder}: the {split} split does not fit {INDEX_FILE}: build it again")
    return Split(pictures, labels, firsts)


def _version_1(
    folder: Path, split: SplitName, index: Index, view: View
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    if view.geometry != CROPS_OF_VERSION_1:
        raise DataError(
            f"{folder} holds the lower half of each frame at 200 x 66 only (a data set of version"
            f" {index.schema_version}), and this network sees something else: build the data set"
            " again from its recordings"
        )
    return _arrays(folder / f"{split}_crops.npy", folder / f"{split}_labels.npy")


def _arrays(pictures: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    try:
        return np.load(pictures, mmap_mode="r"), np.load(labels)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{pictures.parent}: a split can't be read: {error}") from error


def _pictures_file(folder: Path, split: SplitName, view: View) -> Path:
    """Where a split's pictures lie; another data set in the folder has others."""
    made_from = repr(tuple(view.geometry)).encode() + (folder / INDEX_FILE).read_bytes()
    key = hashlib.sha256(made_from).hexdigest()[:16]
    return folder / PICTURES / key / f"{split}.npy"


def _make(folder: Path, runs: list[RunEntry], view: View, path: Path, tell: Told) -> None:
    """Write a split's pictures and labels; the pictures get their name last."""
    frames = sum(run.frames for run in runs)
    labels = np.empty((frames, 2), np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    shape = (frames, *view.picture_shape)
    # An empty file can't be mapped.
    pictures = (
        np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
        if frames
        else np.empty(shape, np.uint8)
    )
    try:
        row = 0
        for entry in runs:
            run = read_whole_run(folder, entry)
            labels[row : row + entry.frames] = run.labels
            for data in run.encoded:
                pictures[row] = view.picture(decoded(data, f"{folder}: {entry.run}"))
                row += 1
                tell(row, frames)
        if isinstance(pictures, np.memmap):
            pictures.flush()
        else:
            with part.open("wb") as file:
                np.save(file, pictures)
        with (other := part.with_suffix(".labels")).open("wb") as file:
            np.save(file, labels)
        other.replace(path.with_name(f"{path.stem}_labels.npy"))
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
