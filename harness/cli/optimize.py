"""`harness optimize`: makes the optimised versions' files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from brains.model import ModelSpec
    from brains.outcomes import Outcome
    from harness.errors import PitwallError

KEPT = "kept"
"""What --frames takes to go back to the frames kept with the project."""


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
    import sys

    from rich.console import Console

    from brains.catalogue import chosen_models, find_model, model_names
    from harness.errors import UsageError
    from harness.evaluation.table import PIPE_WIDTH

    if (data is None) != (output is None):
        raise UsageError("--data and --output go together: training needs a folder for its files")
    named, versions = chosen_models([name for name in names if name != "all"])
    if frames is not None:
        _choose_frames(frames, [*named, *versions])
    known = [find_model(name) for name in model_names()] if "all" in names else []
    wanted = {model.name for model in named}
    rest = [m for m in (*versions, *known) if m.artifact and m.name not in wanted]
    models = [*named, *{model.name: model for model in rest}.values()]
    of_cards = {model.name for model in versions}
    console = Console(stderr=True)
    outcomes: list[Outcome] = []
    failed: PitwallError | None = None
    for outcome in _outcomes(models, data, output, console):
        name = outcome.model.name
        if name in of_cards:
            outcomes.append(outcome)
        # One model that can't be made here must not keep the others from it.
        left_out = outcome.state == "left out" and name not in wanted
        if outcome.error is not None and name not in of_cards and not left_out:
            failed = failed or outcome.error
    if outcomes:
        # A pipe has no width: nothing is left out there.
        wide = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
        wide.print(_table(outcomes))
        failed = failed or _nothing_made(outcomes)
    if failed is not None:
        raise failed


def _choose_frames(frames: Path, models: Sequence["ModelSpec"]) -> None:
    """Remember a user's frames for the networks of the models."""
    from brains.chosen_frames import choose_frames
    from harness.errors import UsageError

    networks = {model.card: model for model in models if model.folder is not None}
    if not networks:
        raise UsageError("--frames is for networks of your own: name a card (my_net.yaml)")
    kept = str(frames) == KEPT
    if not kept and not frames.exists():
        raise UsageError(f"--frames {frames} does not exist: give a bag or a folder")
    for model in networks.values():
        choose_frames(model, None if kept else frames)


def _outcomes(
    models: Sequence["ModelSpec"], data: Path | None, output: Path | None, console: "Console"
) -> Iterator["Outcome"]:
    """Make one model after the other, shown on the terminal."""
    import os

    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from brains.build import start_weights
    from brains.outcomes import make, train

    trained = [model for model in models if data and (model.training is not None or model.kept)]
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

        if output is not None:
            start_weights(output, trained)
            os.environ["PITWALL_WEIGHTS"] = str(output)
        for model in models:
            if data is not None and output is not None and model in trained:
                show(f"{model.name}: training")
                outcome = train(model, data, output, show)
                if outcome.error is not None:
                    _tell(bars.console, outcome)
                    yield outcome
                    continue
                _tell(bars.console, outcome)
            show(f"{model.name}: building")
            outcome = make(model, show)
            _tell(bars.console, outcome)
            yield outcome


def _tell(console: "Console", outcome: "Outcome") -> None:
    plain = outcome.state in ("made", "not possible")
    state = "" if plain else f"{outcome.state}: "
    style = "red" if outcome.state in ("not possible", "refused") else None
    console.print(f"{outcome.model.name}: {state}{outcome.detail}", style=style, soft_wrap=True)


def _nothing_made(outcomes: Sequence["Outcome"]) -> "PitwallError | None":
    """The first failure where not one version was made."""
    from brains.methods import ORIGINAL

    if any(o.state == "made" and o.model.method != ORIGINAL for o in outcomes):
        return None
    return next((o.error for o in outcomes if o.error is not None), None)


def _table(outcomes: Sequence["Outcome"]) -> "Table":
    """What became of each version of a card."""
    from rich.table import Table

    table = Table("version", "", "MiB", "of its variance lost", "why not", box=None)
    for column in table.columns[:4]:
        column.no_wrap = True
    for outcome in outcomes:
        found = outcome.agreement
        share = "" if found is None or found.share is None else f"{found.share:.2%}"
        state: str = outcome.state
        if found is not None and state == "made" and found.verdict != "agrees":
            state = f"{state}, {found.verdict}"
        size = "" if outcome.size_bytes is None else f"{outcome.size_bytes / 2**20:.2f}"
        why = "" if outcome.state == "made" else outcome.detail
        if found is not None and found.verdict == "unknown":
            why = found.detail
        table.add_row(outcome.model.name, state, size, share, why)
    return table
