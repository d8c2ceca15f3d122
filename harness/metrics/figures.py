"""All figures of one run, computed from its log. The same path serves live runs and old bags."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from harness.errors import DataError
from harness.metrics import deviation, smoothness, timing
from harness.metrics.cost import brain_costs
from harness.metrics.deviation import Path, ReferenceLap
from harness.metrics.lap import DrivingOutcome, LapLimits, LapState, LapTracker
from harness.metrics.run_log import Odometry, RunLog, commands_sha256, odometry_sha256
from worlds.centreline import Centreline
from worlds.circuit import Circuit, Direction

Floats = NDArray[np.float64]


# The figures that need no time.
_OF_THE_LINE = (
    *("laps", "progress_m", "deviation_mae_m", "deviation_bias_m", "deviation_p50_m"),
    *("deviation_p95_m", "deviation_max_m", "deviation_published"),
    *("published_completed_distance", "published_position_deviation_mae"),
)


def _figure(description: str) -> Any:
    return Field(default=None, description=description)


class Metrics(BaseModel):
    """The figures of one run; None where a figure is undefined, never NaN.

    The figures of a run that failed are over the part that it drove.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    laps: int = Field(default=0, ge=0, description="laps completed")
    lap_time_s: float | None = _figure("mean simulated time of the completed laps")
    lap_times_s: tuple[float, ...] = Field(default=(), description="each completed lap, simulated")
    progress_m: float | None = _figure("progress along the centreline from go to the end")
    duration_sim_s: float | None = _figure("simulated time from go to the end")
    duration_wall_s: float | None = _figure("wall time from go to the end")
    average_speed_m_s: float | None = _figure("progress over simulated time")
    deviation_mae_m: float | None = _figure("mean absolute lateral offset, stations every 0.5 m")
    deviation_bias_m: float | None = _figure("mean lateral offset, positive to the left")
    deviation_p50_m: float | None = _figure("median absolute lateral offset")
    deviation_p95_m: float | None = _figure("95th percentile of the absolute lateral offset")
    deviation_max_m: float | None = _figure("greatest absolute lateral offset at a station")
    deviation_published: float | None = _figure("mean of 1000 ** metres (not metres)")
    steering_rate_rad_s2: float | None = _figure("mean |dw/dt| of the commands, simulated time")
    jerk_m_s3: float | None = _figure("mean magnitude of the jerk of the driven line")
    brain_frequency_hz: float | None = _figure("1 / mean iteration time, wall, without waiting")
    control_rate_hz: float | None = _figure("commands from new frames per simulated second")
    control_rate_wall_hz: float | None = _figure("commands from new frames per wall second")
    inference_ms_mean: float | None = _figure("the network call alone, mean")
    inference_ms_median: float | None = _figure("the network call alone, median")
    inference_ms_p95: float | None = _figure("the network call alone, 95th percentile")
    inference_ms_p99: float | None = _figure("the network call alone, 99th percentile")
    iteration_ms_median: float | None = _figure("receive to publish, median")
    harness_share_ms_median: float | None = _figure("receive to publish less inference, median")
    brain_cpu_ms: float | None = _figure("CPU time of the brain's process a frame, all threads")
    brain_rss_mib: float | None = _figure("most memory that the brain's process held, 2^20 bytes")
    brain_energy_mj: float | None = _figure("of the processor, receive to publish, mean a frame")
    camera_to_command_ms_median: float | None = _figure("frame to effect, simulated, median")
    camera_to_command_ms_p95: float | None = _figure("frame to effect, simulated, 95th percentile")
    camera_to_command_wall_ms_median: float | None = _figure("frame to effect, wall, median")
    camera_to_command_wall_ms_p95: float | None = _figure("frame to effect, wall, 95th percentile")
    real_time_factor: float | None = _figure("simulated over wall time from go to the end")
    real_time_factor_worst_second: float | None = _figure("least of any one wall second")
    rendering_share: float | None = _figure("share of the wall time spent rendering")
    physics_share: float | None = _figure("share of the wall time spent in physics steps")
    brain_share: float | None = _figure("share of the wall time spent in iterations")
    transport_share: float | None = _figure("share of the wall time held in lockstep beyond that")
    waiting_share: float | None = _figure("share of the wall time the simulator idled otherwise")
    images_per_sim_s: float | None = _figure("camera images per simulated second")
    frames_used: int | None = Field(default=0, description="frames that became a command")
    frames_missed: int | None = Field(
        default=0, description="frames that came while the brain was busy"
    )
    contact_messages: int | None = Field(default=0, description="messages of contact with a wall")
    odometry_sha256: str | None = _figure("fingerprint of the driven line, go to end")
    commands_sha256: str | None = _figure("lockstep: fingerprint of frames and commands")
    published_completed_distance: float | None = _figure("length of the driven line, m")
    published_average_speed: float | None = _figure("driven line / simulated time, m/s")
    published_position_deviation_mae: float | None = _figure("as deviation_published")
    published_brain_iterations_frequency_real_time: float | None = _figure("as brain_frequency_hz")
    published_mean_inference_time: float | None = _figure("s, without the first and last 10")
    published_suddenness_distance: float | None = _figure("mean step of the commands (v, w)")
    published_real_time_factor: float | None = _figure("mean of the simulator's own figure")

    def published(self) -> dict[str, float]:
        """The published study's names for what is known of them, as in /experiment_metrics."""
        prefix = "published_"
        values = self.model_dump(exclude_none=True)
        return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}


