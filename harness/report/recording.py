"""From folders of recorded runs to tables, a page and pictures."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from harness.errors import PitwallError
from harness.files import write_text
from harness.report.columns import DEFAULT_RANK_KEY
from harness.report.compare_page import Side, build_compare_page
from harness.report.comparison import (
    compare,
    csv_comparison,
    json_comparison,
    markdown_comparison,
    terminal_comparison,
)
from harness.report.digest import DigestCache
from harness.report.files import write_files
from harness.report.found import FoundRuns, find_runs
from harness.report.groups import Run, heats
from harness.report.page import times_note
from harness.report.ruler import Ruled, measure_runs, ruler_tables, terminal_ruler
from harness.report.table import Report, terminal_report


@dataclass(frozen=True)
class DrawnRuns:
    """Pictures written, and one line for every run that could not be drawn."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def print_report(
    recordings: Sequence[Path],
    output: Path | None = None,
    as_json: bool = False,
    rank_by: str = DEFAULT_RANK_KEY,
    references: Sequence[Path] = (),
) -> None:
    """Print the tables of runs beside the published rows, and write the report's files.

    The tables (or the JSON) go to stdout, everything else to stderr. A report of a single run has
    its pictures beside it as PNG.

    Args:
        recordings: Run folders, or folders that hold them at any depth.
        output: Folder for the report; None is the one folder given, else `report` here.
        as_json: The results as JSON instead of the tables.
        rank_by: The figure that ranks models which complete equally often.
        references: Bags with reference laps, to measure the deviation as the study does.

    Raises:
        DataError: No run is found, or a reference is none of a circuit that was driven.
        UsageError: No figure is called `rank_by`.
        StorageError: The output can't be written.
    """
    found = find_runs(recordings)
    if output is None:
        output = recordings[0] if len(recordings) == 1 else Path("report")
    messages = Console(stderr=True, highlight=False)

    def told(done: int, of: int) -> None:
        status.update(f"read {done} of {of}")

    with messages.status("") as status:
        ruled = measure_runs(found.runs, references, told) if references else None
    report = Report.of(found.runs, (*found.notes, *(ruled.notes if ruled else ())), rank_by)
    if as_json:
        print(json_report(found.runs, ruled))
    else:
        console = Console()
        console.print(terminal_report(report.tables, console.width, report.overall))
        if ruled:
            console.print(terminal_ruler(ruler_tables(report.heats, ruled)))
    digests = DigestCache()
    with messages.status("") as status:
        files = write_files(report, output, told, digests, ruled)
    drawn = draw_runs(found, output) if len(found.runs) == 1 else DrawnRuns((), ())
    for line in times_note(digests):
        messages.print(line, markup=False, soft_wrap=True)
    for note in (*report.notes, *drawn.notes):
        messages.print(note, style="yellow", markup=False, soft_wrap=True)
    for file in (*files, *drawn.files):
        messages.print(f"wrote {file}", markup=False, soft_wrap=True)


def print_comparison(
    before: Path, after: Path, output: Path | None = None, as_json: bool = False
) -> None:
    """Print what changed from one folder of runs to another, and write it as files.

    The table (or the JSON) goes to stdout, everything else to stderr.

    Args:
        before: Folder of the first batch.
        after: Folder of the second.
        output: Folder for `compare.html`, `compare.md` and `compare.csv`; None is `compare` here.
        as_json: The differences as JSON instead of the table.

    Raises:
        DataError: No run is found in one of them.
        StorageError: The output can't be written.
    """
    sides = []
    for folder in (before, after):
        found = find_runs([folder])
        sides.append(Side(folder.resolve().name, found.runs, found.notes))
    comparison = compare(*(heats(side.runs) for side in sides))
    if as_json:
        print(json_comparison(comparison))
    else:
        Console().print(terminal_comparison(comparison))
    messages = Console(stderr=True, highlight=False)
    for note in (note for side in sides for note in side.notes):
        messages.print(note, style="yellow", markup=False, soft_wrap=True)
    texts = {
        "compare.html": build_compare_page(comparison, *sides),
        "compare.md": markdown_comparison(comparison, *(side.name for side in sides)),
        "compare.csv": csv_comparison(comparison),
    }
    for name, text in texts.items():
        written = write_text((output or Path("compare")) / name, text)
        messages.print(f"wrote {written}", markup=False, soft_wrap=True)


def draw_runs(found: FoundRuns, folder: Path) -> DrawnRuns:
    """Draw every run that has a bag, as PNG files.

    Args:
        found: The runs.
        folder: Takes the pictures.
    """
    # matplotlib takes a second to import, and a table needs none of it.
    from harness.recording.log import read_run_log  # noqa: PLC0415
    from harness.report.plots import Pictured, draw_all  # noqa: PLC0415
    from worlds.circuit import load_circuit  # noqa: PLC0415

    files: list[Path] = []
    notes: list[str] = []
    for run, recording in zip(found.runs, found.folders, strict=True):
        if run.result.bag is None:
            notes.append(f"{run.name} has no bag: nothing to draw")
            continue
        try:
            log = read_run_log(recording / run.result.bag)
            pictured = Pictured.of(run.result, log, load_circuit(run.result.circuit))
            files.extend(draw_all(pictured, folder))
        except PitwallError as error:
            notes.append(f"{run.name} not drawn: {error}")
    return DrawnRuns(tuple(files), tuple(notes))


def json_report(runs: Sequence[Run], ruled: Ruled | None = None) -> str:
    """The results as a JSON list, each with its `recording`.

    Args:
        runs: The runs.
        ruled: They against reference laps, if any were given; then each has its `reference`, null
            where it was not measured.
    """
    rows = [{"recording": run.name, **json.loads(run.result.to_json())} for run in runs]
    if ruled:
        for row, run in zip(rows, runs, strict=True):
            against = ruled.of(run)
            row["reference"] = against.to_dict() if against else None
    return json.dumps(rows, indent=2, allow_nan=False)
