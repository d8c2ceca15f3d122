"""A promise of the project beside what was measured."""

from collections.abc import Iterable

from pydantic import BaseModel
from rich.table import Table


class Promise(BaseModel):
    """One promise.

    Attributes:
        what: The figure.
        promise: The bound, in words.
        measured: What was measured.
        kept: Whether the bound holds.
    """

    what: str
    promise: str
    measured: str
    kept: bool


def promise_table(title: str, promises: Iterable[Promise]) -> Table:
    """Promises as a table, each kept or BROKEN."""
    table = Table("what", "promise", "measured", "", title=title)
    for row in promises:
        table.add_row(row.what, row.promise, row.measured, "kept" if row.kept else "BROKEN")
    return table
