"""`harness doctor`: what this machine has and lacks, and how to mend it."""

import json
from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="findings as JSON on stdout")] = False,
) -> None:
    """Say what this machine has and lacks, and how to mend it.

    Exit code 4 when something that a lap needs is missing. Example: harness doctor
    """
    from rich.console import Console
    from rich.table import Table

    from harness.doctor import examine

    findings = examine()
    if as_json:
        print(json.dumps([finding.model_dump() for finding in findings], indent=2))
    else:
        table = Table("", "what", "found", "how to mend it", title="harness doctor")
        marks = {True: "[green]ok[/]", False: "[red]lacks[/]", None: "[yellow]optional[/]"}
        for finding in findings:
            mark = marks[finding.ok if finding.needed or finding.ok else None]
            table.add_row(mark, finding.what, finding.found, finding.mend)
        Console(stderr=True).print(table)
    if any(finding.needed and not finding.ok for finding in findings):
        raise typer.Exit(4)
