"""`harness train`: train PilotNet on a data set and export its weights."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    data: Annotated[Path, typer.Option(help="Data set (see `harness dataset build`).")],
    output: Annotated[Path, typer.Option(help="Folder of the training.")],
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
    """Train PilotNet; at the end the weights folder OUTPUT/weights can drive.

    Example: harness train --data ~/pitwall-data --output ~/training --epochs 20

    To drive with the result: PITWALL_WEIGHTS=~/training/weights harness lap
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from brains.training.evaluation import make_evaluation
    from brains.training.export import export
    from brains.training.loop import BEST_FILE, StepDone, TrainParams, read_state
    from brains.training.train import train as run_training

    console = Console(stderr=True)
    params = TrainParams(epochs=epochs, batch=batch, learning_rate=learning_rate, seed=seed)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("preparing", total=None)
        for event in run_training(data, output, params, resume=resume):
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
    folder = export(output / BEST_FILE, make_evaluation(data), output / "weights")
    best = read_state(output).best
    if as_json:
        typer.echo(best.model_dump_json())
    console.print(f"best: epoch {best.epoch}, mse {best.mse:.5f}. Weights: {folder}")
    console.print(f"drive with them: PITWALL_WEIGHTS={folder} harness lap", soft_wrap=True)
