"""Where the car stands when a run begins, and the world round it."""

import math
from pathlib import Path

from brains.disturbance import Disturber
from harness.spec.run import EXPERT, RunSpec
from worlds.appearance import Appearance
from worlds.circuit import Pose
from worlds.generator import WorldOptions, generate_world


def disturber(spec: RunSpec) -> Disturber | None:
    """What disturbs an expert's run: nothing with seed 0; None for every other model."""
    return Disturber(spec.seed) if spec.model == EXPERT and spec.seed else None


def start_pose(spec: RunSpec) -> Pose:
    """Pose at the run's start station, off the line where an expert's run is disturbed."""
    on_line = spec.load_circuit().start(spec.direction, spec.start_station_m())
    disturbance = disturber(spec)
    if disturbance is None:
        return on_line
    lateral_m, turned_rad = disturbance.start_offset()
    return Pose(
        on_line.x_m - lateral_m * math.sin(on_line.yaw_rad),
        on_line.y_m + lateral_m * math.cos(on_line.yaw_rad),
        math.remainder(on_line.yaw_rad + turned_rad, math.tau),
    )


def world_of(spec: RunSpec, folder: Path) -> Path:
    """Generates the world of a run, the car at its start.

    Returns:
        The .world file in the folder.
    """
    options = WorldOptions(
        width=spec.image_width,
        height=spec.image_height,
        antialiasing=spec.antialiasing,
        real_time=spec.clock == "realtime",
        appearance=Appearance.random(spec.appearance) if spec.appearance else Appearance(),
        start=start_pose(spec),
    )
    return generate_world(spec.load_circuit(), folder, options)
