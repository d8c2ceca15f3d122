"""Where the car stands when a run begins, how it obeys, and the world round it."""

import math
from pathlib import Path

from brains.disturbance import Disturber
from harness.conditions import wear, wind
from harness.spec.run import EXPERT, RunSpec
from worlds.appearance import Appearance
from worlds.car.sdf import CameraMount, DriveOptions
from worlds.circuit import Pose
from worlds.generator import WorldOptions, generate_world


def disturber(spec: RunSpec) -> Disturber | None:
    """What disturbs an expert's run: nothing with seed 0; None for every other model."""
    return Disturber(spec.seed) if spec.model == EXPERT and spec.seed else None


def start_pose(spec: RunSpec) -> Pose:
    """Pose at the run's start station, off the line where conditions or a disturbance ask it."""
    on_line = spec.load_circuit().start(spec.direction, spec.start_station_m())
    disturbance, asked = disturber(spec), spec.asked_conditions()
    lateral_m, turned_rad = disturbance.start_offset() if disturbance else (0.0, 0.0)
    lateral_m += asked.value("start_offset_m")
    turned_rad += math.radians(asked.value("start_heading_deg"))
    if lateral_m == turned_rad == 0.0:
        return on_line
    return Pose(
        on_line.x_m - lateral_m * math.sin(on_line.yaw_rad),
        on_line.y_m + lateral_m * math.cos(on_line.yaw_rad),
        math.remainder(on_line.yaw_rad + turned_rad, math.tau),
    )


def camera_mount(spec: RunSpec) -> CameraMount:
    """How the car's camera sits in a run."""
    asked = spec.asked_conditions()
    return CameraMount(
        pitch_rad=math.radians(asked.value("camera_pitch_deg")),
        yaw_rad=math.radians(asked.value("camera_yaw_deg")),
        up_m=asked.value("camera_height_m"),
    )


def drive_options(spec: RunSpec) -> DriveOptions:
    """How the car obeys in a run; the wind blows until its time is over."""
    asked = spec.asked_conditions()
    sigma_rad_s = asked.level("gusts")
    gusts_rad_s: tuple[float, ...] = ()
    if sigma_rad_s is not None:
        gusts_rad_s = tuple(wind.gusts_rad_s(spec.seed, sigma_rad_s, spec.timeout_s()).tolist())
    return DriveOptions(
        steering_gain=asked.value("steering_gain"),
        steering_bias_rad_s=asked.value("steering_bias_rad_s"),
        speed_gain=asked.value("speed_gain"),
        gust_period_s=wind.PERIOD_S,
        gusts_rad_s=gusts_rad_s,
    )


def _line_gaps_m(spec: RunSpec) -> tuple[tuple[float, float], ...]:
    share = spec.asked_conditions().level("line_worn")
    if share is None:
        return ()
    return wear.worn_gaps_m(spec.seed, share, spec.load_circuit().centreline().length_m)


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
        mount=camera_mount(spec),
        drive=drive_options(spec),
        line_gaps_m=_line_gaps_m(spec),
        light=spec.asked_conditions().value("light"),
    )
    return generate_world(spec.load_circuit(), folder, options)
