"""Frames as a network's inputs: to calibrate its versions with, and to check them.

The user's frames where some were chosen (``harness optimize --frames``), else those kept with the
project; the two uses never share a frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.checksum import sha256_of
from brains.chosen_frames import chosen_frames, fingerprint
from brains.interface import CarState, Command
from brains.layouts import Inputs
from brains.model import ModelSpec
from brains.training.calibration import CALIBRATION_FILE, read_calibration
from brains.training.evaluation import read_evaluation
from brains.training.pictures import CROPS_OF_VERSION_1
from brains.training.whole_frames import (
    FRAMES_FILE,
    Part,
    WholeFrames,
    read_user_frames,
    read_whole_frames,
)
from brains.view import FRAME_PERIOD_S, View
from harness.errors import DataError

MOST_FRAMES = 300
"""Of a user's frames, about so many are taken for each of the two uses."""


@dataclass(frozen=True)
class Samples:
    """Inputs of frames in sequences, one after the other.

    Attributes:
        inputs: Of each frame.
        firsts: Rows that begin a sequence.
        labels: float32, (n, 2), v m/s and w rad/s; None where nobody knows them.
        circuits: Where each frame was seen, (n,); None where nobody knows it.
    """

    inputs: list[Inputs]
    firsts: list[int]
    labels: NDArray[np.float32] | None = None
    circuits: NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def sequences(self) -> Iterator[list[Inputs]]:
        """The inputs of each sequence."""
        for begin, end in zip(self.firsts, [*self.firsts[1:], len(self)], strict=True):
            yield self.inputs[begin:end]


def calibration_samples(model: ModelSpec, view: View) -> Samples:
    """Samples to calibrate a model's versions with.

    Raises:
        DataError: The user's frames can't be read.
    """
    if chosen_frames(model) is None and _sees_the_crops(view):
        images = view.scaled(read_calibration().crops)
        name = view.image_input
        return Samples([{name: image[np.newaxis]} for image in images], list(range(len(images))))
    return samples_of(frames_for(model, "calibration"), view)


def check_samples(model: ModelSpec, view: View) -> Samples:
    """Samples to compare a model's versions with its original on.

    Raises:
        DataError: The user's frames can't be read.
    """
    return samples_of(frames_for(model, "check"), view)


def evaluation_samples(model: ModelSpec, view: View) -> Samples:
    """Samples to evaluate a model on: the kept crops where it sees what these show.

    Raises:
        DataError: The user's frames can't be read.
    """
    if chosen_frames(model) is not None or not _sees_the_crops(view):
        return check_samples(model, view)
    kept = read_evaluation()
    images, name = view.scaled(kept.crops), view.image_input
    inputs = [{name: image[np.newaxis]} for image in images]
    return Samples(inputs, list(range(len(inputs))), kept.labels, kept.circuits)


def frames_for(model: ModelSpec, part: Part) -> WholeFrames:
    """Whole frames for one of the two uses.

    Raises:
        DataError: The user's frames can't be read.
    """
    chosen = chosen_frames(model)
    if chosen is None:
        return read_whole_frames(part)
    return _user_frames(chosen, fingerprint(chosen))[part].thinned(MOST_FRAMES)


@cache
def _user_frames(path: Path, print_: str) -> dict[Part, WholeFrames]:
    del print_
    first, rest = read_user_frames(path).halves()
    return {"calibration": first, "check": rest}


def frames_key(model: ModelSpec) -> str:
    """What decides a model's frames: part of what its artifacts are made from."""
    chosen = chosen_frames(model)
    if chosen is not None:
        return fingerprint(chosen)
    return " ".join(_sha256(path) for path in (CALIBRATION_FILE, FRAMES_FILE) if path.is_file())


@cache
def _sha256(path: Path) -> str:
    return sha256_of(path)


def samples_of(frames: WholeFrames, view: View) -> Samples:
    """What a network sees of whole frames, each sequence from its beginning.

    A network that is told of the car's speed and last command is told the labels: the expert's
    speed at the frame, and what it commanded at the one before.

    Raises:
        DataError: The network needs these, and nobody knows them.
    """
    sees = view.sees
    if frames.labels is None and (sees.needs_speed() or sees.numbers_from_commands()):
        raise DataError(
            "the network takes the car's speed or last command, and these frames come without "
            "labels: give a bag or a data set that has them"
        )
    inputs: list[Inputs] = []
    for rows in frames.sequences:
        view.reset()
        for row in rows:
            state = None if frames.labels is None else _state(frames.labels, row, rows.start)
            inputs.append(view.inputs(frames.frames[row], state))
    view.reset()
    lengths = [len(rows) for rows in frames.sequences]
    return Samples(
        inputs,
        [int(first) for first in frames.firsts],
        frames.labels,
        np.repeat(frames.circuits, lengths),
    )


def _state(labels: NDArray[np.float32], row: int, first: int) -> CarState:
    speed_m_s, _ = labels[row]
    v_m_s, w_rad_s = labels[max(row - 1, first)]
    stamp_s = (row - first) * FRAME_PERIOD_S
    return CarState(float(speed_m_s), Command(float(v_m_s), float(w_rad_s)), stamp_s)


def _sees_the_crops(view: View) -> bool:
    """Whether the network sees what the kept crops show, and nothing else."""
    sees = view.sees
    return view.geometry == CROPS_OF_VERSION_1 and sees.axis is None and not sees.numbers
