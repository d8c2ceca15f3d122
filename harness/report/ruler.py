"""The deviation of runs by the published study's own ruler: its reference laps.

Its figure and ours, from the centreline, are two rulers. Only against a copy of the lap from which
the study measured do both stand on one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.errors import DataError, PitwallError, UsageError
from harness.files import as_csv
from harness.metrics.deviation import ReferenceLap, published_deviation
from harness.metrics.figures import ReferenceDeviation, deviation_from_reference, replay
from harness.metrics.intervals import mean_interval
from harness.metrics.lap import LapLimits
from harness.recording.bag_metrics import AgainstReference
from harness.recording.log import read_run_log
from harness.recording.reference import Reference, read_reference
from harness.report.cells import MISSING, Cell, Estimate, Number, line_text
from harness.report.groups import Group, Heat, Run
from harness.report.published import ON_THE_CENTRELINE
from harness.report.table import markdown_table, published_of
from worlds.circuit import Circuit, load_circuit

RULER_TITLE = "by the study's ruler"
RULER_HEADINGS = ("Model", "n", "Deviation from the reference")
RULER_LEFT_ALIGNED = 1
RULER_NOTE = (
    "Deviation from the reference: mean of 1000 ** metres over the points of the reference lap, as"
    " the study measures; over distinct completed runs. Its runs were of its own worlds and frames."
)


@dataclass(frozen=True)
class Ruled:
    """Runs against reference laps.

    Attributes:
        references: The reference lap of each circuit that has one.
        floors: What a car exactly on each such circuit's centreline scores by it.
        by_folder: Each measured run's figures, by its folder.
        notes: One line for every run that could not be measured.
    """

    references: Mapping[str, Reference]
    floors: Mapping[str, float]
    by_folder: Mapping[Path, AgainstReference]
    notes: tuple[str, ...]

    def of(self, run: Run) -> AgainstReference | None:
        """A run's figures; None if it was not measured."""
        return None if run.folder is None else self.by_folder.get(run.folder)


@dataclass(frozen=True)
class RulerTable:
    """The runs of one table of the report against their reference lap.

    Attributes:
        title: The conditions of the runs.
        rows: Rows of `RULER_HEADINGS`: one a model, over its distinct completed runs.
        published: The published rows, and what a car exactly on the centreline scores by this
            reference: where that is not what it scores by the study's, it is another lap.
        reference: Which lap that is.
    """

    title: str
    rows: tuple[tuple[Cell, ...], ...]
    published: tuple[tuple[Cell, ...], ...]
    reference: str


def measure_runs(
    runs: Sequence[Run], bags: Sequence[Path], progress: Callable[[int, int], None]
) -> Ruled:
    """Measure runs against the reference laps of their circuits.

    Args:
        runs: The runs; those of circuits without a reference stay unmeasured.
        bags: Bags with a reference lap, at most one a circuit.
        progress: Told how many of how many runs are measured.

    Raises:
        DataError: A bag is no reference lap, or one of a circuit that no run drove.
        UsageError: Two of them are of one circuit.
    """
    references = [read_reference(bag) for bag in bags]
    courses = dict.fromkeys((run.result.circuit, run.result.direction) for run in runs)
    circuits, notes = _circuits(name for name, _ in courses)
    by_circuit = _by_circuit(references, circuits)
    laps = {
        (name, direction): by_circuit[name].on(circuits[name], direction)
        for name, direction in courses
        if name in by_circuit
    }
    floors = {name: published_deviation(lap.away_m) for (name, _), lap in laps.items()}
    found: dict[Path, AgainstReference] = {}
    for done, run in enumerate(runs):
        progress(done, len(runs))
        name, direction = run.result.circuit, run.result.direction
        if name not in by_circuit or not run.result.judged:
            continue
        try:
            folder, figures = _measured(run, circuits[name], laps[name, direction])
            found[folder] = AgainstReference(by_circuit[name], figures)
        except PitwallError as error:
            notes.append(f"{run.name} not measured against the reference: {error}")
    return Ruled(by_circuit, floors, found, tuple(notes))


def ruler_tables(found: Sequence[Heat], ruled: Ruled) -> tuple[RulerTable, ...]:
    """One table for each of the report's whose circuit has a reference."""
    return tuple(
        _table(heat, ruled) for heat in found if heat.conditions.circuit in ruled.references
    )


