"""The tables of a report as text: on a terminal, as Markdown and as CSV.

Every model that was driven has its row, with figures over its completed runs; every run that did
not complete is named under the table, and counted, so that no average hides a failure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

from rich import box
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.metrics.intervals import Difference, Interval
from harness.recording.results import Outcome
from harness.report.groups import Group, Heat, Run, heats, pooled
from harness.report.published import PublishedRow, published_rows, published_study
from harness.report.ranking import Place, rank, statement

MISSING = "-"


@dataclass(frozen=True)
class Figure:
    """A column of figures.

    Attributes:
        name: The field of `Metrics`.
        title: Its heading.
        unit: Of the figures; empty without one.
        digits: After the point.
        driving: It is of the driven line: equal laps count once.
        wide: Left out on a narrow terminal.
    """

    name: str
    title: str
    unit: str
    digits: int
    driving: bool
    wide: bool = False

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


FIGURES = (
    Figure("lap_time_s", "Lap time", "s", 2, driving=True, wide=True),
    Figure("average_speed_m_s", "Average speed", "m/s", 2, driving=True),
    Figure("deviation_mae_m", "Deviation", "m", 3, driving=True),
    Figure("deviation_published", "Deviation", "as published", 2, driving=True),
    Figure("brain_frequency_hz", "Brain frequency", "Hz", 1, driving=False),
    Figure("inference_ms_mean", "Mean inference", "ms", 3, driving=False),
    Figure("camera_to_command_ms_median", "Camera to command", "ms", 1, driving=False, wide=True),
    Figure("real_time_factor", "Real-time factor", "", 3, driving=False, wide=True),
)
_LEADING = ("Model", "Clock, latency", "Completed", "n")
_LEFT_ALIGNED = 2
_CLOCK, _N = 1, 3
# A terminal this wide takes all columns; one this wide takes intervals at least.
_WIDE_CHARACTERS = 190
_INTERVAL_CHARACTERS = 112

NOTES = (
    "Figures: mean over the completed runs, with its 95 % bootstrap interval (of fewer than five"
    " runs it is too narrow; of two it is their range). Completed: of all runs of driving, with"
    " the exact 95 % (Clopper-Pearson) interval of the share. n: distinct completed runs; those"
    " whose odometry agrees bit by bit, as lockstep repeats do, count once in lap time, speed and"
    " deviation.",
    "Deviation, as published: mean of 1000 ** metres (not metres), ours from the centreline."
    " Camera to command: simulated time from a frame to its command's effect, median.",
)
RANKING_NOTE = (
    "by share completed, then by deviation. Differences are to the first, over runs from equal"
    " starts and seeds that both completed; 95 % intervals by paired bootstrap. Beyond noise (*):"
    " the bootstrap and a paired test (t; McNemar's for completion) both exclude 0 at 0.05 divided"
    " by the number of comparisons."
)


@dataclass(frozen=True)
class CircuitTable:
    """Everything the report's table says of one circuit and pace, as text.

    Attributes:
        title: The conditions of its runs.
        rows: One for each model; each cell a text.
        published: The published rows, in the same columns.
        outcomes: How the runs ended, none left out.
        failures: One line for every run that did not complete.
        ranking: Who drives best, in words.
        places: The ranking's rows: place, model, completed, deviation, differences, verdict.
        mixed: Warnings of what should not be mixed in one table, such as machines.
    """

    title: str
    rows: tuple[tuple[str, ...], ...]
    published: tuple[tuple[str, ...], ...]
    outcomes: str
    failures: tuple[str, ...]
    ranking: str
    places: tuple[tuple[str, ...], ...]
    mixed: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """Models ranked over several circuits, as text.

    Attributes:
        title: What was driven.
        statement: Who drives best, in words.
        places: Rows of `PLACE_HEADINGS`.
    """

    title: str
    statement: str
    places: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """Runs, sorted and put into tables.

    Attributes:
        runs: All runs, at least one.
        notes: One line for everything that is not in the tables.
        heats: The runs, sorted.
        tables: One for each of them.
        rankings: Over several circuits.
    """

    runs: tuple[Run, ...]
    notes: tuple[str, ...]
    heats: tuple[Heat, ...]
    tables: tuple[CircuitTable, ...]
    rankings: tuple[Ranking, ...]

    @classmethod
    def of(cls, runs: Sequence[Run], notes: Sequence[str] = ()) -> Self:
        """Sort runs and compute their tables."""
        found = heats(runs)
        tables = tuple(map(circuit_table, found))
        return cls(tuple(runs), tuple(notes), found, tables, overall_rankings(found))


def headings() -> tuple[str, ...]:
    """The headings of a table's columns."""
    return (*_LEADING, *(figure.heading for figure in FIGURES))


