"""Labelled images of others, in the layout of JdeRobot's DeepLearningStudio, as runs.

One drive is a folder of images (``0.png``, ``1.png``, ...) with a ``data.csv`` of a line for each:
``image_name``, ``v`` in m/s, ``w`` in rad/s, in the order of driving; some have a ``timestamp`` in
s (what BehaviorMetrics' recording brains write, and DeepLearningStudio's trainings read). Such
folders lie side by side below one.
"""

import csv
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from brains.training.dataset import SPLITS
from brains.training.recorded import UNKNOWN, Run, decoded
from harness.errors import DataError

TABLE = "data.csv"
IMAGE, SPEED, YAW_RATE, TIME = "image_name", "v", "w", "timestamp"

_STRETCHES = 10
"""Into how many parts a drive is cut where there are too few drives for all splits."""


def read_imported(folder: Path) -> Iterator[Run]:
    """Drives of a folder, or of the folders below it, in the order of their names.

    Where there are fewer than three, each is cut into ten stretches, so that every split of a data
    set gets some.

    Args:
        folder: Holds ``data.csv`` and images, or folders that do.

    Raises:
        DataError: There is no table, or a table or an image is not as it should be; one line with
            file and line.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: give one that holds {TABLE} and its images")
    tables = sorted(folder.rglob(TABLE))
    if not tables:
        raise DataError(
            f"{folder} holds no {TABLE} (columns {IMAGE}, {SPEED}, {YAW_RATE}; images beside it),"
            " nor does a folder below it"
        )
    size: tuple[int, int] | None = None
    for table in tables:
        run = _read_drive(table, _name(table.parent, folder), size)
        size = _size_of(run.encoded[0], table)
        if len(tables) < len(SPLITS):
            yield from _cut(run)
        else:
            yield run


def is_imported(folder: Path) -> bool:
    """Whether a folder is of this layout."""
    return next(folder.rglob(TABLE), None) is not None


def _name(drive: Path, folder: Path) -> str:
    """Name of a drive: the way to it from the folder that was given."""
    parts = drive.resolve().relative_to(folder.resolve()).parts
    return "--".join(parts) or folder.resolve().name


def _read_drive(table: Path, name: str, size: tuple[int, int] | None) -> Run:
    """The drive of a table; its images must have a size, where one is given, and all the same."""
    encoded: list[bytes] = []
    labels: list[tuple[float, float]] = []
    times_s: list[float] = []
    for line, image, v, w, time_s in _rows(table):
        encoded.append(_image(table, line, image))
        found = _size_of(encoded[-1], f"{table}:{line}: {image}")
        size = size or found
        if found != size:
            raise DataError(
                f"{table}:{line}: {image} is {found[0]} x {found[1]}, those before are"
                f" {size[0]} x {size[1]}"
            )
        labels.append((v, w))
        if time_s is not None:
            times_s.append(time_s)
    if not encoded:
        raise DataError(f"{table} has no lines below its header: nothing to learn from")
    known = times_s if len(times_s) == len(encoded) else []
    stamps_ns = np.array([round(time_s * 1e9) for time_s in known], np.int64)
    return Run(name, UNKNOWN, "forward", encoded, np.array(labels, np.float32), stamps_ns)


def _rows(table: Path) -> Iterator[tuple[int, str, float, float, float | None]]:
    """Line, name of the image, v, w and time (None where there is none) of each line."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = [column.strip() for column in reader.fieldnames or []]
            lacking = [c for c in (IMAGE, SPEED, YAW_RATE) if c not in columns]
            if lacking:
                there = ", ".join(columns) or "none"
                raise DataError(
                    f"{table} lacks the column{'s' if len(lacking) > 1 else ''}"
                    f" {', '.join(lacking)}; its columns: {there}"
                )
            reader.fieldnames = columns
            for row in reader:
                number = reader.line_num
                image = (row[IMAGE] or "").strip()
                if not image:
                    raise DataError(f"{table}:{number} names no image")
                v, w = (_number(table, number, column, row[column]) for column in (SPEED, YAW_RATE))
                time = row.get(TIME)
                time_s = _number(table, number, TIME, time) if time else None
                yield number, image, v, w, time_s
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} can't be read: {error}") from error


def _number(table: Path, line: int, column: str, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        raise DataError(f"{table}:{line}: {column} is {text or 'empty'!r}, no number") from None
    if not math.isfinite(value):
        raise DataError(f"{table}:{line}: {column} is {text}, no finite number")
    return value


def _image(table: Path, line: int, name: str) -> bytes:
    """The file of an image beside its table."""
    path = table.parent / name
    try:
        return path.read_bytes()
    except OSError as error:
        # Recorders write the name alone; some tables hold where it once lay.
        raise DataError(
            f"{table}:{line}: {path} can't be read: {error.strerror}: images lie beside {TABLE}"
        ) from error


def _size_of(data: bytes, source: object) -> tuple[int, int]:
    """Width and height of an image.

    Raises:
        DataError: It is none.
    """
    height, width, _ = decoded(data, source).shape
    return width, height


def _cut(run: Run) -> Iterator[Run]:
    """A run in stretches of equal length; they count as runs of one circuit."""
    bounds = np.linspace(0, len(run.encoded), _STRETCHES + 1).astype(int)
    for number, (begin, end) in enumerate(pairwise(bounds)):
        if begin == end:
            continue
        yield Run(
            f"{run.name}-{number}",
            run.circuit,
            run.direction,
            run.encoded[begin:end],
            run.labels[begin:end],
            run.stamps_ns[begin:end],
        )
