"""From folders of recorded runs to tables, a page and pictures."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from rich.console import Console

from harness.errors import DataError, PitwallError, StorageError
from harness.report.comparison import (
    compare,
    csv_comparison,
    markdown_comparison,
    terminal_comparison,
)
from harness.report.digest import DigestCache
from harness.report.groups import Heat, Run, heats
from harness.report.origin import markdown_origin, origin_of
from harness.report.page import build_page
from harness.report.table import (
    CircuitTable,
    circuit_table,
    groups_csv,
    markdown_report,
    runs_csv,
    terminal_report,
)
from harness.results import RESULT_NAME, read_result

HTML_NAME = "report.html"
MARKDOWN_NAME = "report.md"
CSV_NAME = "report.csv"
RUNS_CSV_NAME = "runs.csv"

# What a run leaves in its folder, finished or not.
_MARKS = (RESULT_NAME, "command.sh", "run.bag", "run.bag.active")
_ATTEMPTS = "attempts"


@dataclass(frozen=True)
class FoundRuns:
    """Runs found in folders.

    Attributes:
        runs: The runs.
        folders: Each run's folder, in the same order.
        notes: One line for everything that is not in the tables: runs without a result, results
            that can't be read, attempts that were driven again.
    """

    runs: tuple[Run, ...]
    folders: tuple[Path, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """Runs, sorted and put into tables."""

    found: FoundRuns
    heats: tuple[Heat, ...]
    tables: tuple[CircuitTable, ...]

    @classmethod
    def of(cls, found: FoundRuns) -> Self:
        """Sort runs and compute their tables."""
        sorted_runs = heats(found.runs)
        return cls(found, sorted_runs, tuple(map(circuit_table, sorted_runs)))


@dataclass(frozen=True)
class DrawnRuns:
    """Pictures written, and one line for every run that could not be drawn."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def print_report(
    recordings: Sequence[Path], output: Path | None = None, as_json: bool = False
) -> None:
    """Print the tables of runs beside the published rows, and write the report's files.

    The tables (or the JSON) go to stdout, everything else to stderr. A report of a single run has
    its pictures beside it as PNG.

    Args:
        recordings: Run folders, or folders that hold them at any depth.
        output: Folder for the report; None is the one folder given, else `report` here.
        as_json: The results as JSON instead of the tables.

    Raises:
        DataError: No run is found.
        StorageError: The output can't be written.
    """
    found = find_runs(recordings)
    if output is None:
        output = recordings[0] if len(recordings) == 1 else Path("report")
    report = Report.of(found)
    if as_json:
        print(json_report(found.runs))
    else:
        console = Console()
        console.print(terminal_report(report.tables, console.width))
    messages = Console(stderr=True, highlight=False)
    with messages.status("") as status:
        files = write_files(report, output, lambda done, of: status.update(f"read {done} of {of}"))
    drawn = draw_runs(found, output) if len(found.runs) == 1 else DrawnRuns((), ())
    for note in (*found.notes, *drawn.notes):
        messages.print(note, style="yellow", markup=False, soft_wrap=True)
    for file in (*files, *drawn.files):
        messages.print(f"wrote {file}", markup=False, soft_wrap=True)


def print_comparison(
    before: Path, after: Path, output: Path | None = None, as_json: bool = False
) -> None:
    """Print what changed from one folder of runs to another.

    The table (or the JSON) goes to stdout, everything else to stderr.

    Args:
        before: Folder of the first batch.
        after: Folder of the second.
        output: Folder for `compare.md` and `compare.csv`; None writes nothing.
        as_json: The differences as JSON instead of the table.

    Raises:
        DataError: No run is found in one of them.
        StorageError: The output can't be written.
    """
    found = [find_runs([folder]) for folder in (before, after)]
    comparison = compare(*(heats(side.runs) for side in found))
    if as_json:
        print(json.dumps([asdict(change) for change in comparison.changes], indent=2))
    else:
        Console().print(terminal_comparison(comparison))
    messages = Console(stderr=True, highlight=False)
    for note in (note for side in found for note in side.notes):
        messages.print(note, style="yellow", markup=False, soft_wrap=True)
    if output is not None:
        markdown = markdown_comparison(comparison, before.name, after.name)
        texts = {"compare.md": markdown, "compare.csv": csv_comparison(comparison)}
        for name, text in texts.items():
            messages.print(f"wrote {_write(output / name, text)}", markup=False, soft_wrap=True)


