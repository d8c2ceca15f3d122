"""`harness replay`: a recording's frames through any model."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import CameraTopic


def replay(
    run_or_bag: Annotated[Path, typer.Argument(help="a recording's folder, or a bag")],
    model: Annotated[str, typer.Option(help="see `harness models`, or my_module:MyBrain")] = (
        "tflite_dynamic"
    ),
    rate: Annotated[float, typer.Option(help="frames/s at most; 0: as the model answers")] = 0.0,
    patience: Annotated[float, typer.Option(help="seconds that an answer may take")] = 60.0,
    output: Annotated[Path | None, typer.Option(help="folder of the replay")] = None,
    camera_topic: CameraTopic = None,
    as_json: Annotated[bool, typer.Option("--json", help="result as JSON on stdout")] = False,
) -> None:
    """Send every recorded frame through a model, once and in order; compare the commands.

    Example: harness replay recordings/latest --model tflite_baseline
    """
    from rich.console import Console

    from harness.replay.drive import replay as replay_bag
    from harness.replay.table import replay_table
    from harness.spec.replay import ReplaySpec

    values: dict[str, object] = {
        "bag": str(run_or_bag),
        "model": model,
        "rate": rate,
        "patience": patience,
    }
    values |= {"output": str(output or ""), "camera_topic": camera_topic or ""}
    spec = ReplaySpec.parse(values)
    console = Console(stderr=True, highlight=False)
    _, result = replay_bag(spec, lambda line: console.print(line, markup=False, soft_wrap=True))
    if as_json:
        print(result.model_dump_json(indent=2))
    else:
        Console().print(replay_table(result))
