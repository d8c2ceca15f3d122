"""`harness metrics`: all figures of a bag, from the bag alone."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import CameraTopic, Circuit, OdometryTopic


def metrics(
    bag: Annotated[Path, typer.Argument(help="A bag, or a recording.", show_default=False)],
    circuit: Circuit = None,
    direction: Annotated[
        str | None, typer.Option(help="forward or reverse; else as recorded, or as driven.")
    ] = None,
    laps: Annotated[
        int | None, typer.Option(help="Laps to drive; else as recorded, or as many as there are.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Simulated s allowed; else the circuit's limit.")
    ] = None,
    odometry_topic: OdometryTopic = None,
    camera_topic: CameraTopic = None,
    reference: Annotated[
        Path | None,
        typer.Option(help="A bag with the study's reference lap: its deviation, against that."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON on stdout.")
    ] = False,
) -> None:
    """Compute all figures of a run again from its bag, and compare them with those recorded.

    Reads bags of ROS 1 and ROS 2, ours, the published study's and any other with odometry; of a
    damaged bag what is there, and says what is lost.

    Examples: `harness metrics recordings/latest/run.bag`,
    `harness metrics study.bag --circuit montreal --json`,
    `harness metrics run.bag --reference lap-simple-circuit.bag`
    """
    from rich.console import Console

    from harness.recording.bag_metrics import measure_bag
    from harness.recording.chosen_topics import AskedTopics
    from harness.recording.course import Given
    from harness.recording.reference import read_reference
    from harness.report.bag_sheet import json_sheet, terminal_sheet

    given = Given(circuit, direction, laps, timeout)
    lap = None if reference is None else read_reference(reference)
    measured = measure_bag(bag, given, lap, AskedTopics(odometry_topic, camera_topic))
    if as_json:
        print(json_sheet(measured))
    else:
        console = Console()
        console.print(terminal_sheet(measured, console.width))