PLACE_HEADINGS = (
    "",
    "Model",
    "Completed",
    "Deviation (m)",
    "Difference in deviation (m)",
    "Difference in speed (m/s)",
    "Pairs",
    "Against the first",
)


def circuit_tables(runs: Iterable[Run]) -> tuple[CircuitTable, ...]:
    """One table for each circuit, direction and pace, in the order in which they first occur."""
    return tuple(circuit_table(heat) for heat in heats(runs))


def circuit_table(heat: Heat) -> CircuitTable:
    """The table of runs under equal conditions."""
    places = rank(heat)
    return CircuitTable(
        title=heat.conditions.title,
        rows=tuple(_group_cells(group) for group in heat.groups),
        published=tuple(_published_cells(row) for row in published_of(heat)),
        outcomes=_outcomes(heat),
        failures=tuple(_failure(run) for group in heat.groups for run in group.failed),
        ranking=statement(places),
        places=tuple(_place_cells(place) for place in places),
        mixed=_mixed(heat),
    )


def overall_rankings(found: Sequence[Heat]) -> tuple[Ranking, ...]:
    """Rankings over all circuits, for every pace at which several models drove several of them."""
    rankings = []
    for heat in pooled(found):
        places = rank(heat)
        if len(places) > 1:
            cells = tuple(_place_cells(place) for place in places)
            title = f"All circuits: {heat.conditions.title}"
            rankings.append(Ranking(title, statement(places), cells))
    return tuple(rankings)


def published_of(heat: Heat) -> tuple[PublishedRow, ...]:
    """The study's rows to set beside a table: it drove one direction only."""
    conditions = heat.conditions
    return published_rows(conditions.circuit) if conditions.direction == "forward" else ()


def published_note(tables: Sequence[CircuitTable]) -> tuple[str, ...]:
    """Where the published rows come from, if there are any."""
    if not any(content.published for content in tables):
        return ()
    study = published_study()
    return (
        f"Published rows: {study.source}, on a {study.hardware}, in its own worlds (textured,"
        " shaded, lit) with its own frames: figures of two worlds are neighbours, not rivals.",
        "The study's deviation is from a lap traced pixel by pixel, by which a car exactly on the"
        " centreline scores what the last of its rows says; by ours, from the centreline, it"
        " scores 1. Only --reference, with a copy of that lap, puts both on one ruler.",
    )


def terminal_report(
    tables: Sequence[CircuitTable], width: int, rankings: Sequence[Ranking] = ()
) -> RenderableType:
    """The tables, and rankings over all circuits, for a terminal so many characters wide."""
    left_out = set()
    if width < _WIDE_CHARACTERS:
        # The title tells clock and latency too.
        left_out = {_CLOCK, _N, *(len(_LEADING) + i for i, f in enumerate(FIGURES) if f.wide)}
    intervals = width >= _INTERVAL_CHARACTERS
    titles = headings()
    shown = [index for index in range(len(titles)) if index not in left_out]
    parts: list[RenderableType] = []
    for content in tables:
        parts.append(Text(f"\n{content.title}", style="bold"))
        parts.append(Text(content.outcomes))
        parts.extend(
            Text(f"  {line}", style="yellow") for line in (*content.mixed, *content.failures)
        )
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
        for index in shown:
            if index < _LEFT_ALIGNED:
                table.add_column(titles[index], overflow="fold", min_width=8)
            else:
                table.add_column(titles[index].replace(" ", "\n"), justify="right", no_wrap=True)
        for row in content.rows:
            # The interval below its mean: a terminal is narrow.
            cells = (row[index].split(" [") for index in shown)
            table.add_row(*(Text("\n[".join(cell if intervals else cell[:1])) for cell in cells))
        if content.rows and content.published:
            table.add_section()
        for row in content.published:
            table.add_row(*(Text(row[index]) for index in shown), style="dim")
        parts.append(table)
        if len(content.places) > 1:
            parts.append(Text(content.ranking))
    for ranking in rankings:
        parts += [Text(f"\n{ranking.title}", style="bold"), Text(f"{ranking.statement}\n")]
    notes = [*NOTES, *published_note(tables)]
    if not intervals:
        notes.append(
            f"Intervals: from {_INTERVAL_CHARACTERS} columns on, and in the report's files."
        )
    parts.extend(Text(note, style="dim") for note in notes)
    return Lines(*parts)


def markdown_report(tables: Sequence[CircuitTable], rankings: Sequence[Ranking] = ()) -> str:
    """The tables, and rankings over all circuits, as Markdown."""
    lines: list[str] = []
    for ranking in rankings:
        lines += [f"## {ranking.title}", "", *_markdown_ranking(ranking.statement, ranking.places)]
    for content in tables:
        lines += [f"## {content.title}", ""]
        lines += markdown_table(headings(), (*content.rows, *content.published), _LEFT_ALIGNED)
        lines += ["", content.outcomes, ""]
        warnings = (*content.mixed, *content.failures)
        lines += [*(f"- {line}" for line in warnings), ""] if warnings else []
        if len(content.places) > 1:
            lines += _markdown_ranking(content.ranking, content.places)
    if rankings or any(len(content.places) > 1 for content in tables):
        lines += [f"Ranking: {RANKING_NOTE}", ""]
    return "\n".join([*lines, *(f"{note}\n" for note in (*NOTES, *published_note(tables)))])


