"""`harness check-brain`: checks any brain against the contract."""

import dataclasses
import json
from typing import Annotated

import typer


def check_brain(
    model: Annotated[str, typer.Argument(help="A model's name, or my_module:MyBrain.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Check a brain against the contract: PASS or FAIL for each promise; exit code 1 if any fails.

    Example: harness check-brain tflite_dynamic

    Example: harness check-brain my_module:MyBrain
    """
    from rich.console import Console

    from brains.catalogue import enter_environment
    from brains.check import check_brain as checks

    enter_environment(model)
    console = Console(stderr=True)
    done = []
    for check in checks(model):
        done.append(check)
        mark = "PASS" if check.passed else "FAIL"
        text = f"{mark}  {check.name}" + (f": {check.detail}" if check.detail else "")
        style = "green" if check.passed else "red"
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(check) for check in done]))
    if not all(check.passed for check in done):
        raise typer.Exit(1)
