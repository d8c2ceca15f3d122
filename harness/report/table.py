"""The tables of a report, and how a terminal and Markdown show them.

Every model that was driven has its row, with figures over its completed runs; every run that did
not complete is named under the table, and counted, so that no average hides a failure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self, get_args

from rich import box
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.recording.results import Outcome
from harness.report.cells import (
    MISSING,
    Cell,
    Completed,
    Estimate,
    Number,
    Shift,
    line_text,
    lines_text,
    main_text,
)
from harness.report.columns import DEFAULT_RANK_KEY, FIGURES, Figure, ranked_by
from harness.report.front import Spot, front_statement, pareto_front, spots
from harness.report.groups import Group, Heat, Run, heats, pooled
from harness.report.published import PublishedRow, published_rows, published_study
from harness.report.ranking import Place, rank, statement, verdict_text

_LEADING = ("Model", "Clock, latency", "Completed", "n")
_LEFT_ALIGNED = 2
_CLOCK, _N = 1, 3
# A terminal this wide takes all columns; one this wide takes intervals at least.
_WIDE_CHARACTERS = 190
_INTERVAL_CHARACTERS = 112

NOTES = (
    "Figures: mean over the completed runs, with its 95 % interval: Student's t of fewer than ten"
    " runs, else the bootstrap. Completed: of all runs of driving, with the exact 95 %"
    " (Clopper-Pearson) interval of the share. n: distinct completed runs; those whose odometry"
    " agrees bit by bit, as lockstep repeats do, count once in lap time, speed and deviation.",
    "Deviation, as published: mean of 1000 ** metres (not metres), ours from the centreline."
    " Camera to command: simulated time from a frame to its command's effect, median.",
)
RANKING_NOTE = (
    "Ranking: each criterion orders the models that the one before does not tell apart: from the"
    " best of them down to the first that is worse by more than noise at 0.05 (of completion also"
    " by more than one run in ten). Over several circuits each has the same weight: means of their"
    " means, geometric ones of lap time and speed. Differences are to the first, over runs from"
    " equal starts and seeds that both completed; 95 % intervals, Student's t of fewer than ten"
    " pairs, else the bootstrap. Beyond noise (*): the interval and a paired test (t; McNemar's for"
    " completion) both exclude 0 at 0.05 divided by the number of comparisons."
)


@dataclass(frozen=True)
class Ranking:
    """Models in order.

    Attributes:
        title: What they are ranked by.
        statement: Who drives best, in words.
        front: Who is on the Pareto front, in words.
        headings: Of the places' columns.
        places: Place, model, completed, figures and differences, verdict.
        spots: The models between speed and deviation.
    """

    title: str
    statement: str
    front: str
    headings: tuple[str, ...]
    places: tuple[tuple[Cell, ...], ...]
    spots: tuple[Spot, ...]


@dataclass(frozen=True)
class CircuitTable:
    """Everything the report's table says of one circuit and pace.

    Attributes:
        title: The conditions of its runs.
        rows: One for each model.
        published: The published rows, in the same columns.
        outcomes: How the runs ended, none left out.
        failures: One line for every run that did not complete.
        ranking: Who drives best; None where there is only one model to rank.
        mixed: Warnings of what should not be mixed in one table, such as machines.
    """

    title: str
    rows: tuple[tuple[Cell, ...], ...]
    published: tuple[tuple[Cell, ...], ...]
    outcomes: str
    failures: tuple[str, ...]
    ranking: Ranking | None
    mixed: tuple[str, ...]


@dataclass(frozen=True)
class Overall:
    """Models over several circuits: their runs together, and their ranking."""

    heat: Heat
    ranking: Ranking

    @property
    def title(self) -> str:
        """What was driven."""
        return f"All circuits: {self.heat.conditions.title}"


@dataclass(frozen=True)
class Report:
    """Runs, sorted and put into tables.

    Attributes:
        runs: All runs, at least one.
        notes: One line for everything that is not in the tables.
        heats: The runs, sorted.
        tables: One for each of them.
        overall: Over several circuits.
    """

    runs: tuple[Run, ...]
    notes: tuple[str, ...]
    heats: tuple[Heat, ...]
    tables: tuple[CircuitTable, ...]
    overall: tuple[Overall, ...]

    @classmethod
    def of(
        cls, runs: Sequence[Run], notes: Sequence[str] = (), rank_by: str = DEFAULT_RANK_KEY
    ) -> Self:
        """Sort runs and compute their tables.

        Raises:
            UsageError: `rank_by` names no figure.
        """
        figures = ranked_by(rank_by)
        found = heats(runs)
        tables = tuple(circuit_table(heat, figures) for heat in found)
        return cls(tuple(runs), tuple(notes), found, tables, overall(found, figures))


def headings() -> tuple[str, ...]:
    """The headings of a table's columns."""
    return (*_LEADING, *(figure.heading for figure in FIGURES))


