"""Finds recorded runs in folders."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DataError
from harness.paths import project_root
from harness.recording.results import RESULT_NAME, read_result
from harness.report.groups import Run

# What a run leaves in its folder, finished or not.
_MARKS = (RESULT_NAME, "command.sh", "run.bag", "run.bag.active")
_ATTEMPTS = "attempts"
# It comes with the project: it is told only where it is asked for.
_SAMPLE = project_root() / "recordings" / "sample"


@dataclass(frozen=True)
class FoundRuns:
    """Runs found in folders.

    Attributes:
        runs: The runs.
        folders: Each run's folder, in the same order.
        notes: One line for everything that is not in the tables, or stands apart in them: runs
            without a result, results that can't be read or don't say what was asked, attempts that
            were driven again.
    """

    runs: tuple[Run, ...]
    folders: tuple[Path, ...]
    notes: tuple[str, ...]


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
            results[folder] = run = Run(name, read_result(folder), folder)
        except DataError as error:
            notes.append(str(error))
            continue
        if run.result.spec is None:
            notes.append(f"{name} has a table of its own: its command does not tell its arguments")
    if not results:
        raise DataError("; ".join(notes) or f"no runs in {', '.join(map(str, folders))}")
    return FoundRuns(tuple(results.values()), tuple(results), tuple(notes))


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
            if path == _SAMPLE:
                continue
            below = list(_runs_below(path))
            # An empty folder was claimed by a run that left nothing.
            yield from below or ([path] if not any(path.iterdir()) else [])
