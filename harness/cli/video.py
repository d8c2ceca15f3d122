"""`harness video`: the camera of a run, with speed, steering, deviation and a map."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import CameraTopic, Circuit, OdometryTopic


def video(
    recording: Annotated[
        Path | None,
        typer.Argument(
            help="A recording, or a bag.  [default: recordings/latest]", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The file; else video.mp4 beside the bag.")
    ] = None,
    circuit: Circuit = None,
    odometry_topic: OdometryTopic = None,
    camera_topic: CameraTopic = None,
) -> None:
    """Make a video (mp4) of a run that was recorded with its camera.

    Needs `make setup EXTRAS=video`.

    Example: `harness lap --record-camera && harness video`
    """
    from rich.console import Console

    from harness.paths import recordings_root
    from harness.recording.chosen_topics import AskedTopics
    from harness.recording.course import Given
    from harness.video.film import make_video

    messages = Console(stderr=True, highlight=False)
    with messages.status("reading") as status:
        film = make_video(
            recording or recordings_root() / "latest",
            output,
            Given(circuit),
            lambda done, of: status.update(f"picture {done} of {of}"),
            AskedTopics(odometry_topic, camera_topic),
        )
    for note in film.notes:
        messages.print(note, style="yellow", markup=False, soft_wrap=True)
    messages.print(f"wrote {film.file}", markup=False, soft_wrap=True)
