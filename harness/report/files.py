"""The files of a report."""

from collections.abc import Callable
from pathlib import Path

from harness.files import write_text
from harness.report.digest import DigestCache
from harness.report.origin import markdown_origin, origin_of
from harness.report.page import build_page
from harness.report.ruler import Ruled, markdown_ruler, ruler_csv, ruler_tables
from harness.report.sheets import groups_csv, runs_csv
from harness.report.table import Report, markdown_report

HTML_NAME = "report.html"
MARKDOWN_NAME = "report.md"
CSV_NAME = "report.csv"
RUNS_CSV_NAME = "runs.csv"
REFERENCE_CSV_NAME = "reference.csv"


def write_files(
    report: Report,
    folder: Path,
    progress: Callable[[int, int], None],
    digests: DigestCache,
    ruled: Ruled | None = None,
) -> tuple[Path, ...]:
    """Write a report as HTML, Markdown and CSV.

    Args:
        report: What it says.
        folder: Takes `report.html`, `report.md`, `report.csv` (one row a model) and `runs.csv`
            (one row a run).
        progress: Told how many of how many recordings are read.
        digests: Where the recordings' digests come from.
        ruled: Its runs against reference laps, if any were given; then there is `reference.csv`
            (one row a measured run) too.

    Raises:
        StorageError: The folder can't be written.
    """
    rulers = ruler_tables(report.heats, ruled) if ruled else ()
    markdown = [markdown_report(report.tables, report.overall), *markdown_ruler(rulers)]
    if report.notes:
        markdown += ["Not in the tables:", "", *(f"- {note}" for note in report.notes), ""]
    markdown += ["## Provenance", "", *markdown_origin(origin_of(report.runs)), ""]
    texts = {
        MARKDOWN_NAME: "\n".join(markdown),
        CSV_NAME: groups_csv(report.heats),
        RUNS_CSV_NAME: runs_csv(report.runs),
        HTML_NAME: build_page(report, digests, progress, rulers),
    }
    if ruled:
        texts[REFERENCE_CSV_NAME] = ruler_csv(report.runs, ruled)
    return tuple(write_text(folder / name, text) for name, text in texts.items())
