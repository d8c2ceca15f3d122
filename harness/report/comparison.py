"""Two batches of runs, before and after: what changed, and which changes are beyond noise."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.files import as_csv
from harness.metrics.intervals import Difference
from harness.report.cells import (
    Cell,
    Completed,
    Estimate,
    Number,
    Shift,
    line_text,
)
from harness.report.columns import FIGURES
from harness.report.groups import Conditions, Group, Heat
from harness.report.ranking import (
    common_pairs,
    completed_pairs,
    completion_difference,
    distinct_pairs,
    figure_difference,
)
from harness.report.table import markdown_table

HEADINGS = ("Model", "Figure", "Before", "After", "Difference", "Pairs")
NOTE = (
    "Before and after: means over completed runs with their 95 % intervals. Difference: after less"
    " before, over runs from equal starts and seeds, with its 95 % interval. Intervals: Student's t"
    " of fewer than ten runs or pairs, else the bootstrap. A star marks what is beyond noise: the"
    " interval and a paired test (t; McNemar's for completion) both exclude 0 at 0.05 divided by"
    " the number of models and conditions compared."
)
_LEFT_ALIGNED = 2


@dataclass(frozen=True)
class Change:
    """One figure of one model under equal conditions in both batches.

    Attributes:
        title: The conditions.
        model: The model's label.
        figure: The figure's name in result.json; `completion` for the share completed.
        heading: The figure with its unit.
        before: The figure before.
        after: The figure after.
        difference: After less before; None without common starts and seeds.
        digits: After the point.
    """

    title: str
    model: str
    figure: str
    heading: str
    before: Completed | Estimate
    after: Completed | Estimate
    difference: Difference | None
    digits: int

    @property
    def beyond_noise(self) -> bool:
        """Whether the difference is told from chance."""
        return self.difference is not None and self.difference.beyond_noise

    @property
    def cells(self) -> tuple[Cell, ...]:
        """A row of `HEADINGS`."""
        pairs = Number(self.difference.n if self.difference else None, 0)
        return (self.model, self.heading, self.before, self.after, self.shift, pairs)

    @property
    def shift(self) -> Shift:
        """The difference as a cell."""
        return Shift(self.difference, self.digits)


@dataclass(frozen=True)
class Comparison:
    """What two batches have in common, and what only one of them has.

    Attributes:
        changes: Every figure of every model that both drove under equal conditions.
        unmatched: One line for each model that only one of them drove so.
    """

    changes: tuple[Change, ...]
    unmatched: tuple[str, ...]

    @property
    def beyond_noise(self) -> tuple[str, ...]:
        """One line for every change that is beyond noise."""
        return tuple(
            f"{change.model}, {change.title}: {change.heading}"
            f" {change.shift.main} {change.shift.interval}"
            for change in self.changes
            if change.beyond_noise
        )


def compare(before: Sequence[Heat], after: Sequence[Heat]) -> Comparison:
    """Set two batches against each other, model by model under equal conditions."""
    first, second = _by_key(before), _by_key(after)
    common = [key for key in first if key in second]
    changes = [
        change for key in common for change in _changes(first[key], second[key], len(common))
    ]
    sides = ((first, second, "before"), (second, first, "after"))
    unmatched = [
        f"only {name}: {group.label}, {group.conditions.title}"
        for own, other, name in sides
        for key, group in own.items()
        if key not in other
    ]
    return Comparison(tuple(changes), tuple(unmatched))


def by_title(comparison: Comparison) -> Iterator[tuple[str, list[Change]]]:
    """The changes under equal conditions, with the title of those."""
    for title in dict.fromkeys(change.title for change in comparison.changes):
        yield title, [change for change in comparison.changes if change.title == title]


def statement(comparison: Comparison) -> tuple[str, ...]:
    """What is beyond noise, in words."""
    if not comparison.changes:
        return ("Nothing was driven under equal conditions in both: there is nothing to compare.",)
    beyond = comparison.beyond_noise
    if not beyond:
        return ("No difference is beyond noise.",)
    return tuple(f"Beyond noise: {line}" for line in beyond)


def terminal_comparison(comparison: Comparison) -> RenderableType:
    """The comparison for a terminal."""
    parts: list[RenderableType] = []
    for title, changes in by_title(comparison):
        parts.append(Text(f"\n{title}", style="bold"))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
        for index, heading in enumerate(HEADINGS):
            if index < _LEFT_ALIGNED:
                table.add_column(heading, overflow="fold")
            else:
                table.add_column(heading, justify="right", overflow="fold")
        for change in changes:
            style = "bold" if change.beyond_noise else None
            table.add_row(*(Text(line_text(cell)) for cell in change.cells), style=style)
        parts.append(table)
    parts += [Text(line) for line in statement(comparison)]
    parts += [Text(line, style="yellow") for line in comparison.unmatched]
    return Lines(*parts, Text(NOTE, style="dim"))


def markdown_comparison(comparison: Comparison, before: str, after: str) -> str:
    """The comparison as Markdown.

    Args:
        comparison: What changed.
        before: Name of the first batch.
        after: Name of the second.
    """
    lines = [f"# {before} (before) and {after} (after)", ""]
    lines += [f"- {line}" for line in (*statement(comparison), *comparison.unmatched)]
    for title, changes in by_title(comparison):
        rows = [change.cells for change in changes]
        lines += ["", f"## {title}", "", *markdown_table(HEADINGS, rows, _LEFT_ALIGNED)]
    return "\n".join([*lines, "", NOTE, ""])


def csv_comparison(comparison: Comparison) -> str:
    """One row for each figure of each model, as CSV."""
    fields = ["conditions", "model", "figure", "before", "after"]
    fields += ["difference", "low", "high", "pairs", "p_value", "beyond_noise"]
    rows = []
    for change in comparison.changes:
        row: dict[str, Any] = {
            "conditions": change.title,
            "model": change.model,
            "figure": change.figure,
        }
        for name, cell in (("before", change.before), ("after", change.after)):
            row[name] = cell.found.value if cell.found else None
        found = change.difference
        if found is not None:
            row |= {"difference": found.value, "low": found.low, "high": found.high}
            row |= {"pairs": found.n, "p_value": found.p_value, "beyond_noise": found.beyond_noise}
        rows.append(row)
    return as_csv(fields, rows)


def json_comparison(comparison: Comparison) -> str:
    """Every figure of each model as a JSON list; before and after as value, low, high, n."""
    rows = []
    for change in comparison.changes:
        sides = {"before": change.before.found, "after": change.after.found}
        rows.append(
            asdict(change) | {name: found and asdict(found) for name, found in sides.items()}
        )
    return json.dumps(rows, indent=2, allow_nan=False)


def _by_key(found: Sequence[Heat]) -> dict[tuple[Conditions, str], Group]:
    return {(heat.conditions, group.label): group for heat in found for group in heat.groups}


def _changes(before: Group, after: Group, comparisons: int) -> Iterator[Change]:
    title, label = before.conditions.title, before.label
    pairs = common_pairs(before, after)
    distinct = distinct_pairs(pairs)
    done, done_after = (
        Completed(len(group.completed), len(group.judged), group.completion)
        for group in (before, after)
    )
    share = completion_difference(distinct, comparisons)
    yield Change(title, label, "completion", "Completed (share)", done, done_after, share, 2)
    for figure in FIGURES:
        name, digits = figure.name, figure.digits
        old, new = (Estimate(group.mean(name, figure.driving), digits) for group in (before, after))
        compared = completed_pairs(distinct if figure.driving else pairs)
        difference = figure_difference(compared, name, comparisons)
        yield Change(title, label, name, figure.heading, old, new, difference, digits + 1)
