"""The car as a planar mover: commands at 20 Hz, each taking effect a latency after its frame."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from brains.interface import Command
from worlds.centreline import Centreline

FRAME_S = 0.05
STEP_S = 0.005

Pose = tuple[float, float, float]


@dataclass(frozen=True)
class Step:
    """One frame: time, pose, place along the line, command given, command in effect."""

    time_s: float
    pose: Pose
    progress_m: float
    lateral_m: float
    given: Command


def start_pose(line: Centreline, s_m: float, lateral_m: float, heading_rad: float) -> Pose:
    """A pose off the line by ``lateral_m`` to the left and turned by ``heading_rad``."""
    x, y = line.position(s_m)
    yaw = float(line.heading(s_m))
    return x - lateral_m * math.sin(yaw), y + lateral_m * math.cos(yaw), yaw + heading_rad


def drive(
    line: Centreline,
    decide: Callable[[Pose], Command],
    pose: Pose,
    *,
    s_m: float,
    latency_s: float,
    distance_m: float,
    execute: Callable[[Command], Command] = lambda command: command,
) -> Iterator[Step]:
    """Drive until ``distance_m`` of the line is behind, or 3 m off the line, or far too slow."""
    waiting: deque[tuple[float, Command]] = deque()
    active = Command(0.0, 0.0)
    tick, progress_m, last_s_m = 0, 0.0, s_m
    per_frame = round(FRAME_S / STEP_S)
    while progress_m < distance_m and tick * STEP_S < distance_m / 4 + 10:
        time_s = tick * STEP_S
        if tick % per_frame == 0:
            here = line.project(pose[:2], near_s_m=last_s_m)
            progress_m += math.remainder(here.s_m - last_s_m, line.length_m)
            last_s_m = here.s_m
            command = decide(pose)
            yield Step(time_s, pose, progress_m, here.lateral_m, command)
            if abs(here.lateral_m) > 3:
                return
            waiting.append((time_s + latency_s, execute(command)))
        while waiting and waiting[0][0] <= time_s + 1e-9:
            active = waiting.popleft()[1]
        x, y, yaw = pose
        middle = yaw + active.w_rad_s * STEP_S / 2
        pose = (
            x + active.v_m_s * math.cos(middle) * STEP_S,
            y + active.v_m_s * math.sin(middle) * STEP_S,
            yaw + active.w_rad_s * STEP_S,
        )
        tick += 1
