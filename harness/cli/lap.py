"""`harness lap`: one run, its progress, its report."""

import json
from pathlib import Path
from typing import Annotated

import typer

from harness.conditions.table import HELP


def lap(
    model: Annotated[
        str,
        typer.Option(
            help="see `harness models`, a network's card (my_net.yaml), or my_module:MyBrain"
        ),
    ] = "tflite_dynamic",
    circuit: Annotated[str, typer.Option(help="see `harness circuit list`")] = "simple_circuit",
    laps: Annotated[int, typer.Option(help="laps to drive")] = 1,
    direction: Annotated[str, typer.Option(help="forward (as published) or reverse")] = "forward",
    start: Annotated[str, typer.Option(help="default, or a station in metres")] = "default",
    timeout: Annotated[float, typer.Option(help="simulated s; 0: the circuit's limit")] = 0.0,
    seed: Annotated[int, typer.Option(help="seed of all that is drawn")] = 0,
    clock: Annotated[str, typer.Option(help="realtime or lockstep")] = "realtime",
    latency: Annotated[
        str, typer.Option(help="lockstep: measured, fixed:MS or profile:FILE")
    ] = "measured",
    record_camera: Annotated[
        bool, typer.Option(help="keep the camera's frames, losslessly")
    ] = False,
    gui: Annotated[bool, typer.Option(help="open Gazebo's window")] = False,
    image_width: Annotated[int, typer.Option(help="camera, pixels")] = 640,
    image_height: Annotated[int, typer.Option(help="camera, pixels")] = 480,
    antialiasing: Annotated[
        int, typer.Option(help="camera, samples a pixel: 4 as Gazebo, or 0: harder edges, faster")
    ] = 4,
    appearance: Annotated[int, typer.Option(help="0: as published; else a random look")] = 0,
    conditions: Annotated[str, typer.Option(help=HELP)] = "",
    output: Annotated[Path | None, typer.Option(help="folder of the recording")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="result as JSON on stdout")] = False,
) -> None:
    """Drive a circuit and print the report.

    Example: harness lap --model tflite_dynamic --circuit montreal --laps 1
    """
    from rich.console import Console

    from harness.spec.run import RunSpec

    console = Console(stderr=True, highlight=False)
    values = {k: v for k, v in locals().items() if k in RunSpec.model_fields}
    spec = RunSpec.parse_runnable({**values, "output": str(output or "")})
    # Only now: what can't run is to be refused at once.
    from harness.run.drive import drive

    folder, result = drive(spec, lambda line: console.print(line, markup=False, soft_wrap=True))
    from harness.recording.run_ending import exit_code
    from harness.report.recording import print_report

    if as_json:
        print(json.dumps(result.model_dump(mode="json"), indent=2))
    else:
        print_report([folder])
    raise typer.Exit(exit_code(result.outcome))
