"""The report as one HTML file that needs nothing else: no network, no scripts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.errors import PitwallError
from harness.report.charts import Row, interval_chart
from harness.report.digest import Digest, DigestCache
from harness.report.drawings import Drawing, Pooled, draw_group
from harness.report.front_chart import front_drawings
from harness.report.groups import Group, Heat, Run
from harness.report.html import render
from harness.report.origin import Origin, origin_of
from harness.report.ruler import RULER_HEADINGS, RULER_NOTE, RULER_TITLE, RulerTable
from harness.report.table import (
    NOTES,
    RANKING_NOTE,
    CircuitTable,
    Ranking,
    Report,
    headings,
    published_note,
)
from worlds.circuit import load_circuit


@dataclass(frozen=True)
class ModelPart:
    """One model's part of a page.

    Attributes:
        label: The model.
        facts: How it was driven, in a line.
        drawings: Its pictures.
        notes: What could not be drawn, and why.
    """

    label: str
    facts: str
    drawings: tuple[Drawing, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class HeatPart:
    """What a page says of one table."""

    table: CircuitTable
    front: tuple[Drawing, ...]
    overview: tuple[Drawing, ...]
    models: tuple[ModelPart, ...]


@dataclass(frozen=True)
class OverallPart:
    """What a page says over several circuits."""

    title: str
    ranking: Ranking
    front: tuple[Drawing, ...]


@dataclass(frozen=True)
class Page:
    """All that a page says."""

    title: str
    summary: str
    heats: tuple[HeatPart, ...]
    overall: tuple[OverallPart, ...]
    rulers: tuple[RulerTable, ...]
    notes: tuple[str, ...]
    reading: tuple[str, ...]
    origin: Origin


def build_page(
    report: Report,
    digests: DigestCache,
    progress: Callable[[int, int], None],
    rulers: tuple[RulerTable, ...] = (),
) -> str:
    """A report as HTML.

    One model's recordings are held at a time.

    Args:
        report: What it says.
        digests: Where the recordings' digests come from.
        progress: Told how many of how many recordings are read.
    """
    reader = _Reader(digests, progress, len(report.runs))
    page = Page(
        title=_title(report.runs),
        summary=_summary(report.runs),
        heats=tuple(
            HeatPart(
                table,
                front_drawings(table.ranking.spots if table.ranking else ()),
                _overview(heat),
                tuple(_model_part(group, reader) for group in heat.groups),
            )
            for heat, table in zip(report.heats, report.tables, strict=True)
        ),
        overall=tuple(
            OverallPart(each.title, each.ranking, front_drawings(each.ranking.spots))
            for each in report.overall
        ),
        rulers=rulers,
        notes=report.notes,
        # The tables above have read the bags.
        reading=(*NOTES, *published_note(report.tables), *times_note(digests)),
        origin=origin_of(report.runs),
    )
    return render(
        "page.html.j2",
        page,
        headings=headings(),
        ranking_note=RANKING_NOTE,
        ruler_title=RULER_TITLE,
        ruler_headings=RULER_HEADINGS,
        ruler_note=RULER_NOTE,
    )


def times_note(digests: DigestCache) -> tuple[str, ...]:
    """A line on what the times of the bags read mean; none where none was read."""
    return (f"Times: {digests.times}",) if digests.times else ()


class _Reader:
    """Digests of runs, one after the other, with progress."""

    def __init__(
        self, digests: DigestCache, progress: Callable[[int, int], None], count: int
    ) -> None:
        self._digests = digests
        self._progress = progress
        self._count = count
        self._done = 0

    def read(self, runs: Sequence[Run], notes: list[str]) -> Iterator[tuple[Run, Digest]]:
        """The digests that can be had; a note for each that can't."""
        for run in runs:
            try:
                yield run, self._digests.of(run)
            except PitwallError as error:
                notes.append(f"{run.name} not drawn: {error}")
            self._done += 1
            self._progress(self._done, self._count)


def _summary(runs: Sequence[Run]) -> str:
    completed = sum(run.result.completed for run in runs)
    models = len({run.result.model for run in runs})
    return (
        f"{len(runs)} run{'s' if len(runs) > 1 else ''} of {models}"
        f" model{'s' if models > 1 else ''}, {completed} completed."
    )


def _title(runs: Sequence[Run]) -> str:
    result = runs[0].result
    if len(runs) == 1:
        return f"{result.model} on {result.circuit}: {result.outcome.replace('_', ' ')}"
    return "Pitwall report"


def _model_part(group: Group, reader: _Reader) -> ModelPart:
    notes: list[str] = []
    read = [pair for pair in reader.read(group.runs, notes) if pair[0].result.judged]
    drawings: tuple[Drawing, ...] = ()
    if read:
        circuit = load_circuit(group.conditions.circuit)
        drawings = draw_group(group, Pooled.of(read), circuit)
    count = f"{len(group.completed)} of {len(group.judged)} completed"
    return ModelPart(group.label, f"{count}; {' / '.join(group.latencies)}", drawings, tuple(notes))


def _overview(heat: Heat) -> tuple[Drawing, ...]:
    """All models of a table side by side; none where there is only one."""
    if len(heat.groups) < 2:
        return ()
    deviations = [
        Row(group.label, interval.value, interval.low, interval.high)
        for group in heat.groups
        if (interval := group.mean("deviation_mae_m", driving=True))
    ]
    times = []
    for group in heat.groups:
        median = group.mean("inference_ms_median", driving=False)
        p95 = group.mean("inference_ms_p95", driving=False)
        if median and p95:
            times.append(Row(group.label, median.value, median.value, p95.value))
    drawings = []
    if deviations:
        chart = interval_chart(deviations, "Mean absolute deviation (m)")
        drawings.append(Drawing("Deviation", chart, "mean over completed runs, 95 % interval"))
    if times:
        chart = interval_chart(times, "Inference time (ms, logarithmic)", log=True)
        caption = "median of a frame, and its 95th percentile; means over completed runs"
        drawings.append(Drawing("Inference", chart, caption))
    return tuple(drawings)
