"""What a run's bag holds, as numpy arrays: what every figure is computed from.

Two times run through it: every record has the wall time at which it was written, and most
messages carry the simulated time of what they tell. What a bag lacks is empty.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.times import Indices, Times

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Odometry:
    """The car's odometry; every array (N,), in the order of the simulated times.

    Attributes:
        sim_s: Simulated times; where `RunLog.times` says that these are unknown, wall times or
            the numbers of the samples.
        wall_s: Wall times of the records.
        x_m: Positions, east.
        y_m: Positions, north.
        yaw_rad: Headings, counter-clockwise from east, in [-pi, pi].
        v_m_s: Forward speeds of the twist.
        w_rad_s: Yaw rates of the twist.
    """

    sim_s: Floats
    wall_s: Floats
    x_m: Floats
    y_m: Floats
    yaw_rad: Floats
    v_m_s: Floats
    w_rad_s: Floats


@dataclass(frozen=True)
class Clock:
    """/clock; both arrays (N,), in the order of the records.

    Attributes:
        wall_s: Wall times of the records.
        sim_s: Simulated times.
    """

    wall_s: Floats
    sim_s: Floats


@dataclass(frozen=True)
class Iterations:
    """/brain/iteration; every array (N,), in the order of the records.

    Attributes:
        wall_s: Wall times of the records.
        frame_sim_s: Simulated stamps of the frames.
        receive_s: Monotonic wall times at which the frames were received.
        infer_start_s: Monotonic wall times at which the network was called.
        infer_end_s: Monotonic wall times at which it answered.
        publish_s: Monotonic wall times at which the commands were sent.
        v_m_s: Commanded speeds.
        w_rad_s: Commanded yaw rates.
        frames_missed: Frames missed since the iteration before.
        latency_s: Simulated latency applied; NaN in real time.
        effective_sim_s: Simulated times at which the commands took effect; NaN in real time.
        frame_crc32: CRC-32 of the frames' pixels in lockstep; 0 in real time.
        cpu_s: CPU time of the brain's process by then; NaN in older bags, which lack it.
        peak_rss_bytes: Most memory that it has held by then; likewise.
        energy_j: What the processor took from receiving to sending; likewise, and where the
            machine shows none.
    """

    wall_s: Floats
    frame_sim_s: Floats
    receive_s: Floats
    infer_start_s: Floats
    infer_end_s: Floats
    publish_s: Floats
    v_m_s: Floats
    w_rad_s: Floats
    frames_missed: Floats
    latency_s: Floats
    effective_sim_s: Floats
    frame_crc32: Floats
    cpu_s: Floats
    peak_rss_bytes: Floats
    energy_j: Floats


@dataclass(frozen=True)
class Commands:
    """/F1ROS/cmd_vel; every array (N,), in the order of the records.

    Attributes:
        wall_s: Wall times of the records.
        v_m_s: Commanded speeds.
        w_rad_s: Commanded yaw rates.
    """

    wall_s: Floats
    v_m_s: Floats
    w_rad_s: Floats


@dataclass(frozen=True)
class Performance:
    """/gazebo/performance_metrics; both arrays (N,), in the order of the records.

    Attributes:
        wall_s: Wall times of the records.
        real_time_factor: The simulator's own figure.
    """

    wall_s: Floats
    real_time_factor: Floats


@dataclass(frozen=True)
class Load:
    """/gazebo/load; every array (N,), in the order of the records.

    Attributes:
        wall_s: Wall times of the records.
        physics_s: Wall time spent in physics steps since the simulator started.
        rendering_s: Wall time spent rendering since the simulator started.
        idle_s: Wall time with neither; NaN in older bags, which lack it.
        held_s: The idle part in which lockstep held the world for the brain; likewise.
    """

    wall_s: Floats
    physics_s: Floats
    rendering_s: Floats
    idle_s: Floats
    held_s: Floats


@dataclass(frozen=True)
class Event:
    """One message of /run/event.

    Attributes:
        name: What happened: `go`, `lap`, `finish`, ...
        wall_s: Wall time of the record.
        data: The whole message, `sim_s` (simulated time) among it.
    """

    name: str
    wall_s: float
    data: Mapping[str, Any]


@dataclass(frozen=True)
class RunLog:
    """Everything that the metrics need of one run.

    Attributes:
        odometry: The car's path; never empty.
        clock: Simulated over wall time; empty if it was not recorded, or if its records are stamped
            in simulated time, as `rosbag record` does under /use_sim_time.
        iterations: The brain's iterations; empty if none was recorded.
        commands: Commands sent to the car.
        performance: The simulator's own performance figures.
        load: Where the simulator's wall time goes.
        events: The run's events, in the order of the records.
        metadata: Content of /metadata; empty if there is none.
        experiment_metrics: Content of /experiment_metrics; empty if there is none.
        camera_sim_s: (N,) simulated times of the recorded images, ascending, each once.
        contacts_sim_s: (N,) simulated times of contacts with walls.
        times: What the bag's times mean.
        camera_topic: Where the images are; None without any.
        camera_numbers: (N,) the number of each image among the messages of its topic.
        notes: Topics that were taken though they are not the usual ones, a line each.
        losses: What a damaged bag has lost, a line each; empty for a whole one.
    """

    odometry: Odometry
    clock: Clock
    iterations: Iterations
    commands: Commands
    performance: Performance
    load: Load
    events: tuple[Event, ...]
    metadata: Mapping[str, Any]
    experiment_metrics: Mapping[str, Any]
    camera_sim_s: Floats
    contacts_sim_s: Floats
    times: Times = field(default_factory=Times)
    camera_topic: str | None = None
    camera_numbers: Indices = field(default_factory=lambda: np.empty(0, np.intp))
    notes: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()

    def event_sim_s(self, name: str) -> float | None:
        """Simulated time of the first event of this name; None if there is none."""
        for event in self.events:
            if event.name == name and "sim_s" in event.data:
                return float(event.data["sim_s"])
        return None

    @property
    def go_sim_s(self) -> float:
        """Simulated time of the start: the `go` event, or else the first odometry sample."""
        go_sim_s = self.event_sim_s("go") if self.times.known else None
        return float(self.odometry.sim_s[0]) if go_sim_s is None else go_sim_s

    @property
    def finish_sim_s(self) -> float:
        """Simulated time of the end: the `finish` event, or else the last odometry sample."""
        finish_sim_s = self.event_sim_s("finish") if self.times.known else None
        return float(self.odometry.sim_s[-1]) if finish_sim_s is None else finish_sim_s


def odometry_sha256(log: RunLog, finish_sim_s: float | None = None) -> str:
    """Fingerprint of the driven line: equal for two runs that drove the same lap bit for bit.

    Args:
        log: The run.
        finish_sim_s: Simulated time of the last sample that counts; the log's own by default.

    Returns:
        SHA-256 (hex) over the odometry samples from go to finish, in order: stamp, x, y, yaw,
        each as little-endian float64.
    """
    odometry = log.odometry
    last_s = log.finish_sim_s if finish_sim_s is None else finish_sim_s
    driven = (odometry.sim_s >= log.go_sim_s) & (odometry.sim_s <= last_s)
    samples = np.column_stack([odometry.sim_s, odometry.x_m, odometry.y_m, odometry.yaw_rad])
    return hashlib.sha256(samples[driven].astype("<f8").tobytes()).hexdigest()


def commands_sha256(log: RunLog, finish_sim_s: float | None = None) -> str | None:
    """Fingerprint of what the brain saw and answered in lockstep; None in real time.

    Args:
        log: The run.
        finish_sim_s: Simulated time of the last frame that counts; the log's own by default.

    Returns:
        SHA-256 (hex) over the iterations from go to finish, in order: stamp and CRC-32 of the
        frame, speed, yaw rate, time of effect, each as little-endian float64.
    """
    seen = log.iterations
    last_s = log.finish_sim_s if finish_sim_s is None else finish_sim_s
    driven = (seen.frame_sim_s >= log.go_sim_s) & (seen.frame_sim_s <= last_s)
    if not driven.any() or np.isnan(seen.effective_sim_s[driven]).any():
        return None
    samples = np.column_stack(
        [seen.frame_sim_s, seen.frame_crc32, seen.v_m_s, seen.w_rad_s, seen.effective_sim_s]
    )
    return hashlib.sha256(samples[driven].astype("<f8").tobytes()).hexdigest()