def markdown_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], left_aligned: int
) -> list[str]:
    """A table's lines; all columns but the first `left_aligned` are aligned right."""
    dashes = ["---" if i < left_aligned else "---:" for i in range(len(titles))]
    return [_markdown_row(titles), _markdown_row(dashes), *(_markdown_row(row) for row in rows)]


def number(value: float | None, digits: int) -> str:
    """A figure with so many digits, or a dash."""
    return MISSING if value is None else f"{value:.{digits}f}"


def interval_text(interval: Interval | None, digits: int) -> str:
    """A mean, and its interval if it has one."""
    if interval is None:
        return MISSING
    text = number(interval.value, digits)
    if interval.low is None or interval.high is None:
        return text
    return f"{text} [{number(interval.low, digits)}, {number(interval.high, digits)}]"


def difference_text(difference: Difference | None, digits: int) -> str:
    """A difference with its sign, its interval, and a star where it is beyond noise."""
    if difference is None:
        return MISSING
    text = f"{difference.value:+.{digits}f}"
    if difference.low is not None and difference.high is not None:
        text += f" [{difference.low:+.{digits}f}, {difference.high:+.{digits}f}]"
    return f"{text} *" if difference.beyond_noise else text


def _group_cells(group: Group) -> tuple[str, ...]:
    share, counted = group.completion, f"{len(group.completed)}/{len(group.judged)}"
    return (
        group.label,
        group.conditions.pace,
        counted if share is None else f"{counted} [{share.low:.0%}, {share.high:.0%}]",
        str(len(group.distinct)),
        *(interval_text(group.mean(f.name, f.driving), f.digits) for f in FIGURES),
    )


def _published_cells(row: PublishedRow) -> tuple[str, ...]:
    return (
        f"{row.model}, published",
        row.clock or MISSING,
        # The study names the models that did not complete, but not how often the others drove.
        MISSING if row.completed else "no",
        MISSING,
        *(_published_number(getattr(row, figure.name, None), figure.digits) for figure in FIGURES),
    )


def _published_number(value: float | None, digits: int) -> str:
    """A figure as the study gave it, with no digits that it did not."""
    return MISSING if value is None else f"{round(value, digits):g}"


def _place_cells(place: Place) -> tuple[str, ...]:
    group, versus = place.group, place.versus_first
    deviation = versus.deviation_m if versus else None
    return (
        str(place.place),
        group.label,
        f"{len(group.completed)}/{len(group.judged)}",
        number(place.deviation_m, 3),
        difference_text(deviation, 4),
        difference_text(versus.speed_m_s if versus else None, 3),
        str(deviation.n) if deviation else MISSING,
        place.verdict or MISSING,
    )


def _failure(run: Run) -> str:
    result = run.result
    reason = f": {result.outcome_reason}" if result.outcome_reason else ""
    return (
        f"{result.outcome}: {result.model}, {run.name}"
        f" ({result.laps} of {result.laps_asked} laps){reason}"
    )


def _outcomes(heat: Heat) -> str:
    """How all runs of a table ended, in a line."""
    runs = heat.runs
    counted = {
        name: sum(group.outcomes[name] for group in heat.groups) for name in get_args(Outcome)
    }
    ended = ", ".join(f"{count} {name}" for name, count in counted.items() if count)
    judged = sum(len(group.judged) for group in heat.groups)
    text = f"{counted['completed']} of {judged} runs completed"
    if len(runs) > judged:
        text += f"; {len(runs) - judged} more ended by an error of the harness or the brain"
    return f"{text}. Outcomes: {ended}."


def _mixed(heat: Heat) -> tuple[str, ...]:
    """What a reader should know was mixed."""
    provenances = [run.result.provenance for run in heat.runs]
    machines = {f"{p.cpu_model}, {p.cpu_cores} cores, {p.gpus}" for p in provenances}
    commits = {p.git_commit for p in provenances}
    kinds = ((len(machines), "machines"), (len(commits), "commits of the harness"))
    return tuple(f"made on {count} different {what}" for count, what in kinds if count > 1)


def _markdown_ranking(words: str, places: Sequence[Sequence[str]]) -> list[str]:
    return [f"**{words}**", "", *markdown_table(PLACE_HEADINGS, places, 2), ""]


def _markdown_row(cells: Sequence[Any]) -> str:
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"
