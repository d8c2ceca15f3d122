"""`harness optimize`: makes the optimised models' files."""

from pathlib import Path
from typing import Annotated

import typer


def optimize(
    names: Annotated[list[str], typer.Argument(help="Models, or `all`.", metavar="MODEL...")],
    data: Annotated[
        Path | None,
        typer.Option(help="Data set: train the models' kept files anew (`harness dataset build`)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="With --data: weights folder that takes them.")
    ] = None,
) -> None:
    """Make what models load from the trained network, by each model's own method.

    Without --data, artifacts are built into the cache from the weights kept in git (a minute at
    most each); what is there and unbroken stays. `all` leaves out, by name, what can't be built on
    this machine; a model that is named itself must be built.

    With --data, the kept files themselves are trained, pruned, clustered anew into --output; a
    killed training goes on where it was.

    Example: harness optimize tflite_int8

    Example: harness optimize all --data data/set --output data/weights

    To drive with the result: PITWALL_WEIGHTS=data/weights harness lap
    """
    import os

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from brains.build import build_artifact, start_weights, train_file
    from brains.catalogue import find_model, model_names
    from brains.model import ModelSpec
    from harness.errors import PitwallError, UnavailableError, UsageError

    if (data is None) != (output is None):
        raise UsageError("--data and --output go together: training needs a folder for its files")
    wanted = {name: find_model(name) for name in names if name != "all"}
    known = [find_model(name) for name in model_names()] if "all" in names else []
    models = [*wanted.values(), *(m for m in known if m.artifact and m.name not in wanted)]
    trained: list[ModelSpec] = []
    console = Console(stderr=True)
    failed: PitwallError | None = None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("", total=None)

        def show(text: str, done: int = 0, total: int = 0) -> None:
            bars.update(bar, description=text, completed=done, total=total or None)

        if data is not None and output is not None:
            trained = [model for model in models if model.training is not None or model.kept]
            start_weights(output, trained)
            os.environ["PITWALL_WEIGHTS"] = str(output)
        for model in models:
            try:
                if data is not None and output is not None and model in trained:
                    show(f"{model.name}: training")
                    trained_file = train_file(model, data, output, show, apart=True)
                    bars.console.print(f"{model.name}: {trained_file}")
                show(f"{model.name}: building")
                built = build_artifact(model, show, apart=True)
                bars.console.print(f"{model.name}: {built}", soft_wrap=True)
            except PitwallError as error:
                # One model that can't be made here must not keep the others from it.
                may_lack = model.name not in wanted and model not in trained
                if may_lack and isinstance(error, UnavailableError):
                    bars.console.print(f"{model.name}: left out: {error}", soft_wrap=True)
                    continue
                failed = failed or error
                bars.console.print(f"{model.name}: {error}", style="red", soft_wrap=True)
    if failed is not None:
        raise failed
