"""Data sets: cropped frames of recordings with the expert's labels, split by run.

A data set is a folder of ``index.json`` and, for each of train, validation and test,
``NAME_crops.npy`` (uint8, (n, 66, 200, 3)) and ``NAME_labels.npy`` (float32, (n, 2): v m/s,
w rad/s). Neighbouring frames look alike, so a run belongs to one split as a whole.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH, crop
from harness import topics
from harness.errors import DataError, UsageError, one_line

BAG_FILE = "run.bag"
_CAMERA = topics.COMPRESSED_CAMERA
_TOPICS = (_CAMERA, topics.LABELS, topics.METADATA)

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


class RunEntry(BaseModel):
    """One run in the index: where its frames are within its split's arrays."""

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

    schema_version: Literal[1] = 1
    runs: list[RunEntry]


@dataclass(frozen=True)
class Split:
    """One split: crops uint8 (n, 66, 200, 3) and labels float32 (n, 2), v m/s and w rad/s."""

    crops: NDArray[np.uint8]
    labels: NDArray[np.float32]


@dataclass(frozen=True)
class Run:
    """Frames and labels of one recording."""

    name: str
    circuit: str
    direction: str
    crops: NDArray[np.uint8]
    labels: NDArray[np.float32]


def read_run(recording: Path) -> Run:
    """Read the labelled frames of a recording's bag.

    Args:
        recording: Folder that holds ``run.bag``, or a bag itself.

    Raises:
        DataError: There is no bag, it is broken, or it has no frames with labels.
    """
    bag = _bag_of(recording)
    labels: dict[int, tuple[float, float]] = {}
    images: dict[int, NDArray[np.uint8]] = {}
    metadata: dict[str, Any] = {}
    for topic, stamp_ns, value in _values(bag):
        if topic == topics.METADATA:
            metadata = value
        elif topic == topics.LABELS:
            labels[stamp_ns] = value
        else:
            images[stamp_ns] = value
    stamps = sorted(images.keys() & labels.keys())
    if not stamps:
        raise DataError(
            f"{bag} has no frames with labels ({len(images)} frames, {len(labels)} labels): "
            "record the expert with record_camera:=true"
        )
    return Run(
        recording.name,
        str(metadata.get("circuit", "unknown")),
        str(metadata.get("direction", "forward")),
        np.stack([images[stamp] for stamp in stamps]),
        np.array([labels[stamp] for stamp in stamps], np.float32),
    )


def read_frames(recording: Path) -> NDArray[np.uint8]:
    """All camera frames of a recording, cropped, in their order: (n, 66, 200, 3).

    Args:
        recording: Folder that holds ``run.bag``, or a bag itself.

    Raises:
        DataError: There is no bag, it is broken, or it has no frames.
    """
    bag = _bag_of(recording)
    values = _values(bag)
    images = {stamp_ns: value for topic, stamp_ns, value in values if topic == _CAMERA}
    if not images:
        raise DataError(f"{bag} has no camera frames: drive with record_camera:=true")
    return np.stack([images[stamp_ns] for stamp_ns in sorted(images)])


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

    The index is written last, so that a folder without one is an unfinished data set.

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
    output.mkdir(parents=True, exist_ok=True)
    (output / "index.json").unlink(missing_ok=True)
    parts = output / ".parts"
    parts.mkdir(exist_ok=True)
    read: list[tuple[str, str, str]] = []
    for recording in recordings:
        run = read_run(recording)
        np.save(parts / f"{run.name}_crops.npy", run.crops)
        np.save(parts / f"{run.name}_labels.npy", run.labels)
        read.append((run.name, run.circuit, run.direction))
        yield run.name, len(run.labels)
    splits = assign_splits([(name, circuit) for name, circuit, _ in read])
    entries: list[RunEntry] = []
    for split in SPLITS:
        chosen = [row for row in read if splits[row[0]] == split]
        entries += _join(parts, output, split, chosen)
    for file in parts.iterdir():
        file.unlink()
    parts.rmdir()
    part = output / ".index.json.part"
    part.write_text(Index(runs=entries).model_dump_json(indent=1))
    part.replace(output / "index.json")


