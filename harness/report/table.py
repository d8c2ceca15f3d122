"""The table of runs, in the published columns: on a terminal and as Markdown.

Completed runs and published rows stand in the table; every run that did not complete is listed
under it, and counted, so that no average hides a failure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.metrics.intervals import completion_interval
from harness.report.published import PublishedRow, published_rows, published_study
from harness.results import Result

# Name, unit, and the heading on a terminal.
COLUMNS = (
    ("Model", "", "Model"),
    ("Run", "", "Run"),
    ("Clock", "", "Clock"),
    ("Laps", "", "Laps"),
    ("Lap time", "s", "Lap\ntime\ns"),
    ("Average speed", "m/s", "Average\nspeed\nm/s"),
    ("Deviation", "m", "Deviation\nm"),
    ("Deviation", "as published", "Deviation\nas\npublished"),
    ("Brain frequency", "Hz", "Brain\nfreq.\nHz"),
    ("Mean inference", "ms", "Mean\ninfer.\nms"),
    ("Real-time factor", "", "Real-\ntime\nfactor"),
)
_MISSING = "-"
_LEFT_ALIGNED = 3
# On a narrow terminal the table leaves these out: the run's name, its laps and lap time.
_WIDE_ONLY = frozenset({1, 3, 4})
_WIDE_CHARACTERS = 104


@dataclass(frozen=True)
class Run:
    """A result with the name of the recording that it comes from."""

    name: str
    result: Result


@dataclass(frozen=True)
class CircuitTable:
    """Everything the report says of one circuit, as text.

    Attributes:
        title: The circuit, with the direction if it is not the published one.
        rows: Completed runs, one cell a column.
        published: The published rows, one cell a column.
        failures: One line for every run that did not complete.
        completion: How many of the runs completed, with the interval of that share.
    """

    title: str
    rows: tuple[tuple[str, ...], ...]
    published: tuple[tuple[str, ...], ...]
    failures: tuple[str, ...]
    completion: str


def circuit_tables(runs: Iterable[Run]) -> tuple[CircuitTable, ...]:
    """One table for each circuit and direction, in the order in which they first occur."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.result.circuit, run.result.direction), []).append(run)
    return tuple(_circuit_table(*key, group) for key, group in groups.items())


def terminal_report(tables: Sequence[CircuitTable], width: int) -> RenderableType:
    """The tables for a terminal so many characters wide."""
    skipped = frozenset() if width >= _WIDE_CHARACTERS else _WIDE_ONLY
    shown = [index for index in range(len(COLUMNS)) if index not in skipped]
    parts: list[RenderableType] = []
    for content in tables:
        parts.append(Text(f"\n{content.title}", style="bold"))
        parts.append(Text(content.completion))
        parts.extend(Text(f"  {line}", style="yellow") for line in content.failures)
        if not content.rows and not content.published:
            continue
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
        for index in shown:
            heading = COLUMNS[index][2]
            if index < _LEFT_ALIGNED:
                table.add_column(heading, overflow="fold", min_width=8)
            else:
                table.add_column(heading, justify="right", no_wrap=True)
        for row in content.rows:
            table.add_row(*(Text(row[index]) for index in shown))
        if content.rows and content.published:
            table.add_section()
        for row in content.published:
            table.add_row(*(Text(row[index]) for index in shown), style="dim")
        parts.append(table)
    parts.append(Text(_footnote(tables), style="dim"))
    return Group(*parts)


def markdown_report(tables: Sequence[CircuitTable]) -> str:
    """The tables as Markdown."""
    lines: list[str] = []
    headings = [f"{name} ({unit})" if unit else name for name, unit, _ in COLUMNS]
    for content in tables:
        lines += [f"## {content.title}", "", _markdown_row(headings)]
        dashes = ["---" if i < _LEFT_ALIGNED else "---:" for i in range(len(COLUMNS))]
        lines.append(f"| {' | '.join(dashes)} |")
        lines += [_markdown_row(row) for row in (*content.rows, *content.published)]
        lines += ["", content.completion, ""]
        lines += [f"- {line}" for line in content.failures]
        lines += [""] if content.failures else []
    return "\n".join([*lines, _footnote(tables), ""])


def _circuit_table(circuit: str, direction: str, runs: Sequence[Run]) -> CircuitTable:
    title = circuit if direction == "forward" else f"{circuit} ({direction})"
    completed = [run for run in runs if run.result.completed]
    judged = [run for run in runs if run.result.judged]
    return CircuitTable(
        title=title,
        rows=tuple(_run_cells(run) for run in completed),
        # The study drove one direction only.
        published=tuple(_published_cells(row) for row in published_rows(circuit))
        if direction == "forward"
        else (),
        failures=tuple(_failure(run) for run in runs if not run.result.completed),
        completion=_completion(len(completed), len(judged), len(runs) - len(judged)),
    )


def _run_cells(run: Run) -> tuple[str, ...]:
    result = run.result
    return (
        result.model,
        # A recording's usual name ends with what other columns say.
        run.name.removesuffix(f"-{result.model}-{result.circuit}"),
        result.clock if result.latency is None else f"{result.clock}, {result.latency}",
        f"{result.laps}/{result.laps_asked}",
        _number(result.lap_time_s, 2),
        _number(result.average_speed_m_s, 2),
        _number(result.deviation_mae_m, 3),
        _number(result.deviation_published, 2),
        _number(result.brain_frequency_hz, 1),
        _number(result.inference_ms_mean, 2),
        _number(result.real_time_factor, 3),
    )


def _published_cells(row: PublishedRow) -> tuple[str, ...]:
    return (
        row.model,
        "published",
        "realtime",
        "1/1" if row.completed else "0/1",
        _MISSING,
        _number(row.average_speed_m_s, 2),
        _MISSING,
        _number(row.deviation_published, 2),
        _number(row.brain_frequency_hz, 1),
        _number(row.inference_ms_mean, 2),
        _number(row.real_time_factor, 3),
    )


def _failure(run: Run) -> str:
    result = run.result
    reason = f": {result.outcome_reason}" if result.outcome_reason else ""
    return (
        f"{result.outcome}: {result.model}, {run.name}"
        f" ({result.laps} of {result.laps_asked} laps){reason}"
    )


def _completion(completed: int, judged: int, unjudged: int) -> str:
    text = f"{completed} of {judged} runs completed"
    if judged:
        share = completion_interval(completed, judged)
        text += f" ({share.value:.0%}, 95 % interval {share.low:.0%} to {share.high:.0%})"
    if unjudged:
        text += f"; {unjudged} more ended by an error of the harness or the brain"
    return text + "."


def _footnote(tables: Sequence[CircuitTable]) -> str:
    note = "Deviation, as published: mean of 1000 ** metres (not metres; 1 is a perfect lap)."
    if any(content.published for content in tables):
        study = published_study()
        note += f" Published rows: {study.source}, on a {study.hardware}."
    return note


def _number(value: float | None, digits: int) -> str:
    return _MISSING if value is None else f"{value:.{digits}f}"


def _markdown_row(cells: Sequence[Any]) -> str:
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"
