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
        list[str] | None,
        typer.Option("--circuit", help="Repeatable; default: the study's first three."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=0, help="Disturbed runs a circuit and direction.")] = 3,
) -> None:
    """Let the expert drive the circuits in both directions, undisturbed once and so many seeds.

    Runs that are finished already are kept, so a stopped recording goes on where it was.

    Example: harness dataset record --output data/recordings --seeds 3
    """
    from rich.console import Console

    from harness.study.collect import LEARNT, collect, plan

    console = Console(stderr=True)
    specs = plan(circuits or LEARNT, seeds, output.absolute())
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

    from brains.training.dataset import build_dataset

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("reading", total=len(recordings))
        for name, count in build_dataset(recordings, output):
            progress.update(task, advance=1, description=f"{name}: {count} frames")
    _show(output, as_json)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Images and data.csv, or folders of such.")],
    output: Annotated[Path, typer.Option(help="Folder of the data set.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Build a data set of images with a table of v and w: DeepLearningStudio's layout.

    data.csv has the columns image_name, v (m/s) and w (rad/s, positive to the left), and a line for
    each image beside it, in the order of driving. Each such folder is one drive.

    Example: harness dataset import ~/many_curves_1 --output ~/pitwall-data
    """
    from rich.console import Console

    from brains.training.dataset import write_dataset
    from brains.training.imported import read_imported

    console = Console(stderr=True)
    for name, count in write_dataset(read_imported(folder), output):
        console.print(f"{name}: {count} frames", markup=False, highlight=False)
    _show(output, as_json)


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
    from brains.training.calibration import CALIBRATION_FILE, make_calibration

    _write(make_calibration(data, per_circuit), output or CALIBRATION_FILE)


@app.command()
def frames(
    data: Annotated[Path, typer.Argument(help="Data set to pick frames from.")],
    output: Annotated[Path | None, typer.Option(help="File; default: the one kept in git.")] = None,
    sequences: Annotated[int, typer.Option(min=1, help="Of 5 frames, a circuit and part.")] = 20,
) -> None:
    """Pick whole frames for networks that see what they like: to calibrate, and to check with.

    Those to calibrate with are of training runs, those to check with of the others.

    Example: harness dataset frames ~/pitwall-data --output frames.npz
    """
    from rich.console import Console

    from brains.training.whole_frames import (
        FRAMES_FILE,
        PARTS,
        pick_whole_frames,
        write_whole_frames,
    )

    parts = {part: pick_whole_frames(data, part, sequences) for part in PARTS}
    path = output or FRAMES_FILE
    write_whole_frames(parts, path)
    counts = ", ".join(f"{len(found)} for {part}" for part, found in parts.items())
    size_mib = path.stat().st_size / 2**20
    Console(stderr=True).print(f"{counts}, {size_mib:.1f} MiB: {path}")


def _show(data: Path, as_json: bool) -> None:
    """What a data set holds."""
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from brains.training.dataset import read_index, read_whole_run

    index = read_index(data)
    if as_json:
        typer.echo(index.model_dump_json())
        return
    console = Console(stderr=True)
    table = Table("circuit", "direction", "split", "runs", "frames")
    groups = sorted({(run.circuit, run.direction, run.split) for run in index.runs})
    for group in groups:
        members = [r for r in index.runs if (r.circuit, r.direction, r.split) == group]
        table.add_row(*group, str(len(members)), str(sum(run.frames for run in members)))
    console.print(table)
    labels = np.concatenate([read_whole_run(data, run).labels for run in index.runs])
    (v_low, w_low), (v_high, w_high) = labels.min(axis=0), labels.max(axis=0)
    console.print(
        f"{len(labels)} frames of {len(index.runs)} runs in {data}: v {v_low:.1f} to {v_high:.1f} "
        f"m/s, w {w_low:.2f} to {w_high:.2f} rad/s",
        soft_wrap=True,
    )
    if v_high <= 1:
        console.print(
            "no v is above 1 m/s: if the labels are scaled to 0..1, undo that first", soft_wrap=True
        )


def _write(frames: "FrameSet", path: Path) -> None:
    from rich.console import Console

    from brains.training.frames import write_frames

    write_frames(frames, path)
    size_mib = path.stat().st_size / 2**20
    Console(stderr=True).print(f"{len(frames.labels)} frames, {size_mib:.1f} MiB: {path}")