def terminal_ruler(tables: Sequence[RulerTable]) -> RenderableType:
    """The tables for a terminal."""
    parts: list[RenderableType] = []
    for content in tables:
        parts.append(Text(f"\n{content.title}: {RULER_TITLE}", style="bold"))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
        for index, heading in enumerate(RULER_HEADINGS):
            table.add_column(heading, justify="left" if index < RULER_LEFT_ALIGNED else "right")
        for row in content.rows:
            table.add_row(*(Text(line_text(cell)) for cell in row))
        table.add_section()
        for row in content.published:
            table.add_row(*(Text(line_text(cell)) for cell in row), style="dim")
        parts += [table, Text(content.reference, style="dim")]
    return Lines(*parts, Text(RULER_NOTE, style="dim"))


def markdown_ruler(tables: Sequence[RulerTable]) -> list[str]:
    """The tables as lines of Markdown."""
    lines: list[str] = []
    for content in tables:
        rows = (*content.rows, *content.published)
        lines += [f"## {content.title}: {RULER_TITLE}", ""]
        lines += [*markdown_table(RULER_HEADINGS, rows, RULER_LEFT_ALIGNED), ""]
        lines += [content.reference, ""]
    return [*lines, RULER_NOTE, ""] if lines else []


def ruler_csv(runs: Sequence[Run], ruled: Ruled) -> str:
    """One row for each run that was measured, as CSV."""
    own = ("model", "circuit", "direction", "outcome")
    measured = [(run, against) for run in runs if (against := ruled.of(run))]
    rows = []
    for run, against in measured:
        values = against.to_dict()
        values["reference"] = values.pop("bag")
        rows.append(
            {"recording": run.name, **{name: getattr(run.result, name) for name in own}, **values}
        )
    figures = ("deviation", "floor", "points", "reference", "sha256")
    return as_csv(("recording", *own, *figures), rows)


def _circuits(names: Iterable[str]) -> tuple[dict[str, Circuit], list[str]]:
    """The circuits that are known here, and a line for each that is not."""
    found: dict[str, Circuit] = {}
    notes: list[str] = []
    for name in dict.fromkeys(names):
        try:
            found[name] = load_circuit(name)
        except PitwallError as error:
            notes.append(f"no run of {name} measured against a reference: {error}")
    return found, notes


def _by_circuit(
    references: Sequence[Reference], circuits: Mapping[str, Circuit]
) -> dict[str, Reference]:
    """The reference of each circuit that has one."""
    found: dict[str, Reference] = {}
    for reference in references:
        reasons = []
        for name, circuit in circuits.items():
            try:
                reference.on(circuit, "forward")
            except DataError as error:
                reasons.append(str(error))
                continue
            if name in found:
                raise UsageError(
                    f"{found[name].bag} and {reference.bag} are both laps of {name}: give one"
                )
            found[name] = reference
        if reasons and len(reasons) == len(circuits):
            raise DataError("; ".join(reasons))
    return found


def _measured(
    run: Run, circuit: Circuit, lap: ReferenceLap
) -> tuple[Path, ReferenceDeviation | None]:
    """A run's folder and its figures."""
    result = run.result
    if run.folder is None or result.bag is None:
        raise DataError("it has no bag")
    log = read_run_log(run.folder / result.bag)
    centreline = circuit.centreline(result.direction)
    limits = LapLimits.of_circuit(circuit, result.laps_asked, result.timeout_s)
    drive = replay(log, centreline, result.start_station_m, result.laps_asked, limits)
    return run.folder, deviation_from_reference(drive, centreline, result.start_station_m, lap)


def _table(heat: Heat, ruled: Ruled) -> RulerTable:
    circuit = heat.conditions.circuit
    reference, floor = ruled.references[circuit], Number(ruled.floors[circuit], 2)
    published: list[tuple[Cell, ...]] = [
        (f"{row.model}, published", MISSING, Number(row.deviation_published, 2))
        for row in published_of(heat)
    ]
    published.append((f"{ON_THE_CENTRELINE}, by this reference", MISSING, floor))
    text = f"Reference: {reference.bag.name}, SHA-256 {reference.sha256}."
    rows = tuple(_row(group, ruled) for group in heat.groups)
    return RulerTable(heat.conditions.title, rows, tuple(published), text)


def _row(group: Group, ruled: Ruled) -> tuple[Cell, ...]:
    against = [ruled.of(run) for run in group.distinct]
    values = [a.measured.deviation for a in against if a and a.measured]
    return group.label, str(len(values)), Estimate(mean_interval(values), 2)
