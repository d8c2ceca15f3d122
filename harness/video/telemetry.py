"""What the car did, at the times of a video's frames. Arithmetic only."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.metrics import timing
from harness.metrics.figures import Drive
from harness.metrics.run_log import RunLog

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Telemetry:
    """The car at the times of the frames; every array (N,).

    Attributes:
        sim_s: Simulated times.
        x_m: Positions, east.
        y_m: Positions, north.
        yaw_rad: Headings of the driven line.
        speed_m_s: Speeds over ground.
        steering_rad_s: Yaw rates asked for, positive to the left; the car's own where no command
            was recorded.
        lateral_m: Offsets from the centreline, positive to the left.
        progress_m: Distances along the centreline from the start.
        inference_ms: Durations of the network's call on the last frame; NaN before the first.
    """

    sim_s: Floats
    x_m: Floats
    y_m: Floats
    yaw_rad: Floats
    speed_m_s: Floats
    steering_rad_s: Floats
    lateral_m: Floats
    progress_m: Floats
    inference_ms: Floats

    @classmethod
    def of(cls, log: RunLog, drive: Drive, sim_s: Floats) -> Self:
        """Read a run at times (N,): linear between its odometry samples."""
        path = drive.path
        speed_x, speed_y = np.gradient(path.x_m, path.sim_s), np.gradient(path.y_m, path.sim_s)
        odometry = log.odometry
        yaw = np.interp(sim_s, odometry.sim_s, np.unwrap(odometry.yaw_rad))
        iterations = log.iterations
        if iterations.frame_sim_s.size:
            steering = _last(sim_s, iterations.frame_sim_s, iterations.w_rad_s, 0.0)
            inference = _last(
                sim_s, iterations.frame_sim_s, timing.inference_ms(iterations), np.nan
            )
        else:
            steering = np.interp(sim_s, odometry.sim_s, odometry.w_rad_s)
            inference = np.full(len(sim_s), np.nan)
        return cls(
            sim_s=sim_s,
            x_m=np.interp(sim_s, path.sim_s, path.x_m),
            y_m=np.interp(sim_s, path.sim_s, path.y_m),
            yaw_rad=yaw,
            speed_m_s=np.interp(sim_s, path.sim_s, np.hypot(speed_x, speed_y)),
            steering_rad_s=steering,
            lateral_m=np.interp(sim_s, path.sim_s, path.lateral_m),
            progress_m=np.interp(sim_s, path.sim_s, path.progress_m),
            inference_ms=inference,
        )


def frame_times(camera_sim_s: Floats, go_sim_s: float, end_sim_s: float) -> tuple[Floats, int]:
    """Times (N,) of a video's frames, evenly from go to the end, and how many a second.

    Args:
        camera_sim_s: Stamps (M,) of the camera's images, ascending, at least two.
        go_sim_s: Simulated time of go.
        end_sim_s: Simulated time of the end.
    """
    rate_hz = max(1, round(1.0 / float(np.median(np.diff(camera_sim_s)))))
    first_s = max(go_sim_s, float(camera_sim_s[0]))
    count = max(1, int((end_sim_s - first_s) * rate_hz + 1e-6) + 1)
    return first_s + np.arange(count) / rate_hz, rate_hz


def _last(sim_s: Floats, stamps_s: Floats, values: Floats, before: float) -> Floats:
    """The last of some values (M,) known at times (N,)."""
    index = np.searchsorted(stamps_s, sim_s + 1e-6, side="right") - 1
    return np.where(index >= 0, values[np.maximum(index, 0)], before)
