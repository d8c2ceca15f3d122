"""Two batches against each other as one HTML file, made as the report's page is."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.charts import Row, interval_chart
from harness.report.comparison import HEADINGS, NOTE, Change, Comparison, by_title, statement
from harness.report.drawings import Drawing
from harness.report.groups import Run
from harness.report.html import render
from harness.report.origin import Origin, origin_of

# The figures whose differences are drawn, all models side by side.
_DRAWN = ("deviation_mae_m", "average_speed_m_s", "inference_ms_mean")


@dataclass(frozen=True)
class Side:
    """One of the two batches: its name, its runs, and what of it is in no table."""

    name: str
    runs: tuple[Run, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ComparePart:
    """What was driven under equal conditions in both; the changes of each model together."""

    title: str
    drawings: tuple[Drawing, ...]
    models: tuple[tuple[Change, ...], ...]


@dataclass(frozen=True)
class ComparePage:
    """All that the page says."""

    title: str
    summary: str
    statement: tuple[str, ...]
    unmatched: tuple[str, ...]
    parts: tuple[ComparePart, ...]
    notes: tuple[str, ...]
    origins: tuple[tuple[str, Origin], ...]


def build_compare_page(comparison: Comparison, before: Side, after: Side) -> str:
    """A comparison as HTML."""
    sides = (before, after)
    page = ComparePage(
        title=f"{before.name} and {after.name}",
        summary=f"{len(before.runs)} runs before ({before.name}),"
        f" {len(after.runs)} after ({after.name}).",
        statement=statement(comparison),
        unmatched=comparison.unmatched,
        parts=tuple(
            ComparePart(title, _drawings(changes), _models(changes))
            for title, changes in by_title(comparison)
        ),
        notes=tuple(note for side in sides for note in side.notes),
        origins=tuple(
            (f"Provenance, {when}: {side.name}", origin_of(side.runs))
            for when, side in zip(("before", "after"), sides, strict=True)
        ),
    )
    return render("compare.html.j2", page, compare_headings=HEADINGS, reading=NOTE)


def _models(changes: Sequence[Change]) -> tuple[tuple[Change, ...], ...]:
    """The changes, model by model."""
    return tuple(
        tuple(change for change in changes if change.model == model)
        for model in dict.fromkeys(change.model for change in changes)
    )


def _drawings(changes: Sequence[Change]) -> tuple[Drawing, ...]:
    """The differences of all models, a chart for each figure that has some."""
    drawings = []
    for figure in _DRAWN:
        own = [change for change in changes if change.figure == figure and change.difference]
        rows = [
            Row(
                f"{change.model} *" if change.beyond_noise else change.model,
                change.difference.value,
                change.difference.low,
                change.difference.high,
            )
            for change in own
            if change.difference is not None
        ]
        if rows:
            heading = own[0].heading
            chart = interval_chart(rows, f"{heading}: after less before")
            caption = "difference over pairs, 95 % interval; a star is beyond noise"
            drawings.append(Drawing(heading, chart, caption))
    return tuple(drawings)
