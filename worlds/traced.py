"""A line as somebody traced it, before it is a circuit: from a table of points."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError, UsageError
from worlds import columns
from worlds.table import Row, Table, read_table

Floats = NDArray[np.float64]

# A lap is hundreds of metres; degrees of latitude and longitude span hundredths, far from zero.
_DEGREES_SPAN = 0.5
_LATITUDES, _LONGITUDES = 90.0, 180.0


@dataclass(frozen=True)
class Traced:
    """A closed line, as it was given.

    Attributes:
        points_m: (N, 2) points in driving order, metres.
        places: Where each point stands in its source, for messages: `line 7`.
        source: What it was read from.
        notes: What the user should know of how it was read; a line each.
        width_m: The least and greatest width of the track; None if the source doesn't say.
    """

    points_m: Floats
    places: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = ()
    width_m: tuple[float, float] | None = None

    def scaled(self, factor: float) -> "Traced":
        """The line as many times as large."""
        width_m = self.width_m and (self.width_m[0] * factor, self.width_m[1] * factor)
        return replace(self, points_m=self.points_m * factor, width_m=width_m)


def read_traced(path: Path, chosen: str | None = None) -> Traced:
    """Read a table of points: .csv, .txt, whatever separates its columns.

    Args:
        path: The table; a header may name its columns, in any order, with others among them.
        chosen: `X,Y`, the columns to take, by name or by number from 1; None finds them.

    Raises:
        UsageError: There are no such columns.
        DataError: The file can't be read, has no or several columns of x and y, holds degrees, or
            a row without numbers; with the line.
    """
    table = read_table(
        path, lambda names: bool(columns.places(names)) or columns.are_degrees(names)
    )
    notes: list[str] = []
    place = _chosen(path, table, chosen) if chosen else _found(path, table, notes)
    points = _points(path, table, place)
    _refuse_degrees(path, points)
    if place.metres != 1.0:
        notes.append(f"its columns are in units of {place.metres:g} m: turned into metres")
    return Traced(
        points * place.metres,
        tuple(f"line {row.line}" for row in table.rows),
        str(path),
        tuple(notes),
        _width(table),
    )


def _found(path: Path, table: Table, notes: list[str]) -> columns.Place:
    """The columns of x and y: by the header's names, else the first that can be coordinates."""
    if table.names is None:
        return _unnamed(path, table, notes)
    found = columns.places(table.names)
    shown = ", ".join(table.names)
    if not found and columns.are_degrees(table.names):
        raise DataError(
            f"{path}: holds latitude and longitude ({shown}): project them to metres first, for"
            " instance to UTM; large coordinates are fine"
        )
    if not found:
        raise DataError(
            f"{path}: no columns x and y among {shown}: name them in the header, or say --columns"
        )
    if len(found) > 1:
        pairs = " or ".join(f"{table.names[one.x]},{table.names[one.y]}" for one in found)
        raise DataError(f"{path}: several columns of x and y: say --columns {pairs}")
    return found[0]


def _unnamed(path: Path, table: Table, notes: list[str]) -> columns.Place:
    """Without a header: the first two columns that go up and down.

    A closed line comes back to where it began, so its coordinates can neither only rise nor only
    fall, as an index, a station or a time does.
    """
    able = []
    for index in range(max(len(row.cells) for row in table.rows)):
        values = [value for value in table.column(index) if value is not None]
        steps = np.diff(values)
        if len(values) > len(table.rows) / 2 and (steps > 0).any() and (steps < 0).any():
            able.append(index)
    if len(able) < 2:
        raise DataError(
            f"{path}: no two columns that could be x and y of a closed line: each must rise and"
            " fall; a header such as x,y or --columns names them"
        )
    notes.append(
        f"no header: columns {able[0] + 1} and {able[1] + 1} taken as x and y (--columns X,Y says"
        " otherwise)"
    )
    return columns.Place(able[0], able[1], 1.0)


def _chosen(path: Path, table: Table, chosen: str) -> columns.Place:
    """The columns that the user names."""
    asked = [part.strip() for part in chosen.split(",")]
    if len(asked) != 2:
        raise UsageError(
            f"--columns takes two names or numbers, such as x,y or 2,3; got {chosen!r}"
        )
    names = table.names or ()
    count = max(len(row.cells) for row in table.rows)
    indices = []
    for one in asked:
        if one in names:
            indices.append(names.index(one))
        elif one.isdecimal() and 1 <= int(one) <= count:
            indices.append(int(one) - 1)
        else:
            known = ", ".join(names) if names else f"1 to {count}"
            raise UsageError(f"{path}: no column {one!r}; there are {known}")
    if names and (named := [one for one in columns.places(names) if one[:2] == tuple(indices)]):
        return named[0]
    return columns.Place(indices[0], indices[1], 1.0)


def _points(path: Path, table: Table, place: columns.Place) -> Floats:
    """The points (N, 2), in the file's units."""
    points = np.empty((len(table.rows), 2))
    for number, row in enumerate(table.rows):
        for axis, index in enumerate((place.x, place.y)):
            value = row.values[index] if index < len(row.values) else None
            if value is None:
                raise DataError(_no_number(path, table, row, place))
            if not np.isfinite(value):
                raise DataError(f"{path}: line {row.line} is not finite: {_shown(row)}")
            points[number, axis] = value
    return points


def _no_number(path: Path, table: Table, row: Row, place: columns.Place) -> str:
    text = f"{path}: line {row.line} has no numbers x and y in columns {place.x + 1} and"
    text += f" {place.y + 1}: {_shown(row)}"
    if table.dialect.decimal == "," and any("." in cell for cell in row.cells):
        text += " (other lines have decimal commas)"
    return text


def _shown(row: Row) -> str:
    text = ",".join(row.cells)
    return text if len(text) <= 60 else text[:57] + "..."


def _refuse_degrees(path: Path, points: Floats) -> None:
    """Refuse what can only be degrees: a tiny span, far from zero, in the range of angles."""
    span, far = np.ptp(points, axis=0), np.abs(points).max(axis=0)
    in_range = (far <= (_LONGITUDES, _LATITUDES)).all() or (far <= (_LATITUDES, _LONGITUDES)).all()
    if in_range and span.max() < _DEGREES_SPAN and far.max() > 2 * span.max():
        raise DataError(
            f"{path}: from ({points[0, 0]:g}, {points[0, 1]:g}) it goes no farther than"
            f" {span.max():.2g}: that is latitude and longitude; project them to metres first, for"
            " instance to UTM"
        )


def _width(table: Table) -> tuple[float, float] | None:
    """The least and greatest width of the track, metres, where every row says it."""
    found = columns.width(table.names) if table.names else None
    if found is None:
        return None
    sides: Sequence[list[float | None]] = [table.column(index) for index in found.columns]
    if any(value is None or not np.isfinite(value) for side in sides for value in side):
        return None
    total = np.sum(np.array(sides, dtype=float), axis=0) * found.metres
    return (float(total.min()), float(total.max())) if total.min() > 0 else None