def circuit_tables(
    runs: Iterable[Run], rank_by: str = DEFAULT_RANK_KEY
) -> tuple[CircuitTable, ...]:
    """One table for each circuit, direction and pace, in the order in which they first occur.

    Raises:
        UsageError: `rank_by` names no figure.
    """
    figures = ranked_by(rank_by)
    return tuple(circuit_table(heat, figures) for heat in heats(runs))


def circuit_table(heat: Heat, figures: Sequence[Figure]) -> CircuitTable:
    """The table of runs under equal conditions, its models ranked by figures."""
    return CircuitTable(
        title=heat.conditions.title,
        rows=tuple(_group_cells(group) for group in heat.groups),
        published=tuple(_published_cells(row) for row in published_of(heat)),
        outcomes=_outcomes(heat),
        failures=tuple(_failure(run) for group in heat.groups for run in group.failed),
        ranking=ranking(heat, figures),
        mixed=_mixed(heat),
    )


def ranking(heat: Heat, figures: Sequence[Figure]) -> Ranking | None:
    """The models of a table in order; None where there is only one to rank."""
    places = rank(heat, figures)
    if len(places) < 2:
        return None
    found = spots(places)
    order = ", then ".join(figure.title.lower() for figure in figures)
    return Ranking(
        title=f"Ranking by share completed, then {order}",
        statement=statement(places),
        front=front_statement(pareto_front(found)),
        headings=_place_headings(figures),
        places=tuple(_place_cells(place, figures) for place in places),
        spots=found,
    )


def overall(found: Sequence[Heat], figures: Sequence[Figure]) -> tuple[Overall, ...]:
    """Rankings over all circuits, for every pace at which several models drove several of them."""
    return tuple(
        Overall(heat, placed) for heat in pooled(found) if (placed := ranking(heat, figures))
    )


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
    tables: Sequence[CircuitTable], width: int, rankings: Sequence[Overall] = ()
) -> RenderableType:
    """The tables, and rankings over all circuits, for a terminal so many characters wide."""
    left_out = set()
    if width < _WIDE_CHARACTERS:
        # The title tells clock and latency too.
        left_out = {_CLOCK, _N, *(len(_LEADING) + i for i, f in enumerate(FIGURES) if f.wide)}
    intervals = width >= _INTERVAL_CHARACTERS
    cell_text = lines_text if intervals else main_text
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
            table.add_row(*(Text(cell_text(row[index])) for index in shown))
        if content.rows and content.published:
            table.add_section()
        for row in content.published:
            table.add_row(*(Text(cell_text(row[index])) for index in shown), style="dim")
        parts.append(table)
        if content.ranking:
            parts += _terminal_ranking(content.ranking)
    for each in rankings:
        parts += [Text(f"\n{each.title}", style="bold"), *_terminal_ranking(each.ranking)]
    notes = [*NOTES, *published_note(tables)]
    if not intervals:
        notes.append(
            f"Intervals: from {_INTERVAL_CHARACTERS} columns on, and in the report's files."
        )
    parts.extend(Text(note, style="dim") for note in notes)
    return Lines(*parts)


