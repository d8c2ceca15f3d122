"""`harness report`: the table and the pictures of recorded runs."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Run folders, or folders that hold run folders.  [default: recordings/latest]",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for report.md and the pictures; else each run's own folder."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON on stdout.")
    ] = False,
) -> None:
    """Print the table of recorded runs beside the published rows, and draw each run.

    Examples: `harness report` for the last run,
    `harness report recordings/ --output report/` for all of them.
    """
    from harness.paths import recordings_root
    from harness.report.recording import print_report

    print_report(recordings or [recordings_root() / "latest"], output, as_json)