def read_index(folder: Path) -> Index:
    """Index of a data set.

    Raises:
        DataError: The folder is no data set, or an unfinished one.
    """
    try:
        return Index.model_validate_json((folder / "index.json").read_text())
    except (OSError, ValidationError) as error:
        line = " ".join(str(error).split())
        raise DataError(f"{folder} is no data set (see `harness dataset build`): {line}") from error


def read_split(folder: Path, split: SplitName) -> Split:
    """A split's arrays, mapped from their files.

    Raises:
        DataError: The files are missing, broken or do not fit the index.
    """
    frames = sum(entry.frames for entry in read_index(folder).runs if entry.split == split)
    try:
        crops = np.load(folder / f"{split}_crops.npy", mmap_mode="r")
        labels = np.load(folder / f"{split}_labels.npy")
    except (OSError, ValueError) as error:
        raise DataError(f"{folder}: the {split} split can't be read: {error}") from error
    if crops.shape != (frames, INPUT_HEIGHT, INPUT_WIDTH, 3) or labels.shape != (frames, 2):
        raise DataError(f"{folder}: the {split} split does not fit index.json: build it again")
    return Split(crops, labels)


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


def _bag_of(recording: Path) -> Path:
    bag = recording if recording.is_file() else recording / BAG_FILE
    if not bag.is_file():
        raise DataError(f"{recording} holds no {BAG_FILE}: give folders of recordings")
    return bag


def _values(bag: Path) -> Iterator[tuple[str, int, Any]]:
    """Topic, stamp in ns and what it says: a crop, a label (v, w), or the metadata (stamp 0)."""
    try:
        for topic, message in _messages(bag, _TOPICS):
            if topic == topics.METADATA:
                yield topic, 0, json.loads(message.data)
                continue
            stamp = message.header.stamp
            stamp_ns = stamp.sec * 10**9 + stamp.nanosec
            if topic == topics.LABELS:
                yield topic, stamp_ns, (message.twist.linear.x, message.twist.angular.z)
            else:
                yield topic, stamp_ns, crop(_decode(message.data))
    except DataError:
        raise
    except Exception as error:  # of a garbled file the reader raises anything, TypeError too
        raise DataError(f"{bag} can't be read: {one_line(error)}") from error


def _messages(bag: Path, wanted: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Topic and message of a bag's messages on the wanted topics."""
    with AnyReader([bag], default_typestore=get_typestore(Stores.ROS1_NOETIC)) as reader:
        connections = [c for c in reader.connections if c.topic in wanted]
        for connection, _, data in reader.messages(connections):
            yield connection.topic, reader.deserialize(data, connection.msgtype)


def _decode(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG: uint8, shape (height, width, 3), red-green-blue."""
    image = cv2.imdecode(np.asarray(data), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("a camera image is no JPEG or PNG")
    return np.ascontiguousarray(image[..., ::-1])


def _join(
    parts: Path, output: Path, split: SplitName, runs: Sequence[tuple[str, str, str]]
) -> list[RunEntry]:
    """Write a split's arrays from its runs' parts, and give the runs' entries."""
    labels = [np.load(parts / f"{name}_labels.npy") for name, _, _ in runs]
    frames = sum(len(array) for array in labels)
    shape = (frames, INPUT_HEIGHT, INPUT_WIDTH, 3)
    np.save(output / f"{split}_labels.npy", np.concatenate([np.empty((0, 2), np.float32), *labels]))
    entries: list[RunEntry] = []
    crops_file = output / f"{split}_crops.npy"
    if frames == 0:
        np.save(crops_file, np.empty(shape, np.uint8))
        return entries
    crops = np.lib.format.open_memmap(crops_file, mode="w+", dtype=np.uint8, shape=shape)
    first = 0
    for (name, circuit, direction), array in zip(runs, labels, strict=True):
        crops[first : first + len(array)] = np.load(parts / f"{name}_crops.npy")
        entry = RunEntry(
            run=name,
            circuit=circuit,
            direction=direction,
            split=split,
            first=first,
            frames=len(array),
        )
        entries.append(entry)
        first += len(array)
    crops.flush()
    return entries
