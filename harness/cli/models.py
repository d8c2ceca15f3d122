"""`harness models`: what can drive here, and why not."""

import json
from typing import Annotated

import typer


def models(
    network: Annotated[
        str | None,
        typer.Argument(help="Only the versions of one network: my_net.yaml, pilotnet."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """List the models and whether they run on this machine; --json also tells their precisions.

    Example: harness models

    Example: harness models my_net.yaml
    """
    from rich.console import Console
    from rich.table import Table

    from brains.availability import to_drive
    from brains.catalogue import ALL, default_model, find_model, find_models, model_names

    console = Console(stderr=True)
    if network is None:
        known = [find_model(name) for name in model_names()]
    else:
        known = find_models(f"{network}/{ALL}")
    rows = [(model, to_drive(model).reason) for model in known]
    if as_json:
        listed = [
            model.model_dump(include={"name", "title", "family", "backend", "precision"})
            | {"published_name": model.published_name, "runnable": why is None, "reason": why}
            for model, why in rows
        ]
        typer.echo(json.dumps(listed))
        return
    table = Table("model", "runs here", "what", box=None)
    for column in table.columns[:2]:
        column.no_wrap = True
    for model, why in rows:
        name = f"{model.name} (default)" if model.name == default_model() else model.name
        table.add_row(name, "no" if why else "yes", model.title)
    console.print(table)
    for _, why in rows:
        if why is not None:
            console.print(why, soft_wrap=True)
