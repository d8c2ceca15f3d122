"""Reads protocol buffers field by field, without their classes.

For telling what kind a file is: only headers are read; a field is skipped by its length, however
long it says it is.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from harness.errors import DataError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: Which.
        kind: ``VARINT``, ``BYTES`` or one of fixed length.
        value: Of a varint; 0 of all others.
        start: Where its content begins in the file.
        end: Where it ends.
    """

    number: int
    kind: int
    value: int
    start: int
    end: int


class BrokenMessageError(DataError):
    """These bytes are no such message, or are cut off."""


def fields(file: BinaryIO, start: int, end: int) -> Iterator[Field]:
    """Fields of the message that stands from ``start`` to ``end``.

    Raises:
        BrokenMessageError: They are not fields, or one reaches beyond the end.
    """
    position = start
    while position < end:
        file.seek(position)
        key = _varint(file)
        kind, number = key & 7, key >> 3
        value = 0
        if kind == VARINT:
            value = _varint(file)
            begin = stop = file.tell()
        elif kind == BYTES:
            length = _varint(file)
            begin = file.tell()
            stop = begin + length
        elif kind in _FIXED:
            begin = file.tell()
            stop = begin + _FIXED[kind]
        else:
            raise BrokenMessageError("no protocol buffer")
        if number == 0 or stop > end:
            raise BrokenMessageError("a field reaches beyond the end")
        yield Field(number, kind, value, begin, stop)
        position = stop


def text(file: BinaryIO, field: Field, longest: int = 200) -> str:
    """Text of a field, cut off at ``longest`` bytes."""
    file.seek(field.start)
    return file.read(min(field.end - field.start, longest)).decode(errors="replace")


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise BrokenMessageError("it ends within a field")
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise BrokenMessageError("no protocol buffer")
