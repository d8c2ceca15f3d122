"""Options that several commands have, said once."""

from typing import Annotated

import typer

Circuit = Annotated[str | None, typer.Option(help="The circuit; else as recorded, or recognised.")]
OdometryTopic = Annotated[
    str | None, typer.Option(help="Where the odometry is; else /F1ROS/odom, or the only one.")
]
CameraTopic = Annotated[
    str | None, typer.Option(help="Where the camera's frames are; else the usual, or only one.")
]
