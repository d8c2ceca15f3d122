"""What `harness metrics` says of a bag, on a terminal and as JSON."""

import json
from typing import Any

from rich import box
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.metrics.figures import Metrics
from harness.recording.bag_metrics import BagMetrics

_MISSING = "-"
# A terminal this wide has room for what each figure is.
_WIDE_CHARACTERS = 120


def terminal_sheet(measured: BagMetrics, width: int) -> RenderableType:
    """The figures of a bag as a table, digits as in result.json.

    Args:
        measured: What the bag says.
        width: Characters of the terminal.
    """
    wide = width >= _WIDE_CHARACTERS
    course = measured.course
    head = [
        f"{course.circuit.title}, {course.direction} ({course.source}),"
        f" from station {course.start_station_m:.2f} m",
        f"{measured.outcome or 'undecided'}: {measured.outcome_reason}",
        f"Times: {measured.times.words}",
    ]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("Figure", no_wrap=True)
    table.add_column("Value", overflow="fold")
    if wide:
        table.add_column("What it is", style="dim")
    different = measured.different
    for name, value in measured.metrics.model_dump().items():
        cells = [name, _cell(value)]
        if wide:
            cells.append(Metrics.model_fields[name].description or "")
        table.add_row(*map(Text, cells), style="yellow" if name in different else None)
    parts: list[RenderableType] = [Text(line) for line in head]
    parts += [Text(note, style="yellow") for note in measured.notes]
    parts += [table, *_reference(measured), *_comparison(measured)]
    return Lines(*parts)


def json_sheet(measured: BagMetrics) -> str:
    """The figures of a bag as JSON, with the course, the outcome and what is lost."""
    return json.dumps(measured.to_dict(), indent=2, allow_nan=False)


def _reference(measured: BagMetrics) -> list[Text]:
    """The deviation against a reference lap, and which lap that is."""
    against = measured.against
    if against is None:
        return []
    figures = against.measured
    if figures is None:
        text = "Deviation against the reference: none, the car passed no point of it"
    else:
        text = (
            f"Deviation against the reference: {figures.deviation}, mean of 1000 ** metres over"
            f" {figures.points} points; exactly on the centreline scores {figures.floor:.3f}"
        )
    return [Text(text), Text(f"Reference: {against.reference.bag}, {against.reference.sha256}")]


def _comparison(measured: BagMetrics) -> list[Text]:
    """Whether the figures are those that were recorded."""
    if measured.recorded_in is None:
        return [Text("No figures were recorded with this bag.", style="dim")]
    different, count = measured.different, len(measured.recorded)
    now = measured.metrics.model_dump()
    redefined = [
        Text(
            f"Of these {name} had another definition then: it was"
            f" {_cell(measured.recorded[name])}, and is {_cell(now[name])} now.",
            style="dim",
        )
        for name in measured.redefined
    ]
    if not different:
        equal = f"All {count} figures of {measured.recorded_in} are equal, to the last digit."
        return [Text(equal), *redefined]
    lines = [f"{count - len(different)} of {count} figures of {measured.recorded_in} are equal:"]
    lines += [
        f"  {name} was {_cell(measured.recorded[name])}, is {_cell(now[name])}"
        for name in different
    ]
    return [*(Text(line, style="yellow") for line in lines), *redefined]


def _cell(value: Any) -> str:
    if value is None:
        return _MISSING
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or _MISSING
    return str(value)
