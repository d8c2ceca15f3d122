"""`harness latency-sweep`: how fast is fast enough."""

from pathlib import Path
from typing import Annotated

import typer


def latency_sweep(
    model: Annotated[str, typer.Argument(help="see `harness models`, or my_module:MyBrain")],
    circuit: Annotated[str, typer.Option(help="see `harness circuit list`")] = "simple_circuit",
    latency: Annotated[
        list[float] | None, typer.Option(help="ms; repeatable; default: 0, 25, 50 ... 300")
    ] = None,
    repetitions: Annotated[int, typer.Option(min=1, help="laps at each latency")] = 1,
    profile: Annotated[
        list[Path] | None, typer.Option(help="files of `harness profile` to mark; repeatable")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="folder of recordings and picture")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="points as JSON on stdout")] = False,
) -> None:
    """Drive at fixed latencies in lockstep; draw deviation and completion over them.

    Laps that are finished already are kept: a stopped sweep goes on where it was.

    Example: harness latency-sweep tflite_dynamic --profile tflite_dynamic.profile.json
    """
    import json

    from rich.console import Console
    from rich.table import Table

    from harness.paths import recordings_root
    from harness.study.sweep import LATENCIES_MS, draw, read_profile_file, sweep

    console = Console(stderr=True, highlight=False)
    profiles = [read_profile_file(path) for path in profile or []]
    folder = output or recordings_root() / f"sweep-{model.replace(':', '.')}-{circuit}"
    points = sweep(
        model,
        circuit,
        latency or LATENCIES_MS,
        repetitions,
        folder.absolute(),
        lambda line: console.print(line, markup=False),
    )
    picture = folder / "latency_sweep.png"
    draw(points, profiles, f"{model} on {circuit}, lockstep", picture)
    table = Table("latency ms", "completed", "deviation m", "mean speed m/s")
    for point in points:
        done = [result for result in point.results if result.completed]
        deviation_m = sum(point.deviations_m) / len(done) if done else None
        speeds = [result.average_speed_m_s or 0.0 for result in done]
        table.add_row(
            f"{point.latency_ms:g}",
            f"{len(done)} of {len(point.results)}",
            f"{deviation_m:.3f}" if deviation_m is not None else "-",
            f"{sum(speeds) / len(done):.2f}" if done else "-",
        )
    console.print(table)
    console.print(f"drawn: {picture}")
    if as_json:
        print(json.dumps([point.model_dump(mode="json") for point in points], indent=2))
