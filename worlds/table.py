"""Reads tables of numbers as people have them: any usual separator, comments, decimal commas.

The csv module splits the lines; which dialect a file is written in is decided here, by what makes
numbers of its rows. csv.Sniffer guesses from the frequency of characters and is wrong on files with
comments or decimal commas; numpy's readers want to be told.
"""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

Floats = NDArray[np.float64]

_COMMENT = re.compile(r"\s*(#|%|//)")
_COMMENT_AFTER_NUMBERS = re.compile(r"(?<=[\s,;|])(#|%|//).*")
_EXCELS_SEPARATOR = re.compile(r'"?sep=.?"?', re.IGNORECASE)
_CONTROL_CHARACTERS = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)
_SAMPLE_LINES = 300
_GREATEST_BYTES = 1 << 26
_LEAST_NUMBERS = 2


class Dialect(NamedTuple):
    """How a file writes its rows; separator None is any white space."""

    separator: str | None
    decimal: str


# The order decides between dialects that read a file equally well.
_DIALECTS = (
    *(Dialect(separator, decimal) for separator in ("\t", ";", "|") for decimal in ".,"),
    Dialect(",", "."),
    *(Dialect(None, decimal) for decimal in ".,"),
    Dialect(",", ","),  # decimal commas in quotes
)


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        line: Its line in the file, from 1.
        cells: What stands there.
        values: The same as numbers; None where there is none.
    """

    line: int
    cells: tuple[str, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Table:
    """A file's rows of numbers.

    Attributes:
        names: Names of the columns; None without a header.
        rows: The rows, at least one.
        dialect: How they are written.
    """

    names: tuple[str, ...] | None
    rows: tuple[Row, ...]
    dialect: Dialect

    def column(self, index: int) -> list[float | None]:
        """The numbers of a column; None where a row has none."""
        return [row.values[index] if index < len(row.values) else None for row in self.rows]


def read_table(path: Path, is_header: Callable[[Sequence[str]], bool]) -> Table:
    """Read a table of numbers.

    The header is a line above the rows that `is_header` accepts, commented out or not.

    Args:
        path: A text file: comma, semicolon, tab, bar or white space between the cells; lines that
            begin with #, % or // are comments.
        is_header: Whether these are names of columns that the caller understands.

    Raises:
        DataError: The file can't be read, is no text, or holds no rows of numbers.
    """
    lines = [
        (number, line)
        for number, line in enumerate(_text(path).splitlines(), start=1)
        if line.strip(" \t,;|") and not _EXCELS_SEPARATOR.fullmatch(line.strip())
    ]
    body = [(number, line) for number, line in lines if not _COMMENT.match(line)]
    dialect = _dialect_of([line for _, line in body])
    if dialect is None:
        raise DataError(f"{path}: holds no rows of numbers: it must be a table with columns x, y")
    rows = [_row(number, line, dialect) for number, line in body]
    first = next(index for index, row in enumerate(rows) if _is_numeric(row))
    rows, above = rows[first:], rows[:first]
    width = len(rows[0].cells)
    over = [_names(line, dialect, width) for number, line in lines if number < rows[0].line]
    names = next((cells for cells in reversed(over) if is_header(cells)), None)
    if names is not None and len(names) < width:
        raise DataError(
            f"{path}: the header names {len(names)} columns over rows of {width} cells (line"
            f" {rows[0].line}: {','.join(rows[0].cells)}): are commas decimal marks and separators"
            " at once?"
        )
    if names is None and above and len(above[-1].cells) == width:
        names = above[-1].cells  # a header, if one with names unknown here
    return Table(names, tuple(rows), dialect)


def _text(path: Path) -> str:
    """The text of a file, in whatever encoding spreadsheets write."""
    try:
        if path.stat().st_size > _GREATEST_BYTES:
            raise DataError(f"{path}: cannot read the centreline: too large for a table of points")
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot read the centreline: {error.strerror}") from error
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return raw.decode("utf-16")
        if _CONTROL_CHARACTERS.search(raw):
            raise DataError(f"{path}: cannot read the centreline: not a text file")
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Latin-1 knows every byte; beyond ASCII only names and comments can be wrong.
        return raw.decode("latin-1")


def _dialect_of(lines: Sequence[str]) -> Dialect | None:
    """The dialect in which most lines have as many cells as the others, and most are numbers."""
    sample = lines[:_SAMPLE_LINES]

    def fit(dialect: Dialect) -> tuple[int, float]:
        rows = [row for line in sample if _is_numeric(row := _row(0, line, dialect))]
        if not rows:
            return 0, 0.0
        _, alike = Counter(len(row.cells) for row in rows).most_common(1)[0]
        filled = sum(bool(cell) for row in rows for cell in row.cells)
        return alike, sum(value is not None for row in rows for value in row.values) / filled

    best = max(_DIALECTS, key=fit)
    return best if fit(best)[0] else None


def _row(number: int, line: str, dialect: Dialect) -> Row:
    cells = _split(_COMMENT_AFTER_NUMBERS.sub("", line), dialect.separator)
    return Row(number, cells, tuple(_number(cell, dialect.decimal) for cell in cells))


def _split(line: str, separator: str | None) -> tuple[str, ...]:
    """The cells of a line, without empty ones at its end."""
    if separator is None:
        cells = [cell.strip("\"'") for cell in line.split()]
    else:
        try:
            read = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        except csv.Error:  # a cell longer than csv's limit
            read = line.split(separator)
        cells = [cell.strip().strip("'") for cell in read]
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)


def _number(cell: str, decimal: str) -> float | None:
    """A cell as a number; None if it is none. Thousands may be grouped, beside a decimal mark."""
    text = cell.replace("\N{MINUS SIGN}", "-")
    group = "," if decimal == "." else "."
    if re.fullmatch(rf"[+-]?\d{{1,3}}(\{group}\d{{3}})+\{decimal}\d*", text):
        text = text.replace(group, "")
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    if _NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        return float(text)
    return None


def _is_numeric(row: Row) -> bool:
    return sum(value is not None for value in row.values) >= _LEAST_NUMBERS


def _names(line: str, dialect: Dialect, width: int) -> tuple[str, ...]:
    """What a line above the rows could name the columns."""
    text = _COMMENT.sub("", line, count=1)
    # A header may be separated otherwise than its rows.
    splits = [_split(text, by) for by in (dialect.separator, ",", ";", "\t", None)]
    return next((cells for cells in splits if len(cells) >= width), splits[0])
