"""Whole camera frames for networks that see what they like: the kept ones, and a user's own.

``brains/data/frames.npz`` holds frames of the expert in two parts that share no run: one to
calibrate integer networks with, one to check versions against their original. They come in short
sequences, so that networks that look back have a past.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, overload
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from brains.interface import Frame
from brains.training.dataset import SplitName, read_index, read_whole_run, yaw_rate_weights
from brains.training.imported import is_imported, read_imported
from brains.training.recorded import BAG_FILE, UNKNOWN, Run, decoded, read_drive
from harness.errors import DataError, one_line

FRAMES_FILE = Path(__file__).parents[1] / "data" / "frames.npz"

Part = Literal["calibration", "check"]
PARTS: tuple[Part, ...] = ("calibration", "check")

SEQUENCE = 5
"""Frames of a sequence."""

_IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
_SPLITS: dict[Part, tuple[SplitName, ...]] = {
    "calibration": ("train",),
    "check": ("validation", "test"),
}


class Frames(Sequence[Frame]):
    """Encoded frames, each decoded when it is asked for: uint8, (height, width, 3), RGB."""

    def __init__(self, encoded: Sequence[bytes], source: object) -> None:
        """Takes them.

        Args:
            encoded: JPEG, PNG or WebP files.
            source: Where they are from, for what is said of them.
        """
        self.encoded = encoded
        self.source = source

    def __len__(self) -> int:
        return len(self.encoded)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> "Frames": ...
    def __getitem__(self, index: int | slice) -> "Frame | Frames":
        if isinstance(index, slice):
            return Frames(self.encoded[index], self.source)
        return decoded(self.encoded[index], self.source)


@dataclass(frozen=True)
class WholeFrames:
    """Whole frames in sequences, one after the other.

    Attributes:
        frames: Each uint8, (height, width, 3), red-green-blue.
        labels: float32, (n, 2), v m/s and w rad/s; None where nobody knows them.
        firsts: int64, (sequences,), the first row of each sequence.
        circuits: Where each sequence was driven.
        runs: Which drive each sequence is of.
    """

    frames: Frames
    labels: NDArray[np.float32] | None
    firsts: NDArray[np.int64]
    circuits: NDArray[np.str_]
    runs: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def sequences(self) -> Iterator[range]:
        """The rows of each sequence."""
        for begin, end in zip(self.firsts, [*self.firsts[1:], len(self)], strict=True):
            yield range(int(begin), int(end))

    def halves(self) -> tuple["WholeFrames", "WholeFrames"]:
        """Two parts, to calibrate and to check with: of different drives, if there are two.

        Of a single drive, its first half and the rest.

        Raises:
            DataError: There are fewer than two frames.
        """
        if len(self) < 2:
            raise DataError(
                "too few frames: give at least two, some to calibrate with and one more"
            )
        half = len(self) // 2
        begins = [int(row) for row, run in zip(self.firsts, self._begins_run(), strict=True) if run]
        # Between two drives, as near to the middle as may be.
        inner = begins[1:]
        middle = min(inner, key=lambda row: abs(row - half)) if inner else half
        return self._rows(0, middle), self._rows(middle, len(self))

    def thinned(self, count: int, length: int = SEQUENCE) -> "WholeFrames":
        """About so many frames, in sequences of a length, evenly taken; all if there are no more.

        Args:
            count: How many frames.
            length: Of each sequence, which never goes beyond the end of one that is here.
        """
        if len(self) <= count:
            return self
        begins = np.array(
            [row for rows in self.sequences for row in rows if row + length <= rows.stop]
            or [rows.start for rows in self.sequences]
        )
        chosen = np.linspace(0, len(begins) - 1, max(1, count // length)).round().astype(int)
        rows: list[int] = []
        firsts: list[int] = []
        for begin in begins[np.unique(chosen)].tolist():
            first = max(begin, rows[-1] + 1 if rows else 0)
            sequence = int(np.searchsorted(self.firsts, begin, side="right"))
            stop = [*self.firsts, len(self)][sequence]
            firsts.append(len(rows))
            rows += range(first, min(begin + length, int(stop)))
        of = np.searchsorted(self.firsts, np.array(rows)[firsts], side="right") - 1
        return WholeFrames(
            Frames([self.frames.encoded[row] for row in rows], self.frames.source),
            None if self.labels is None else self.labels[rows],
            np.array(firsts, np.int64),
            self.circuits[of],
            self.runs[of],
        )

    def _begins_run(self) -> list[bool]:
        names = self.runs.tolist()
        return [index == 0 or names[index - 1] != name for index, name in enumerate(names)]

    def _rows(self, begin: int, end: int) -> "WholeFrames":
        """Rows from one to before another, as sequences of their own."""
        of = [
            index
            for index, rows in enumerate(self.sequences)
            if rows.start < end and rows.stop > begin
        ]
        firsts = np.maximum(self.firsts[of], begin) - begin
        return WholeFrames(
            self.frames[begin:end],
            None if self.labels is None else self.labels[begin:end],
            firsts,
            self.circuits[of],
            self.runs[of],
        )


def read_whole_frames(part: Part, path: Path = FRAMES_FILE) -> WholeFrames:
    """The kept frames of a part.

    Raises:
        DataError: The file is missing or broken.
    """
    try:
        with np.load(path) as arrays:
            names = ("encoded", "ends", "labels", "firsts", "circuits", "runs")
            data, ends, labels, firsts, circuits, runs = (
                arrays[f"{part}_{name}"] for name in names
            )
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"{path} holds no whole frames: {one_line(error)}") from error
    if len(ends) != len(labels) or ends[-1:].tolist() != [len(data)]:
        raise DataError(f"{path}: its images do not fit its labels")
    content, begins = data.tobytes(), [0, *ends[:-1].tolist()]
    encoded = [content[begin:end] for begin, end in zip(begins, ends.tolist(), strict=True)]
    return WholeFrames(Frames(encoded, path), labels, firsts, circuits, runs)


def pick_whole_frames(data: Path, part: Part, sequences_per_circuit: int = 20) -> WholeFrames:
    """Pick a part's sequences of a data set's runs: of each circuit, and of all yaw rates.

    The calibration is taken of the training split, the check of the others. Of each circuit's
    frames in the order of their yaw rate, one is taken after every equal share of the weight that
    training gives them (``yaw_rate_weights``); it ends a sequence.

    Raises:
        DataError: The data set is broken, not of whole frames, or has no runs in these splits.
    """
    index = read_index(data)
    if index.schema_version == 1:
        raise DataError(f"{data} holds no whole frames: build it again from its recordings")
    entries = [entry for split in _SPLITS[part] for entry in index.of(split)]
    if not entries:
        raise DataError(f"{data} has no {part} runs: record at least 3 runs a circuit")
    runs = [read_whole_run(data, entry) for entry in entries]
    encoded: list[bytes] = []
    labels: list[NDArray[np.float32]] = []
    names: list[str] = []
    circuits: list[str] = []
    for circuit in sorted({run.circuit for run in runs}):
        here = [run for run in runs if run.circuit == circuit]
        chosen = _ends(here, sequences_per_circuit)
        for run, last in sorted(chosen, key=lambda end: (end[0].name, end[1])):
            rows = slice(last + 1 - SEQUENCE, last + 1)
            encoded += [_smaller(content, run.name) for content in run.encoded[rows]]
            labels.append(run.labels[rows])
            names.append(run.name)
            circuits.append(circuit)
    firsts = np.arange(len(names), dtype=np.int64) * SEQUENCE
    frames = Frames(encoded, data)
    return WholeFrames(frames, np.concatenate(labels), firsts, np.array(circuits), np.array(names))


def write_whole_frames(parts: dict[Part, WholeFrames], path: Path = FRAMES_FILE) -> None:
    """Write the kept frames (atomically)."""
    arrays: dict[str, Any] = {}
    for part, content in parts.items():
        encoded = content.frames.encoded
        values: dict[str, Any] = {
            "encoded": np.frombuffer(b"".join(encoded), np.uint8),
            "ends": np.cumsum([len(data) for data in encoded], dtype=np.int64),
            "labels": np.asarray(content.labels, np.float32),
            "firsts": content.firsts,
            "circuits": content.circuits,
            "runs": content.runs,
        }
        arrays |= {f"{part}_{name}": value for name, value in values.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part_file = path.with_name(f".{path.name}.part.npz")
    np.savez(part_file, **arrays)
    part_file.replace(path)


def read_user_frames(path: Path) -> WholeFrames:
    """A user's own frames, of whatever holds some.

    Args:
        path: A bag, the folder of a recording, a folder of such folders, a folder in the layout of
            ``harness dataset import``, or one of images, in the order of their names.

    Raises:
        DataError: It holds no frames, or what it holds is broken.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist: give a bag, a folder of recordings or of images")
    if path.is_file() or (path / BAG_FILE).is_file() or (path / "metadata.yaml").is_file():
        return _of_recordings([path], path)
    if recordings := sorted(bag.parent for bag in path.glob(f"*/{BAG_FILE}")):
        return _of_recordings(recordings, path)
    if is_imported(path):
        return _joined(list(read_imported(path)), path)
    images = [file for file in path.iterdir() if file.suffix.lower() in _IMAGES]
    if not images:
        raise DataError(f"{path} holds no frames: give a bag, a folder of recordings or of images")
    encoded = [file.read_bytes() for file in sorted(images, key=_natural)]
    none, never = np.empty((0, 2), np.float32), np.empty(0, np.int64)
    return _joined([Run(path.name, UNKNOWN, "forward", encoded, none, never)], path)


