"""Small sets of frames as PilotNet sees them, kept in git: for evaluation, and for calibration.

The frames are one PNG, one under the other: small, lossless, and read in one go.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from brains.card import read_card
from brains.training.dataset import SplitName, read_index
from brains.training.pictures import read_pictures
from brains.view import View
from harness.errors import DataError

DATA_DIR = Path(__file__).parents[1] / "data"
PILOTNET = Path(__file__).parents[1] / "networks" / "pilotnet.yaml"
"""PilotNet's card."""


@dataclass(frozen=True)
class FrameSet:
    """Crops uint8 (n, 66, 200, 3), labels float32 (n, 2) of v m/s and w rad/s, circuits (n,)."""

    crops: NDArray[np.uint8]
    labels: NDArray[np.float32]
    circuits: NDArray[np.str_]


def pilotnet_view() -> View:
    """What PilotNet sees."""
    return View(read_card(PILOTNET).sees)


def pick_frames(
    data: Path, split: SplitName, choose: Callable[[NDArray[np.float32]], NDArray[np.intp]]
) -> FrameSet:
    """Pick frames of each circuit of a split, circuit after circuit.

    Args:
        data: Data set.
        split: The split.
        choose: Rows to take, of the labels (n, 2) of one circuit's frames in the split's order.

    Raises:
        DataError: The data set is broken, or the split has no runs.
    """
    content = read_pictures(data, split, pilotnet_view())
    where = circuits_of_frames(data, split)
    rows: list[NDArray[np.intp]] = []
    for circuit in np.unique(where):
        frames = np.flatnonzero(where == circuit)
        rows.append(frames[choose(content.labels[frames])])
    picked = np.concatenate(rows)
    return FrameSet(np.asarray(content.pictures[picked]), content.labels[picked], where[picked])


def circuits_of_frames(data: Path, split: SplitName) -> NDArray[np.str_]:
    """Name of the circuit of each frame of a split, shape (n,).

    Raises:
        DataError: The data set is broken, or the split has no runs.
    """
    runs = [run for run in read_index(data).runs if run.split == split]
    if not runs:
        raise DataError(f"{data} has no {split} runs: record at least 3 runs a circuit")
    return np.concatenate([np.full(run.frames, run.circuit) for run in runs])


def write_frames(frames: FrameSet, path: Path) -> None:
    """Write a set of frames (atomically).

    Raises:
        DataError: There are too many for one PNG.
    """
    stacked = np.vstack(list(frames.crops))[..., ::-1]
    done, png = cv2.imencode(".png", stacked, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise DataError(f"the {len(frames.crops)} frames of {path.name} do not fit one PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part.npz")
    np.savez(part, png=png, labels=frames.labels, circuits=frames.circuits)
    part.replace(path)


def read_frames(path: Path) -> FrameSet:
    """Read a set of frames.

    Raises:
        DataError: The file is missing or broken.
    """
    try:
        with np.load(path) as arrays:
            png, labels, circuits = (arrays[name] for name in ("png", "labels", "circuits"))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        line = " ".join(str(error).split())
        raise DataError(f"{path} is no set of frames: {line}") from error
    stacked = cv2.imdecode(png, cv2.IMREAD_COLOR)
    height, width, channels = pilotnet_view().picture_shape
    if stacked is None or stacked.shape != (len(labels) * height, width, channels):
        raise DataError(f"{path} is no set of frames: its images do not fit its labels")
    crops = np.ascontiguousarray(stacked[..., ::-1], np.uint8)
    return FrameSet(crops.reshape(-1, height, width, channels), labels, circuits)