@dataclass(frozen=True)
class Drive:
    """A run's driving, replayed from its odometry.

    Attributes:
        path: The driven line from go to the end, projected onto the centreline.
        laps: Laps completed.
        lap_times_s: Simulated time of each of them.
        end_sim_s: Simulated time of the end: the finish, or the moment that decided, or the last
            sample.
        outcome: How driving ended; None if the odometry ends undecided.
        outcome_reason: The outcome in words.
    """

    path: Path
    laps: int
    lap_times_s: tuple[float, ...]
    end_sim_s: float
    outcome: DrivingOutcome | None
    outcome_reason: str


def replay(
    log: RunLog, centreline: Centreline, start_station_m: float, laps: int, limits: LapLimits
) -> Drive:
    """Follow the logged odometry as it was followed live.

    Where simulated time is unknown the line alone decides: nothing is too late or too slow.

    Args:
        log: The run.
        centreline: The centreline in the driving direction.
        start_station_m: Station of the start line on it.
        laps: Laps that were to be driven.
        limits: When the run is over otherwise.

    Raises:
        DataError: Fewer than two odometry samples from go on.
    """
    samples = _samples_from(log.odometry, log.go_sim_s)
    if not log.times.known:
        limits = replace(limits, timeout_s=math.inf, stuck_time_s=math.inf)
    tracker = LapTracker(centreline, start_station_m, laps, limits)
    tracker.go(float(samples[0, 0]), float(samples[0, 1]), float(samples[0, 2]))
    states: list[LapState] = []
    for sim_s, x_m, y_m, yaw_rad in samples.tolist():
        states.append(tracker.update(sim_s, x_m, y_m, yaw_rad))
        if states[-1].outcome is not None:
            break
    last = states[-1]
    driven = samples[: len(states)]
    path = Path(
        sim_s=driven[:, 0],
        x_m=driven[:, 1],
        y_m=driven[:, 2],
        progress_m=np.array([state.progress_m for state in states]),
        lateral_m=np.array([state.lateral_m for state in states]),
    )
    end_sim_s = last.sim_s if last.end_sim_s is None else last.end_sim_s
    return Drive(path, last.lap, last.lap_times_s, end_sim_s, last.outcome, last.outcome_reason)


