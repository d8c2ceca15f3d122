"""What a network sees of a data set's frames: made once for each geometry, beside the data set."""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from brains.training.recorded import Run, decoded
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
        firsts: int64, (sequences,), the first row of each sequence of frames without a gap.
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
    if index.schema_version == 1:
        pictures, labels = _version_1(folder, split, index, view)
        firsts = np.array([run.first for run in runs], np.int64)
    else:
        path = _pictures_file(folder, split, view)
        if not path.is_file():
            _make(folder, runs, view, path, tell)
        pictures, labels = _arrays(path, path.with_name(f"{split}_labels.npy"))
        firsts = _array(path.with_name(f"{split}_firsts.npy"))
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
    known = _array(labels)
    return _array(pictures, mapped=len(known) > 0), known


def _array(path: Path, *, mapped: bool = False) -> NDArray[Any]:
    """An array's file; an empty one can't be mapped."""
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path.parent}: a split can't be read: {error}") from error
    return found


def _pictures_file(folder: Path, split: SplitName, view: View) -> Path:
    """Where a split's pictures lie; another data set in the folder has others."""
    made_from = repr(tuple(view.geometry)).encode() + (folder / INDEX_FILE).read_bytes()
    key = hashlib.sha256(made_from).hexdigest()[:16]
    return folder / PICTURES / key / f"{split}.npy"


def _make(folder: Path, runs: list[RunEntry], view: View, path: Path, tell: Told) -> None:
    """Write a split's pictures, labels and firsts; the pictures get their name last."""
    frames = sum(run.frames for run in runs)
    shape = (frames, *view.picture_shape)
    labels = [np.empty((0, 2), np.float32)]
    firsts = [np.empty(0, np.int64)]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            done = 0
            for entry in runs:
                run = read_whole_run(folder, entry)
                labels.append(run.labels)
                firsts.append(run.firsts + done)
                for picture in _pictures(run, view, folder):
                    file.write(picture.tobytes())
                    done += 1
                    tell(done, frames)
        for name, arrays in (("labels", labels), ("firsts", firsts)):
            with (other := part.with_suffix(f".{name}")).open("wb") as file:
                np.save(file, np.concatenate(arrays))
            other.replace(path.with_name(f"{path.stem}_{name}.npy"))
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _pictures(run: Run, view: View, folder: Path) -> Iterator[NDArray[np.uint8]]:
    """What a view sees of a run's frames; decoding takes most of the time, and all processors."""

    def picture(data: bytes) -> NDArray[np.uint8]:
        return view.picture(decoded(data, f"{folder}: {run.name}"))

    with ThreadPoolExecutor() as pool:
        yield from pool.map(picture, run.encoded)
