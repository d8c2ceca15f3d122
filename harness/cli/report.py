"""`harness report`: tables and pictures of recorded runs."""

from pathlib import Path
from typing import Annotated

import typer

from harness.report.columns import DEFAULT_RANK_KEY, RANK_KEYS


def report(
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Run folders, or folders that hold some.  [default: recordings/latest]",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder of the report; else the one given, or report/ for several."),
    ] = None,
    rank_by: Annotated[
        str,
        typer.Option(
            help="What ranks models that complete equally often: " + ", ".join(RANK_KEYS) + "."
        ),
    ] = DEFAULT_RANK_KEY,
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            help="A bag with the study's reference lap: its deviation, against that;"
            " may be given once a circuit."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON on stdout.")
    ] = False,
) -> None:
    """Print the tables of recorded runs beside the published rows, and write the report.

    Writes report.html (tables, ranking, pictures, in one file), report.md, report.csv (one row
    a model) and runs.csv (one row a run).

    Examples: `harness report` for the last run,
    `harness report recordings/night` for a batch,
    `harness report recordings/ --output report/` for all there is,
    `harness report recordings/night --rank-by deviation` for another ranking.
    `harness report recordings/night --reference lap-montreal.bag` on the study's ruler.
    """
    from harness.paths import recordings_root
    from harness.report.recording import print_report

    folders = recordings or [recordings_root() / "latest"]
    print_report(folders, output, as_json, rank_by, reference or ())
