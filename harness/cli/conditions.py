"""`harness conditions`: what may make driving harder, and how much of it can be asked for."""

import json
from typing import Annotated

import typer


def conditions(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """List the conditions, their units and ranges.

    Example: harness lap --conditions camera_noise=16,gusts=0.5
    """
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from harness.conditions.table import TABLE

    if as_json:
        typer.echo(json.dumps([asdict(row) for row in TABLE]))
        return
    table = Table("condition", "level", "unit", "what", box=None)
    for column in table.columns[:2]:
        column.no_wrap = True
    place = ""
    for row in TABLE:
        if row.place != place:
            place = row.place
            table.add_section()
            table.add_row(f"[bold]{place}")
        table.add_row(row.name, row.range, row.unit, row.what)
    Console(stderr=True).print(table)
