"""Data sets: labelled frames of drives, split by run.

A data set is a folder of ``index.json`` and, since its version 2, a file of each run's whole
frames, ``frames/RUN.npz``: ``encoded`` (uint8, the JPEG or PNG files one after the other), ``ends``
(int64, (n,), where each ends), ``labels`` (float32, (n, 2): v m/s, w rad/s) and ``stamps_ns``
(int64, (n,) of simulated time, or empty). What a network sees of them, its card's view says
(``pictures``).

Version 1 held what PilotNet sees instead: of each of train, validation and test ``NAME_crops.npy``
(uint8, (n, 66, 200, 3)) and ``NAME_labels.npy``. It is still read, for networks that see the same.

Neighbouring frames look alike, so a run belongs to one split as a whole.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from brains.training.recorded import Run, read_run
from harness.errors import DataError, UsageError, one_line

INDEX_FILE = "index.json"
PICTURES = "pictures"
"""Folder of what networks see of the frames; may be removed at any time."""

_FRAMES = "frames"

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


class RunEntry(BaseModel):
    """One run in the index: where its frames are within its split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    circuit: str
    direction: str
    split: SplitName
    first: int
    frames: int


class Index(BaseModel):
    """``index.json`` of a data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1, 2] = 2
    runs: list[RunEntry]

    def of(self, split: SplitName) -> list[RunEntry]:
        """The runs of a split, in the order of their frames."""
        return [run for run in self.runs if run.split == split]


def assign_splits(runs: Sequence[tuple[str, str]]) -> dict[str, SplitName]:
    """Split of each run: of a circuit's runs about 12 % validation, 8 % test, at least one each.

    The choice depends on the names alone, not on their order. A circuit with fewer than three
    runs goes into the training set as a whole.

    Args:
        runs: Name and circuit of each run.
    """
    splits: dict[str, SplitName] = {name: "train" for name, _ in runs}
    for circuit in {circuit for _, circuit in runs}:
        names = [name for name, where in runs if where == circuit]
        if len(names) < len(SPLITS):
            continue
        names.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
        test = max(1, round(0.08 * len(names)))
        validation = max(1, round(0.12 * len(names)))
        splits.update(dict.fromkeys(names[:test], "test"))
        splits.update(dict.fromkeys(names[test : test + validation], "validation"))
    return splits


def build_dataset(recordings: Sequence[Path], output: Path) -> Iterator[tuple[str, int]]:
    """Build a data set from recordings; yields each run's name and frames once it is read.

    Raises:
        UsageError: Two recordings have one name, or none was given.
        DataError: A recording can't be used.
    """
    names = [recording.name for recording in recordings]
    if not names:
        raise UsageError("no recordings given")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"recordings with the same name: {', '.join(twice)}")
    return write_dataset((read_run(recording) for recording in recordings), output)


def write_dataset(runs: Iterable[Run], output: Path) -> Iterator[tuple[str, int]]:
    """Write a data set of runs with different names; yields each one's name and frames.

    The index is written last, so that a folder without one is an unfinished data set.

    Raises:
        DataError: What ``runs`` raise, or two of them have one name.
    """
    _clear(output)
    (output / _FRAMES).mkdir(parents=True, exist_ok=True)
    written: list[tuple[str, str, str, int]] = []
    for run in runs:
        if any(name == run.name for name, *_ in written):
            raise DataError(f"two runs are called {run.name}: rename one's folder")
        np.savez(
            _run_file(output, run.name),
            encoded=np.frombuffer(b"".join(run.encoded), np.uint8),
            ends=np.cumsum([len(data) for data in run.encoded], dtype=np.int64),
            labels=run.labels,
            stamps_ns=run.stamps_ns,
        )
        written.append((run.name, run.circuit, run.direction, len(run.labels)))
        yield run.name, len(run.labels)
    splits = assign_splits([(name, circuit) for name, circuit, _, _ in written])
    entries: list[RunEntry] = []
    for split in SPLITS:
        first = 0
        for name, circuit, direction, frames in written:
            if splits[name] == split:
                entry = RunEntry(
                    run=name,
                    circuit=circuit,
                    direction=direction,
                    split=split,
                    first=first,
                    frames=frames,
                )
                entries.append(entry)
                first += frames
    part = output / f".{INDEX_FILE}.part"
    part.write_text(Index(runs=entries).model_dump_json(indent=1))
    part.replace(output / INDEX_FILE)


def read_index(folder: Path) -> Index:
    """Index of a data set.

    Raises:
        DataError: The folder is no data set, or an unfinished one.
    """
    try:
        return Index.model_validate_json((folder / INDEX_FILE).read_text())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"{folder} is no data set (see `harness dataset build`): {one_line(error)}"
        ) from error


def read_whole_run(folder: Path, entry: RunEntry) -> Run:
    """A run of a data set of whole frames.

    Raises:
        DataError: Its file is missing, broken or does not fit the index.
    """
    path = _run_file(folder, entry.run)
    try:
        with np.load(path) as arrays:
            data, ends = arrays["encoded"].tobytes(), arrays["ends"]
            labels, stamps_ns = arrays["labels"], arrays["stamps_ns"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"{path} can't be read: {one_line(error)}: build the data set again") from (
            error
        )
    fits = (
        ends.shape == (entry.frames,)
        and labels.shape == (entry.frames, 2)
        and stamps_ns.shape in ((entry.frames,), (0,))
        and ends[-1:].tolist() == [len(data)]
    )
    if not fits:
        raise DataError(f"{path} does not fit {INDEX_FILE}: build the data set again")
    begins = [0, *ends[:-1].tolist()]
    encoded = [data[begin:end] for begin, end in zip(begins, ends.tolist(), strict=True)]
    return Run(entry.run, entry.circuit, entry.direction, encoded, labels, stamps_ns)


def balanced_order(
    labels: NDArray[np.float32], random: np.random.Generator, count: int | None = None
) -> NDArray[np.intp]:
    """Indices for an epoch in which rare yaw rates come as often as the root of their share.

    Straights make up most of a lap; drawing each frame with a probability of
    1 / sqrt(frequency of its yaw rate's bin) gives the curves more weight and forgets nothing.

    Args:
        labels: (n, 2), v m/s and w rad/s.
        random: Source of the draw.
        count: How many to draw; n by default.
    """
    weights = yaw_rate_weights(labels)
    drawn = random.choice(len(labels), count or len(labels), p=weights / weights.sum())
    return np.asarray(drawn, np.intp)


def yaw_rate_weights(labels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Weight of each frame, 1 / sqrt(frequency of its yaw rate's bin), shape (n,).

    Args:
        labels: (n, 2), v m/s and w rad/s.
    """
    bins = np.clip(((labels[:, 1] + 7.1) / 14.2 * 29).astype(int), 0, 28)
    return np.asarray(1 / np.sqrt(np.bincount(bins, minlength=29)[bins]), np.float64)


def _run_file(folder: Path, run: str) -> Path:
    return folder / _FRAMES / f"{run}.npz"


def _clear(folder: Path) -> None:
    """Remove the data set that a folder holds, of either version, and nothing else."""
    try:
        index = read_index(folder)
    except DataError:
        return
    (folder / INDEX_FILE).unlink()
    for run in index.runs:
        _run_file(folder, run.run).unlink(missing_ok=True)
    for split in SPLITS:
        for content in ("crops", "labels"):
            (folder / f"{split}_{content}.npy").unlink(missing_ok=True)
    shutil.rmtree(folder / PICTURES, ignore_errors=True)
