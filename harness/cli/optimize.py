"""`harness optimize`: makes the optimised versions' files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from brains.outcomes import Outcome


def optimize(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Models, networks' cards (my_net.yaml), or `all`.", metavar="MODEL|CARD..."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="Data set: train the models' kept files anew (`harness dataset build`)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="With --data: weights folder that takes them.")
    ] = None,
    frames: Annotated[
        Path | None,
        typer.Option(
            help="Your frames, for a card's versions: a bag, recordings, or a folder of images; one"
            " half calibrates, the other checks. Remembered; `--frames kept` goes back to the"
            " project's own."
        ),
    ] = None,
) -> None:
    """Make what models load from the trained network, by each model's own method.

    Of a card, every version is made that can be made of the network's file. Each is compared with
    the network as it came, on frames that were not used to make it: one that loses 10 % of the
    variance of its answers is refused. A table tells what was made, what was refused, and what is
    not possible and why. Exit code 0: something was made.

    Without --data, artifacts are built into the cache from the weights kept in git (a minute at
    most each); what is there and unbroken stays. `all` leaves out, by name, what can't be built on
    this machine; a model that is named itself must be built.

    With --data, the kept files themselves are trained, pruned, clustered anew into --output; a
    killed training goes on where it was.

    Example: harness optimize tflite_int8

    Example: harness optimize my_net.yaml --frames recordings/my_laps

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

    from brains.build import start_weights, train_file
    from brains.catalogue import chosen_models, model_names
    from brains.catalogue import find_model as find
    from brains.chosen_frames import choose_frames
    from brains.methods import ORIGINAL
    from brains.model import ModelSpec
    from brains.outcomes import make
    from harness.errors import PitwallError, UsageError

    if (data is None) != (output is None):
        raise UsageError("--data and --output go together: training needs a folder for its files")
    named, versions = chosen_models([name for name in names if name != "all"])
    if frames is not None:
        cards = {model.card: model for model in (*named, *versions) if model.folder is not None}
        if not cards:
            raise UsageError("--frames is for networks of your own: name a card (my_net.yaml)")
        if str(frames) != "kept" and not frames.exists():
            raise UsageError(f"--frames {frames} does not exist: give a bag or a folder")
        for model in cards.values():
            choose_frames(model, None if str(frames) == "kept" else frames)
    known = [find(name) for name in model_names()] if "all" in names else []
    wanted = {model.name for model in named}
    rest = [m for m in (*versions, *known) if m.artifact and m.name not in wanted]
    models = [*named, *{model.name: model for model in rest}.values()]
    trained: list[ModelSpec] = []
    console = Console(stderr=True)
    failed: PitwallError | None = None
    outcomes: list[Outcome] = []
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
        of_cards = {model.name for model in versions}
        for model in models:
            try:
                if data is not None and output is not None and model in trained:
                    show(f"{model.name}: training")
                    trained_file = train_file(model, data, output, show, apart=True)
                    bars.console.print(f"{model.name}: {trained_file}")
            except PitwallError as error:
                failed = failed or error
                bars.console.print(f"{model.name}: {error}", style="red", soft_wrap=True)
                continue
            show(f"{model.name}: building")
            outcome = make(model, show)
            if model.name in of_cards:
                outcomes.append(outcome)
            if outcome.state == "made":
                bars.console.print(f"{model.name}: {outcome.detail}", soft_wrap=True)
                continue
            # One model that can't be made here must not keep the others from it.
            may_lack = model.name not in wanted and model not in trained
            left_out = may_lack and outcome.state == "left out"
            state = "" if outcome.state == "not possible" else f"{outcome.state}: "
            style = None if left_out else "red"
            bars.console.print(
                f"{model.name}: {state}{outcome.detail}", style=style, soft_wrap=True
            )
            if not left_out and model.name not in of_cards:
                failed = failed or outcome.error
    if outcomes:
        Console().print(_table(outcomes), soft_wrap=True)
        made = [o for o in outcomes if o.state == "made" and o.model.method != ORIGINAL]
        if not made and failed is None:
            failed = next((o.error for o in outcomes if o.error is not None), None)
    if failed is not None:
        raise failed


def _table(outcomes: Sequence["Outcome"]) -> "Table":
    """What became of each version of a card."""
    from rich.table import Table

    table = Table("version", "", "MiB", "of its variance lost", "why not", box=None)
    for column in table.columns[:4]:
        column.no_wrap = True
    for outcome in outcomes:
        found = outcome.agreement
        share = "" if found is None or found.share is None else f"{found.share:.2%}"
        state = outcome.state
        if found is not None and state == "made" and found.verdict != "agrees":
            state = f"{state}, {found.verdict}"
        size = "" if outcome.size_bytes is None else f"{outcome.size_bytes / 2**20:.2f}"
        why = "" if outcome.state == "made" else outcome.detail
        if found is not None and found.verdict == "unknown":
            why = found.detail
        table.add_row(outcome.model.name, state, size, share, why)
    return table