def compute_metrics(
    log: RunLog,
    circuit: Circuit,
    direction: Direction,
    start_station_m: float,
    laps: int,
    timeout_s: float,
) -> Metrics:
    """All figures of a run.

    Args:
        log: The run.
        circuit: The circuit it drove.
        direction: The driving direction.
        start_station_m: Station of the start line on the centreline in that direction.
        laps: Laps that were to be driven.
        timeout_s: Simulated seconds allowed from go.

    Raises:
        DataError: Fewer than two odometry samples from go on.
    """
    centreline = circuit.centreline(direction)
    limits = LapLimits.of_circuit(circuit, laps, timeout_s)
    drive = replay(log, centreline, start_station_m, laps, limits)
    return metrics_of_drive(log, drive, centreline, start_station_m)


def metrics_of_drive(
    log: RunLog, drive: Drive, centreline: Centreline, start_station_m: float
) -> Metrics:
    """All figures of a run whose driving was replayed.

    Args:
        log: The run.
        drive: Its driving.
        centreline: The centreline in the driving direction.
        start_station_m: Station of the start line on it.
    """
    driving = _driving(drive, centreline, start_station_m)
    if not log.times.known:
        return Metrics(**_without_simulated_time(log, drive, driving))
    figures: dict[str, Any] = {
        **driving,
        **_brain(log, drive),
        **_simulator(log, drive),
        "jerk_m_s3": smoothness.jerk_m_s3(drive.path.sim_s, drive.path.x_m, drive.path.y_m),
        "odometry_sha256": odometry_sha256(log, drive.end_sim_s),
        "commands_sha256": commands_sha256(log, drive.end_sim_s),
    }
    return Metrics(**figures)


@dataclass(frozen=True)
class ReferenceDeviation:
    """How far the driven line lies from a reference lap, as the published study measures it.

    Attributes:
        points: Points of the reference that the car passed, once a lap each.
        deviation: Mean of 1000 ** metres over them.
        floor: The same of a car exactly on the centreline: 1 only if the points lie on it.
    """

    points: int
    deviation: float
    floor: float


def deviation_from_reference(
    drive: Drive, centreline: Centreline, start_station_m: float, lap: ReferenceLap
) -> ReferenceDeviation | None:
    """The published deviation against a reference lap; None if the car passed no point of it.

    Args:
        drive: The run's driving.
        centreline: The centreline in the driving direction.
        start_station_m: Station of the start line on it.
        lap: The reference, placed on that centreline.
    """
    along_m = (lap.stations_m - start_station_m) % centreline.length_m
    end_m = _end_m(drive, centreline)
    passed, progress_m = deviation.passages(drive.path, along_m, centreline.length_m, end_m)
    if passed.size == 0:
        return None
    distances_m = deviation.reference_distances(drive.path, lap.points_m[passed], progress_m)
    return ReferenceDeviation(
        points=passed.size,
        deviation=deviation.published_deviation(distances_m),
        floor=deviation.published_deviation(lap.away_m[passed]),
    )


def earlier_definitions(log: RunLog, drive: Drive) -> dict[str, Any]:
    """Figures that had another definition before, by that definition: recordings hold them so.

    The iterations of `published_brain_iterations_frequency_real_time` were trimmed as the study
    trims inferences, which it does not do with iterations. Wall time began not at go, but at the
    simulator's last word before it.
    """
    then = timing.run_wall_s_until_2026_11_29
    figures = _simulator(log, drive, then)
    if "control_rate_wall_hz" in (brain := _brain(log, drive, then)):
        figures["control_rate_wall_hz"] = brain["control_rate_wall_hz"]
    go_sim_s = float(drive.path.sim_s[0])
    iterations = timing.iterations_between(log.iterations, go_sim_s, drive.end_sim_s)
    kept_ms = timing.trimmed(timing.iteration_ms(iterations))
    if kept_ms.size and kept_ms.mean() > 0.0:
        frequency_hz = 1e3 / float(kept_ms.mean())
        figures["published_brain_iterations_frequency_real_time"] = frequency_hz
    return figures


