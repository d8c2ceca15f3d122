"""`harness train`: train PilotNet, or a network of one's own, on a data set.

A process trains one network, and brings the framework of that one alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from brains.training.loop import Event, TrainParams


def train(
    data: Annotated[Path, typer.Option(help="Data set (see `harness dataset build`).")],
    output: Annotated[Path, typer.Option(help="Folder of the training.")],
    network: Annotated[
        str | None,
        typer.Option(help="my_module:build, which returns a network of Keras or PyTorch."),
    ] = None,
    card: Annotated[
        Path | None, typer.Option(help="The network's card; the file it names is written.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training set.")] = 20,
    batch: Annotated[int, typer.Option(min=1, help="Frames a step.")] = 256,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 5e-4,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Of weights, order and augmentation.")
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last whole epoch, as it was begun.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Train PilotNet, or with --card a network of your own.

    Examples: harness train --data ~/pitwall-data --output ~/training --epochs 20

    harness train --network my_module:build --card my_net.yaml --data ~/data --output ~/training

    PilotNet's weights folder OUTPUT/weights can drive: PITWALL_WEIGHTS=~/training/weights harness
    lap. A network of your own drives by its card: harness lap --model my_net.yaml
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from brains.training.loop import TrainParams, read_state
    from harness.errors import UsageError

    if network is not None and card is None:
        raise UsageError("--network needs --card: what it sees and says (docs/guides/training.md)")
    console = Console(stderr=True)
    params = TrainParams(epochs=epochs, batch=batch, learning_rate=learning_rate, seed=seed)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        events = _events(progress, data, output, network, card, params, resume)
        _show(progress, events)
    best = read_state(output).best
    if card is None:
        folder = _export(data, output)
        result = [f"Weights: {folder}", f"drive with them: PITWALL_WEIGHTS={folder} harness lap"]
    else:
        result = [f"its file stands beside {card}", f"drive it: harness lap --model {card}"]
    if as_json:
        typer.echo(best.model_dump_json())
    console.print(f"best: epoch {best.epoch}, mse {best.mse:.5f}. {result[0]}", soft_wrap=True)
    console.print(result[1], soft_wrap=True)


def _events(
    progress: "Progress",
    data: Path,
    output: Path,
    network: str | None,
    card: Path | None,
    params: "TrainParams",
    resume: bool,
) -> "Iterator[Event]":
    """What the training tells of itself; the frames that it makes ready are shown at once."""
    frames = progress.add_task("frames", total=None, visible=False)

    def tell(done: int, total: int) -> None:
        progress.update(frames, completed=done, total=total, visible=done < total)

    if card is None:
        from brains.training.train import train as train_pilotnet

        yield from train_pilotnet(data, output, params, resume=resume, tell=tell)
    else:
        from brains.training.own import train_own

        yield from train_own(network, card, data, output, params, resume=resume, tell=tell)


def _show(progress: "Progress", events: "Iterator[Event]") -> None:
    from brains.training.loop import StepDone

    task = progress.add_task("preparing", total=None)
    for event in events:
        if isinstance(event, StepDone):
            text = f"epoch {event.epoch} loss {event.loss:.5f}"
            progress.update(task, description=text, completed=event.step, total=event.steps)
        else:
            progress.console.print(
                f"epoch {event.epoch}: loss {event.train_loss:.5f}, validation "
                f"{event.validation_loss:.5f}, mse {event.mse:.5f}, "
                f"v {event.v_mae_m_s:.2f} m/s, w {event.w_mae_rad_s:.3f} rad/s, "
                f"{event.seconds:.0f} s"
            )


def _export(data: Path, output: Path) -> Path:
    from brains.training.evaluation import make_evaluation
    from brains.training.export import export
    from brains.training.loop import BEST_FILE

    return export(output / BEST_FILE, make_evaluation(data), output / "weights")