def markdown_report(tables: Sequence[CircuitTable], rankings: Sequence[Overall] = ()) -> str:
    """The tables, and rankings over all circuits, as Markdown."""
    lines: list[str] = []
    for each in rankings:
        lines += [f"## {each.title}", "", *_markdown_ranking(each.ranking)]
    for content in tables:
        lines += [f"## {content.title}", ""]
        lines += markdown_table(headings(), (*content.rows, *content.published), _LEFT_ALIGNED)
        lines += ["", content.outcomes, ""]
        warnings = (*content.mixed, *content.failures)
        lines += [*(f"- {line}" for line in warnings), ""] if warnings else []
        if content.ranking:
            lines += _markdown_ranking(content.ranking)
    if rankings or any(content.ranking for content in tables):
        lines += [RANKING_NOTE, ""]
    return "\n".join([*lines, *(f"{note}\n" for note in (*NOTES, *published_note(tables)))])


def markdown_table(
    titles: Sequence[str], rows: Iterable[Sequence[Cell]], left_aligned: int
) -> list[str]:
    """A table's lines; all columns but the first `left_aligned` are aligned right."""
    dashes = ["---" if i < left_aligned else "---:" for i in range(len(titles))]
    return [_markdown_row(titles), _markdown_row(dashes), *(_markdown_row(row) for row in rows)]


def _group_cells(group: Group) -> tuple[Cell, ...]:
    return (
        group.label,
        group.conditions.pace,
        Completed(len(group.completed), len(group.judged), group.completion),
        str(len(group.distinct)),
        *(Estimate(group.mean(f.name, f.driving), f.digits) for f in FIGURES),
    )


def _published_cells(row: PublishedRow) -> tuple[Cell, ...]:
    return (
        f"{row.model}, published",
        row.clock or MISSING,
        # The study names the models that did not complete, but not how often the others drove.
        MISSING if row.completed else "no",
        MISSING,
        *(Number(getattr(row, f.name, None), f.digits, as_given=True) for f in FIGURES),
    )


def _place_headings(figures: Iterable[Figure]) -> tuple[str, ...]:
    heads = ["", "Model", "Completed"]
    for figure in figures:
        unit = "%" if figure.of_circuit else figure.unit
        difference = f"Difference in {figure.title.lower()}"
        heads += [figure.heading, f"{difference} ({unit})" if unit else difference]
    return (*heads, "Pairs", "Against the first")


def _place_cells(place: Place, figures: Sequence[Figure]) -> tuple[Cell, ...]:
    """A row of `_place_headings`; of the first no differences, since they are to itself."""
    group = place.group
    differences = place.versus_first[1:] or (None,) * len(figures)
    cells: list[Cell] = [
        str(place.place),
        group.label,
        Completed(len(group.completed), len(group.judged)),
    ]
    for figure, mean, difference in zip(figures, place.means, differences, strict=True):
        digits = 2 if figure.of_circuit else figure.digits + 1
        cells += [
            Number(mean, figure.digits),
            Shift(difference, digits, percent=figure.of_circuit),
        ]
    pairs = differences[0].n if differences[0] else None
    return (*cells, Number(pairs, 0), verdict_text(place) or MISSING)


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


def _terminal_ranking(ranked: Ranking) -> list[RenderableType]:
    return [Text(f"{ranked.title}: {ranked.statement} {ranked.front}")]


def _markdown_ranking(ranked: Ranking) -> list[str]:
    words = [f"**{ranked.title}: {ranked.statement}**", "", ranked.front, ""]
    return [*words, *markdown_table(ranked.headings, ranked.places, _LEFT_ALIGNED), ""]


def _markdown_row(cells: Iterable[Cell]) -> str:
    return f"| {' | '.join(line_text(cell).replace('|', chr(92) + '|') for cell in cells)} |"
