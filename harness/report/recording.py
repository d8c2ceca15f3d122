"""From folders of recorded runs to tables and pictures."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from harness.errors import DataError, PitwallError, StorageError
from harness.report.plots import Pictured, draw_all
from harness.report.table import (
    CircuitTable,
    Run,
    circuit_tables,
    markdown_report,
    terminal_report,
)
from harness.results import RESULT_NAME, read_result
from harness.runlog import read_run_log
from worlds.circuit import load_circuit


@dataclass(frozen=True)
class FoundRuns:
    """Runs found in folders.

    Attributes:
        runs: The runs.
        folders: Each run's folder, in the same order.
        notes: One line for every folder that holds no result.
    """

    runs: tuple[Run, ...]
    folders: tuple[Path, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class DrawnRuns:
    """Pictures written, and one line for every run that could not be drawn."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def print_report(
    recordings: Sequence[Path], output: Path | None = None, as_json: bool = False
) -> None:
    """Print the table of runs beside the published rows, and draw each run.

    The table (or the JSON) goes to stdout, everything else to stderr.

    Args:
        recordings: Run folders, or their parents.
        output: Folder for `report.md` and the pictures; None draws into each run's own folder.
        as_json: The results as JSON instead of the table.

    Raises:
        DataError: No run is found.
        StorageError: The output can't be written.
    """
    found = find_runs(recordings)
    tables = circuit_tables(found.runs)
    if as_json:
        print(json_report(found.runs))
    else:
        console = Console()
        console.print(terminal_report(tables, console.width))
    drawn = draw_runs(found, output)
    files = list(drawn.files)
    if output is not None:
        files.append(write_markdown(tables, output))
    messages = Console(stderr=True, highlight=False)
    for note in (*found.notes, *drawn.notes):
        messages.print(note, style="yellow", markup=False, soft_wrap=True)
    for file in files:
        messages.print(f"wrote {file}", markup=False, soft_wrap=True)


def find_runs(folders: Sequence[Path]) -> FoundRuns:
    """Read the results in run folders and in folders of run folders; each run once.

    Args:
        folders: Run folders, or their parents.

    Raises:
        DataError: A folder does not exist, or no run is found at all.
    """
    results: dict[Path, Run] = {}
    notes: list[str] = []
    for folder in _run_folders(folders):
        if folder in results:
            continue
        if not (folder / RESULT_NAME).is_file():
            notes.append(f"{folder} has no {RESULT_NAME}: not a run, or it did not end")
            continue
        try:
            results[folder] = Run(folder.name, read_result(folder))
        except DataError as error:
            notes.append(str(error))
    if not results:
        raise DataError("; ".join(notes) or f"no runs in {', '.join(map(str, folders))}")
    return FoundRuns(tuple(results.values()), tuple(results), tuple(notes))


def draw_runs(found: FoundRuns, output: Path | None) -> DrawnRuns:
    """Draw every run that has a bag.

    Args:
        found: The runs.
        output: The pictures go to `output/<run>/`; None for each run's own folder.
    """
    files: list[Path] = []
    notes: list[str] = []
    for run, folder in zip(found.runs, found.folders, strict=True):
        if run.result.bag is None:
            notes.append(f"{run.name} has no bag: nothing to draw")
            continue
        target = folder if output is None else output / run.name
        try:
            log = read_run_log(folder / run.result.bag)
            pictured = Pictured.of(run.result, log, load_circuit(run.result.circuit))
            files.extend(draw_all(pictured, target))
        except PitwallError as error:
            notes.append(f"{run.name} not drawn: {error}")
    return DrawnRuns(tuple(files), tuple(notes))


def json_report(runs: Iterable[Run]) -> str:
    """The results as a JSON list, each with its `recording`."""
    rows = [{"recording": run.name, **json.loads(run.result.to_json())} for run in runs]
    return json.dumps(rows, indent=2, allow_nan=False)


def write_markdown(tables: Sequence[CircuitTable], folder: Path) -> Path:
    """Write report.md.

    Raises:
        StorageError: The folder can't be written.
    """
    path = folder / "report.md"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(markdown_report(tables), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"can't write {path}: {error.strerror}") from error
    return path


def _run_folders(folders: Sequence[Path]) -> Iterable[Path]:
    """The run folders meant: a folder with a result, or else what lies in it."""
    for given in folders:
        folder = given.resolve()
        if not folder.is_dir():
            raise DataError(f"no such recording: {given}")
        inside = sorted(path for path in folder.iterdir() if _may_be_run(path))
        if (folder / RESULT_NAME).exists() or not inside:
            yield folder
        else:
            yield from inside


def _may_be_run(path: Path) -> bool:
    """A folder of its own; links, such as `latest`, would name a run twice."""
    return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