def _end_m(drive: Drive, centreline: Centreline) -> float:
    """Progress at the end: whole laps of a completed run."""
    if drive.outcome == "completed":
        return drive.laps * centreline.length_m
    return float(drive.path.progress_m[-1])


def _samples_from(odometry: Odometry, go_sim_s: float) -> Floats:
    """Samples (N, 4) of time, x, y, yaw from go on, each time once."""
    columns = (odometry.sim_s, odometry.x_m, odometry.y_m, odometry.yaw_rad)
    samples = np.column_stack(columns)
    if not np.isfinite(samples).all():
        raise DataError("the odometry holds values that are not numbers")
    _, first = np.unique(samples[:, 0], return_index=True)
    samples = samples[first]
    # The pose at go is the last one known by then.
    at_go = max(int(np.searchsorted(samples[:, 0], go_sim_s, side="right")) - 1, 0)
    samples = samples[at_go:].copy()
    if len(samples) < 2:
        raise DataError("the bag ends before the car could move: fewer than 2 odometry samples")
    if samples[0, 0] <= go_sim_s:
        samples[0, 0] = go_sim_s
        return samples
    # The simulator stood still until go: its first sample comes after, and tells the place.
    at_rest = np.concatenate([[go_sim_s], samples[0, 1:]])
    return np.vstack([at_rest, samples])


def _driving(drive: Drive, centreline: Centreline, start_station_m: float) -> dict[str, Any]:
    """Figures of the driven line."""
    path = drive.path
    end_m = _end_m(drive, centreline)
    duration_s = drive.end_sim_s - float(path.sim_s[0])
    progress_m = end_m - float(path.progress_m[0])
    length_m = float(np.hypot(np.diff(path.x_m), np.diff(path.y_m)).sum())
    path_duration_s = float(path.sim_s[-1] - path.sim_s[0])
    figures: dict[str, Any] = {
        "laps": drive.laps,
        "lap_times_s": drive.lap_times_s,
        "lap_time_s": math.fsum(drive.lap_times_s) / drive.laps if drive.laps else None,
        "progress_m": progress_m,
        "duration_sim_s": duration_s,
        "average_speed_m_s": progress_m / duration_s if duration_s > 0.0 else None,
        "published_completed_distance": length_m,
        "published_average_speed": length_m / path_duration_s if path_duration_s > 0.0 else None,
    }
    stations_m = deviation.passed_stations(path, end_m)
    if stations_m.size == 0:
        return figures
    lateral_m = deviation.lateral_at(path, stations_m)
    p50, p95 = np.percentile(np.abs(lateral_m), [50.0, 95.0])
    references_m = centreline.position(start_station_m + stations_m)
    distances_m = deviation.reference_distances(path, references_m, stations_m)
    published = deviation.published_deviation(distances_m)
    return figures | {
        "deviation_mae_m": float(np.abs(lateral_m).mean()),
        "deviation_bias_m": float(lateral_m.mean()),
        "deviation_p50_m": float(p50),
        "deviation_p95_m": float(p95),
        "deviation_max_m": float(np.abs(lateral_m).max()),
        "deviation_published": published,
        "published_position_deviation_mae": published,
    }


def _without_simulated_time(log: RunLog, drive: Drive, driving: dict[str, Any]) -> dict[str, Any]:
    """What is left of the figures where simulated time is unknown: those of the line alone."""
    figures = {name: value for name, value in driving.items() if name in _OF_THE_LINE}
    counts = dict.fromkeys(("frames_used", "frames_missed", "contact_messages"))
    wall_s = drive.end_sim_s - float(drive.path.sim_s[0])
    return figures | counts | {"duration_wall_s": wall_s if log.times.kind == "wall" else None}


