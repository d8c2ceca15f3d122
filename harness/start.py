"""Where the car stands when a run begins."""

import math
from typing import NamedTuple

from brains.disturbance import Disturber
from harness.run_spec import EXPERT, RunSpec
from worlds.car import ORIGIN_HEIGHT_M


class StartPose(NamedTuple):
    """Pose of the car's origin in the world frame, metres and radians."""

    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float


def disturber(spec: RunSpec) -> Disturber | None:
    """What disturbs an expert's run: nothing with seed 0; None for every other model."""
    return Disturber(spec.seed) if spec.model == EXPERT and spec.seed else None


def start_pose(spec: RunSpec) -> StartPose:
    """Pose at the run's start station, off the line where an expert's run is disturbed."""
    centreline = spec.load_circuit().centreline(spec.direction)
    station_m = spec.start_station_m()
    heading_rad = float(centreline.heading(station_m))
    x_m, y_m = (float(value) for value in centreline.position(station_m))
    lateral_m, turned_rad = (0.0, 0.0)
    if (disturbance := disturber(spec)) is not None:
        lateral_m, turned_rad = disturbance.start_offset()
    return StartPose(
        x_m - lateral_m * math.sin(heading_rad),
        y_m + lateral_m * math.cos(heading_rad),
        ORIGIN_HEIGHT_M,
        math.remainder(heading_rad + turned_rad, math.tau),
    )


def yaw_of_quaternion(x: float, y: float, z: float, w: float) -> float:
    """Yaw in radians of a unit quaternion (REP 103: rotation about z)."""
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