def _of_recordings(recordings: Sequence[Path], path: Path) -> WholeFrames:
    return _joined([read_drive(recording) for recording in recordings], path)


def _joined(runs: Sequence[Run], source: Path) -> WholeFrames:
    counts = [len(run.encoded) for run in runs]
    begins = np.cumsum([0, *counts[:-1]])
    of = [run for run in runs for _ in run.firsts]
    labels = np.concatenate([run.labels for run in runs])
    return WholeFrames(
        Frames([data for run in runs for data in run.encoded], source),
        labels if len(labels) == sum(counts) else None,
        np.concatenate([run.firsts + begin for run, begin in zip(runs, begins, strict=True)]),
        np.array([run.circuit for run in of]),
        np.array([run.name for run in of]),
    )


def _ends(runs: Sequence[Run], count: int) -> Iterator[tuple[Run, int]]:
    """Run and last row of so many sequences of a circuit that share no frame."""
    places = [
        (run, row)
        for run in runs
        for first, stop in pairwise([*run.firsts.tolist(), len(run.labels)])
        for row in range(first + SEQUENCE - 1, stop)
    ]
    labels = np.array([run.labels[row] for run, row in places])
    order = np.argsort(labels[:, 1], kind="stable")
    passed = np.cumsum(yaw_rate_weights(labels[order]))
    taken: set[tuple[str, int]] = set()
    for number in range(count):
        wanted = int(np.searchsorted(passed, (number + 0.5) / count * passed[-1]))
        # The nearest in yaw rate whose frames are not taken yet.
        for index in sorted(range(len(order)), key=lambda place: abs(place - wanted)):
            run, row = places[order[index]]
            rows = {(run.name, row - back) for back in range(SEQUENCE)}
            if not rows & taken:
                taken |= rows
                yield run, row
                break


def _smaller(data: bytes, source: str) -> bytes:
    """The same pixels in fewer bytes: WebP without losses, a sixth of the camera's PNG."""
    quality_of_lossless = 101
    frame = decoded(data, source)
    options = [cv2.IMWRITE_WEBP_QUALITY, quality_of_lossless]
    done, content = cv2.imencode(".webp", frame[..., ::-1], options)
    if not done:
        raise DataError(f"{source}: a frame can't be written as WebP")
    return content.tobytes()


def _natural(path: Path) -> list[int | str]:
    """Sorts 10.png after 9.png."""
    parts = re.split(r"(\d+)", path.name)
    return [int(part) if part.isdigit() else part for part in parts]