def _brain(
    log: RunLog, drive: Drive, run_wall: timing.RunWall = timing.run_wall_s
) -> dict[str, Any]:
    """Figures of the brain's iterations."""
    go_sim_s = float(drive.path.sim_s[0])
    iterations = timing.iterations_between(log.iterations, go_sim_s, drive.end_sim_s)
    if iterations.frame_sim_s.size == 0:
        return {}
    frames = timing.distinct_frames(iterations)
    inference_ms = timing.inference_ms(iterations)
    inference = timing.summary(inference_ms)
    kept_inference_ms = timing.trimmed(inference_ms)
    frequency_hz = timing.brain_frequency_hz(iterations)
    sim_ms, wall_ms = timing.camera_to_command_ms(log.clock, iterations)
    sim, wall = timing.summary(sim_ms), timing.summary(wall_ms)
    duration_s = drive.end_sim_s - go_sim_s
    duration_wall_s = _duration_wall_s(log, drive, run_wall)
    return {
        "brain_frequency_hz": frequency_hz,
        "control_rate_hz": frames / duration_s if duration_s > 0.0 else None,
        "control_rate_wall_hz": frames / duration_wall_s if duration_wall_s else None,
        "inference_ms_mean": inference.mean if inference else None,
        "inference_ms_median": inference.median if inference else None,
        "inference_ms_p95": inference.p95 if inference else None,
        "inference_ms_p99": inference.p99 if inference else None,
        "iteration_ms_median": float(np.median(timing.iteration_ms(iterations))),
        "harness_share_ms_median": float(np.median(timing.harness_share_ms(iterations))),
        "camera_to_command_ms_median": sim.median if sim else None,
        "camera_to_command_ms_p95": sim.p95 if sim else None,
        "camera_to_command_wall_ms_median": wall.median if wall else None,
        "camera_to_command_wall_ms_p95": wall.p95 if wall else None,
        "frames_used": frames,
        "frames_missed": int(iterations.frames_missed.sum()),
        "published_mean_inference_time": float(kept_inference_ms.mean()) / 1e3
        if kept_inference_ms.size
        else None,
        "published_brain_iterations_frequency_real_time": frequency_hz,
        "steering_rate_rad_s2": smoothness.steering_rate_rad_s2(iterations),
        "published_suddenness_distance": smoothness.suddenness_distance(iterations),
        **brain_costs(iterations),
    }


def _simulator(
    log: RunLog, drive: Drive, run_wall: timing.RunWall = timing.run_wall_s
) -> dict[str, Any]:
    """Figures of the simulator: pace, images, contacts."""
    go_sim_s, end_sim_s = float(drive.path.sim_s[0]), drive.end_sim_s
    iterations = timing.iterations_between(log.iterations, go_sim_s, end_sim_s)
    images_s, contacts_s = log.camera_sim_s, log.contacts_sim_s
    figures: dict[str, Any] = {
        "duration_wall_s": _duration_wall_s(log, drive, run_wall),
        "real_time_factor": timing.real_time_factor(log.clock, go_sim_s, end_sim_s, run_wall),
        "real_time_factor_worst_second": timing.worst_second_factor(
            log.clock, go_sim_s, end_sim_s, run_wall
        ),
        "images_per_sim_s": timing.images_per_sim_s(
            images_s[(images_s >= go_sim_s) & (images_s <= end_sim_s)], iterations
        ),
        "contact_messages": int(((contacts_s >= go_sim_s) & (contacts_s <= end_sim_s)).sum()),
    }
    if log.clock.sim_s.size:
        first_s, last_s = run_wall(log.clock, go_sim_s, end_sim_s)
        wall_s = log.performance.wall_s
        own = log.performance.real_time_factor[(wall_s >= first_s) & (wall_s <= last_s)]
        figures["published_real_time_factor"] = float(own.mean()) if own.size else None
        figures |= timing.wall_shares(log.load, log.iterations, first_s, last_s)
    return figures


def _duration_wall_s(log: RunLog, drive: Drive, run_wall: timing.RunWall) -> float | None:
    """Wall time from go to the end; None if the bag has no clock."""
    if log.clock.sim_s.size < 2:
        return None
    first_s, last_s = run_wall(log.clock, float(drive.path.sim_s[0]), drive.end_sim_s)
    return last_s - first_s