def find_runs(folders: Sequence[Path]) -> FoundRuns:
    """Read the results in run folders and in all folders below the ones given; each run once.

    Args:
        folders: Run folders, or folders that hold them at any depth.

    Raises:
        DataError: A folder does not exist, or no run is found at all.
    """
    results: dict[Path, Run] = {}
    notes: list[str] = []
    for given, folder in _run_folders(folders):
        if folder in results:
            continue
        name = folder.name if folder == given else str(folder.relative_to(given))
        notes.extend(_attempts(folder, name))
        if not (folder / RESULT_NAME).is_file():
            notes.append(f"{folder} has no {RESULT_NAME}: not a run, or it did not end")
            continue
        try:
            results[folder] = Run(name, read_result(folder), folder)
        except DataError as error:
            notes.append(str(error))
    if not results:
        raise DataError("; ".join(notes) or f"no runs in {', '.join(map(str, folders))}")
    return FoundRuns(tuple(results.values()), tuple(results), tuple(notes))


def write_files(
    report: Report, folder: Path, progress: Callable[[int, int], None]
) -> tuple[Path, ...]:
    """Write a report as HTML, Markdown and CSV.

    Args:
        report: What it says.
        folder: Takes `report.html`, `report.md`, `report.csv` (one row a model) and `runs.csv`
            (one row a run).
        progress: Told how many of how many recordings are read.

    Raises:
        StorageError: The folder can't be written.
    """
    found, tables = report.found, report.tables
    markdown = [markdown_report(tables)]
    if found.notes:
        markdown += ["Not in the tables:", "", *(f"- {note}" for note in found.notes), ""]
    markdown += ["## Provenance", "", *markdown_origin(origin_of(found.runs)), ""]
    texts = {
        MARKDOWN_NAME: "\n".join(markdown),
        CSV_NAME: groups_csv(report.heats),
        RUNS_CSV_NAME: runs_csv(found.runs),
        HTML_NAME: build_page(report.heats, tables, found.notes, DigestCache(), progress),
    }
    return tuple(_write(folder / name, text) for name, text in texts.items())


def draw_runs(found: FoundRuns, folder: Path) -> DrawnRuns:
    """Draw every run that has a bag, as PNG files.

    Args:
        found: The runs.
        folder: Takes the pictures.
    """
    # matplotlib takes a second to import, and a table needs none of it.
    from harness.report.plots import Pictured, draw_all  # noqa: PLC0415
    from harness.runlog import read_run_log  # noqa: PLC0415
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


def json_report(runs: Iterable[Run]) -> str:
    """The results as a JSON list, each with its `recording`."""
    rows = [{"recording": run.name, **json.loads(run.result.to_json())} for run in runs]
    return json.dumps(rows, indent=2, allow_nan=False)


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"can't write {path}: {error.strerror}") from error
    return path


def _attempts(folder: Path, name: str) -> Iterator[str]:
    """A line for a batch's run that was driven more than once."""
    count = sum(1 for _ in (folder / _ATTEMPTS).glob(f"*/{RESULT_NAME}"))
    if count:
        yield f"{name}: {count} failed attempt(s) before, driven again, see {_ATTEMPTS}/"


def _run_folders(folders: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """The run folders meant, each with the folder under which it was found."""
    for given in folders:
        folder = given.resolve()
        if not folder.is_dir():
            raise DataError(f"no such recording: {given}")
        below = list(_runs_below(folder))
        yield from ((folder, path) for path in below or [folder])


def _runs_below(folder: Path) -> Iterator[Path]:
    """Run folders in a folder, itself included; not what lies within a run.

    Links, such as `latest`, would name a run twice.
    """
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    names = {entry.name for entry in found}
    if not names.isdisjoint((*_MARKS, _ATTEMPTS)):
        yield folder
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            path = Path(entry.path)
            below = list(_runs_below(path))
            # An empty folder was claimed by a run that left nothing.
            yield from below or ([path] if not any(path.iterdir()) else [])
