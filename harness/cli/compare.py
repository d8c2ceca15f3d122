"""`harness compare`: two batches of runs, before and after."""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    before: Annotated[Path, typer.Argument(help="Folder of runs.", show_default=False)],
    after: Annotated[Path, typer.Argument(help="Folder of runs.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option(help="Folder of the comparison; else compare/.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the differences as JSON on stdout.")
    ] = False,
) -> None:
    """Compare two batches of runs, model by model: what changed, and what is beyond noise.

    Runs from equal starts and seeds are compared in pairs. Writes compare.html (tables and
    pictures, in one file), compare.md and compare.csv.

    Example: `harness compare recordings/monday recordings/tuesday --output changes/`
    """
    from harness.report.recording import print_comparison

    print_comparison(before, after, output, as_json)
