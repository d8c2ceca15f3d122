"""`harness dataset`: record the expert, build data sets, pick evaluation and calibration sets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from brains.training.frames import FrameSet

app = typer.Typer(help="Record the expert, build data sets from it.", no_args_is_help=True)


@app.command()
def record(
    output: Annotated[Path, typer.Option(help="Folder that takes the recordings.")],
    circuits: Annotated[
        list[str] | None, typer.Option("--circuit", help="Repeatable; default: the built-in ones.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=0, help="Disturbed runs a circuit and direction.")] = 3,
) -> None:
    """Let the expert drive the circuits in both directions, undisturbed once and so many seeds.

    Runs that are finished already are kept, so a stopped recording goes on where it was.

    Example: harness dataset record --output data/recordings --seeds 3
    """
    from rich.console import Console

    from harness.study.collect import collect, plan
    from worlds.circuit import built_in_names

    console = Console(stderr=True)
    specs = plan(circuits or list(built_in_names()), seeds, output.absolute())
    collect(specs, lambda line: console.print(line, markup=False, highlight=False))


@app.command()
def build(
    recordings: Annotated[list[Path], typer.Argument(help="Recordings of the expert.")],
    output: Annotated[Path, typer.Option(help="Folder of the data set.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Build train, validation and test sets, split by run.

    Example: harness dataset build recordings/expert-* --output ~/pitwall-data
    """
    from rich.console import Console
    from rich.progress import Progress

    from brains.training.dataset import build_dataset, read_index

    console = Console(stderr=True)
    frames = 0
    with Progress(console=console) as progress:
        task = progress.add_task("reading", total=len(recordings))
        for name, count in build_dataset(recordings, output):
            frames += count
            progress.update(task, advance=1, description=f"{name}: {count} frames")
    index = read_index(output)
    if as_json:
        typer.echo(index.model_dump_json())
        return
    from rich.table import Table

    table = Table("circuit", "direction", "split", "runs", "frames")
    groups = sorted({(run.circuit, run.direction, run.split) for run in index.runs})
    for group in groups:
        members = [r for r in index.runs if (r.circuit, r.direction, r.split) == group]
        table.add_row(*group, str(len(members)), str(sum(run.frames for run in members)))
    console.print(table)
    console.print(f"{frames} frames of {len(index.runs)} runs in {output}")


@app.command()
def driven(
    recordings: Annotated[list[Path], typer.Argument(help="Laps with record_camera:=true.")],
    data: Annotated[Path, typer.Option(help="Data set that takes the frames.")],
) -> None:
    """Add the frames of a network's own laps to a data set, for recipes that ask for them.

    Example: harness dataset driven recordings/*-tf_baseline-* --data data/set
    """
    from rich.console import Console

    from brains.training.driven import DRIVEN_FILE, gather_driven

    found = gather_driven(recordings, data)
    console = Console(stderr=True)
    console.print(f"{len(found.crops)} frames of {len(found.firsts)} laps: {data / DRIVEN_FILE}")


@app.command()
def evaluation(
    data: Annotated[Path, typer.Argument(help="Data set to pick test frames from.")],
    output: Annotated[Path | None, typer.Option(help="File; default: the one kept in git.")] = None,
    per_circuit: Annotated[int, typer.Option(min=1, help="Frames a circuit.")] = 300,
) -> None:
    """Pick the small evaluation set from a data set's test runs.

    Example: harness dataset evaluation ~/pitwall-data --output evaluation.npz
    """
    from brains.training.evaluation import EVALUATION_FILE, make_evaluation

    _write(make_evaluation(data, per_circuit), output or EVALUATION_FILE)


@app.command()
def calibration(
    data: Annotated[Path, typer.Argument(help="Data set to pick training frames from.")],
    output: Annotated[Path | None, typer.Option(help="File; default: the one kept in git.")] = None,
    per_circuit: Annotated[int, typer.Option(min=1, help="Frames a circuit.")] = 100,
) -> None:
    """Pick the small calibration set of integer networks from a data set's training runs.

    Example: harness dataset calibration ~/pitwall-data --output calibration.npz
    """
    from brains.artifacts import CALIBRATION_FILE
    from brains.training.calibration import make_calibration

    _write(make_calibration(data, per_circuit), output or CALIBRATION_FILE)


def _write(frames: "FrameSet", path: Path) -> None:
    from rich.console import Console

    from brains.training.frames import write_frames

    write_frames(frames, path)
    size_mib = path.stat().st_size / 2**20
    Console(stderr=True).print(f"{len(frames.labels)} frames, {size_mib:.1f} MiB: {path}")
