"""Finds recorded runs in folders."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DataError
from harness.paths import LATEST, project_root
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
    met: set[Path] = set()
    for given, folder in _run_folders(folders):
        if folder.resolve() in met:
            continue
        met.add(folder.resolve())
        name = folder.name if folder == given else str(folder.relative_to(given))
        notes.extend(_attempts(folder, name))
        if not folder.exists():
            notes.append(f"{folder} is a link to {folder.readlink()}, which is not there")
            continue
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
        folder = Path(os.path.realpath(given))  # pathlib raises where links lead in a circle
        if not folder.is_dir():
            raise DataError(f"no such recording: {given}")
        below = list(_runs_below(folder, set()))
        yield from ((folder, path) for path in below or [folder])


def _runs_below(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Run folders in a folder, itself included; not what lies within a run.

    Links are followed, as recordings are moved to other disks and linked back; each folder counts
    once, by whatever name it is met first, so that no link can lead round in a circle.

    Args:
        folder: where to look.
        seen: real paths of the folders met so far; grows.
    """
    real = folder.resolve()
    if real in seen or real == _SAMPLE:
        return
    seen.add(real)
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name))
    names = {entry.name for entry in found}
    if not names.isdisjoint((*_MARKS, _ATTEMPTS)):
        yield folder
        return
    for entry in found:
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.name == LATEST:
            continue
        if entry.is_symlink() and not path.exists():
            yield path
        elif entry.is_dir():
            below = list(_runs_below(path, seen))
            # An empty folder was claimed by a run that left nothing.
            yield from below or ([path] if not any(path.iterdir()) else [])
