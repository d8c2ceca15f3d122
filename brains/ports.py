"""What a network takes and gives, as its file tells: names, shapes and number types."""

from typing import NamedTuple


class Port(NamedTuple):
    """One input or output.

    Attributes:
        name: As the file names it.
        shape: Its sizes, None where one is free; None: the file does not tell.
        dtype: As NumPy names it (``float32``).
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str


class Ports(NamedTuple):
    """All of a network, in the file's order."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
