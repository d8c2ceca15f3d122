"""`harness models`: what can drive here, and why not."""

import json
from typing import Annotated

import typer


def models(
    build: Annotated[
        str | None, typer.Option(help="Build the artifact of a model, or of `all`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """List the models and whether they run on this machine; build their artifacts.

    Example: harness models

    Example: harness models --build tflite_baseline
    """
    from rich.console import Console
    from rich.table import Table

    from brains.build import build_artifact
    from brains.catalogue import default_model, find_model, model_names, why_not

    console = Console(stderr=True)
    known = [find_model(name) for name in model_names()]
    if build is not None:
        wanted = [m for m in known if m.built] if build == "all" else [find_model(build)]
        for model in wanted:
            with console.status(f"building {model.name}"):
                path = build_artifact(model)
            console.print(f"{model.name}: {path}", soft_wrap=True)
    rows = [(model, why_not(model)) for model in known]
    if as_json:
        listed = [
            model.model_dump(include={"name", "title", "family", "backend", "precision"})
            | {"published_name": model.published_name, "runnable": why is None, "reason": why}
            for model, why in rows
        ]
        typer.echo(json.dumps(listed))
        return
    table = Table("model", "title", "backend", "precision", "runs here")
    for model, why in rows:
        name = f"{model.name} (default)" if model.name == default_model() else model.name
        table.add_row(name, model.title, model.backend, model.precision, why or "yes")
    console.print(table)
