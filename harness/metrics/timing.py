"""Times and rates of a run: simulator, camera, brain, and what lies between them."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from harness.metrics.run_log import Clock, Iterations, Load

Floats = NDArray[np.float64]

# The published study leaves out this many inferences at either end.
PUBLISHED_TRIM = 10


@dataclass(frozen=True)
class Summary:
    """A distribution in four figures, in the unit of its values."""

    mean: float
    median: float
    p95: float
    p99: float


def summary(values: Floats) -> Summary | None:
    """Mean, median and upper percentiles (linear interpolation) of values (N,); None if none."""
    if values.size == 0:
        return None
    median, p95, p99 = np.percentile(values, [50.0, 95.0, 99.0])
    return Summary(float(values.mean()), float(median), float(p95), float(p99))


def iterations_between(iterations: Iterations, go_sim_s: float, end_sim_s: float) -> Iterations:
    """The iterations whose frames are stamped from go to the end of the run."""
    stamps = iterations.frame_sim_s
    chosen = (stamps >= go_sim_s) & (stamps <= end_sim_s)
    columns = {f.name: getattr(iterations, f.name)[chosen] for f in fields(iterations)}
    return replace(iterations, **columns)


def inference_ms(iterations: Iterations) -> Floats:
    """Duration (N,) of the network call alone."""
    return (iterations.infer_end_s - iterations.infer_start_s) * 1e3


def iteration_ms(iterations: Iterations) -> Floats:
    """Duration (N,) from receiving the frame to sending the command."""
    return (iterations.publish_s - iterations.receive_s) * 1e3


def harness_share_ms(iterations: Iterations) -> Floats:
    """What the harness adds (N,): the iteration less the network call."""
    return iteration_ms(iterations) - inference_ms(iterations)


def brain_frequency_hz(iterations: Iterations) -> float | None:
    """1 / mean iteration time in wall time, without waiting for a frame, as published."""
    durations_ms = iteration_ms(iterations)
    mean_ms = float(durations_ms.mean()) if durations_ms.size else 0.0
    return 1e3 / mean_ms if mean_ms > 0.0 else None


def trimmed(values: Floats, count: int = PUBLISHED_TRIM) -> Floats:
    """Values (N,) without the first and last `count`, as published; none if too few."""
    return values[count : max(count, len(values) - count)]


def distinct_frames(iterations: Iterations) -> int:
    """Number of iterations that used a new frame."""
    return int(np.unique(iterations.frame_sim_s).size)


def images_per_sim_s(camera_sim_s: Floats, iterations: Iterations) -> float | None:
    """Images that the camera gave per simulated second.

    From the recorded images' stamps if there are any, else from the brain's: frames it used and
    frames it reports as missed.

    Args:
        camera_sim_s: Stamps (N,) of the recorded images within the run, ascending.
        iterations: The brain's iterations within the run.
    """
    if camera_sim_s.size >= 2:
        return float((camera_sim_s.size - 1) / (camera_sim_s[-1] - camera_sim_s[0]))
    stamps = np.unique(iterations.frame_sim_s)
    if stamps.size < 2:
        return None
    images = stamps.size - 1 + float(iterations.frames_missed[1:].sum())
    return images / float(stamps[-1] - stamps[0])


def wall_at(clock: Clock, sim_s: Floats | float) -> Floats:
    """Wall time at which the simulation reached a simulated time, by the recorded clock."""
    reached = np.concatenate([[True], np.diff(np.maximum.accumulate(clock.sim_s)) > 0.0])
    return np.asarray(np.interp(sim_s, clock.sim_s[reached], clock.wall_s[reached]))


def run_wall_s(clock: Clock, go_sim_s: float, end_sim_s: float) -> tuple[float, float]:
    """Wall times of go and of the end, by the recorded clock.

    The simulator stands paused before go, and may after the end: go is when simulated time began
    to move, the end when it first reached it. Our simulator says its time once while it is paused
    and then at every 10 ms, so that no message tells of the moment in which it goes on: it is as
    long before the first message beyond go as the pace up to the next one says.
    """
    return _go_wall_s(clock, go_sim_s), float(wall_at(clock, end_sim_s))


def _go_wall_s(clock: Clock, go_sim_s: float) -> float:
    beyond = np.flatnonzero(clock.sim_s > go_sim_s)
    if beyond.size == 0:
        return float(clock.wall_s[-1])
    first = int(beyond[0])
    if first == 0:
        return float(clock.wall_s[0])
    next_ = beyond[clock.sim_s[beyond] > clock.sim_s[first]]
    if next_.size == 0:
        return float(clock.wall_s[first - 1])
    passed_wall_s = clock.wall_s[next_[0]] - clock.wall_s[first]
    pace = passed_wall_s / (clock.sim_s[next_[0]] - clock.sim_s[first])
    began_s = clock.wall_s[first] - pace * (clock.sim_s[first] - go_sim_s)
    return float(max(began_s, clock.wall_s[first - 1]))


def run_wall_s_until_2026_11_29(
    clock: Clock, go_sim_s: float, end_sim_s: float
) -> tuple[float, float]:
    """As `run_wall_s`, but go was the last message at its simulated time.

    That counted the time from the simulator's start to go, for the clock is silent then.
    """
    left = np.concatenate([np.diff(clock.sim_s) > 0.0, [True]])
    go_wall_s = float(np.interp(go_sim_s, clock.sim_s[left], clock.wall_s[left]))
    return go_wall_s, float(wall_at(clock, end_sim_s))


RunWall = Callable[[Clock, float, float], tuple[float, float]]
"""`run_wall_s`, or what it was."""


def sim_at(clock: Clock, wall_s: Floats | float) -> Floats:
    """Simulated time at a wall time, by the recorded clock."""
    return np.asarray(np.interp(wall_s, clock.wall_s, clock.sim_s))


def real_time_factor(
    clock: Clock, go_sim_s: float, end_sim_s: float, run_wall: RunWall = run_wall_s
) -> float | None:
    """Simulated time over wall time from go to the end of the run."""
    if clock.sim_s.size < 2:
        return None
    first_s, last_s = max(go_sim_s, clock.sim_s[0]), min(end_sim_s, clock.sim_s[-1])
    go_wall_s, end_wall_s = run_wall(clock, first_s, last_s)
    wall_s = end_wall_s - go_wall_s
    return float(last_s - first_s) / wall_s if wall_s > 0.0 else None


def worst_second_factor(
    clock: Clock, go_sim_s: float, end_sim_s: float, run_wall: RunWall = run_wall_s
) -> float | None:
    """The least simulated time that any one wall second of the run brought.

    The second may begin at any clock message; None for runs shorter than a wall second.
    """
    if clock.sim_s.size < 2:
        return None
    first_s, last_s = run_wall(clock, go_sim_s, end_sim_s)
    starts_s = clock.wall_s[(clock.wall_s >= first_s) & (clock.wall_s <= last_s - 1.0)]
    if starts_s.size == 0:
        return None
    return float((sim_at(clock, starts_s + 1.0) - sim_at(clock, starts_s)).min())


def factor_by_second(clock: Clock, go_sim_s: float, end_sim_s: float) -> Floats:
    """Real-time factor (N,) of each whole wall second of the run; empty without a clock."""
    if clock.sim_s.size < 2:
        return np.empty(0)
    first_s, last_s = run_wall_s(clock, go_sim_s, end_sim_s)
    wall_s = first_s + np.arange(int(last_s - first_s) + 1, dtype=np.float64)
    return np.diff(sim_at(clock, wall_s))


def camera_to_command_ms(clock: Clock, iterations: Iterations) -> tuple[Floats, Floats]:
    """From each frame's stamp to its command's effect: simulated and wall milliseconds (N,).

    With a simulated latency (lockstep) the command's effect is its `effective_sim_s`. In real
    time it takes effect when it is sent, whose simulated time is read off the recorded clock. The
    monotonic times of an iteration are brought to the bag's wall clock by the least difference
    between a record's time and its iteration's sending: the transport of the quickest record is
    thereby counted in, about a millisecond.

    Returns:
        Two arrays (N,); both empty if the bag has no clock.
    """
    if clock.sim_s.size < 2 or iterations.wall_s.size == 0:
        return np.empty(0), np.empty(0)
    offset_s = float((iterations.wall_s - iterations.publish_s).min())
    sent_wall_s = iterations.publish_s + offset_s
    effective_s = iterations.effective_sim_s
    simulated = ~np.isnan(effective_s)
    effect_sim_s = np.where(simulated, effective_s, sim_at(clock, sent_wall_s))
    effect_wall_s = np.where(simulated, wall_at(clock, effective_s), sent_wall_s)
    frame_wall_s = wall_at(clock, iterations.frame_sim_s)
    sim_ms = (effect_sim_s - iterations.frame_sim_s) * 1e3
    return sim_ms, (effect_wall_s - frame_wall_s) * 1e3


SHARES = tuple(
    f"{what}_share" for what in ("rendering", "physics", "brain", "transport", "waiting")
)
"""Names of the figures of `wall_shares`."""


def wall_shares(
    load: Load, iterations: Iterations, first_wall_s: float, last_wall_s: float
) -> dict[str, float | None]:
    """Where the wall time of a run went: rendering, physics, brain, transport and waiting.

    Transport is what lockstep held the world for beyond the brain's iterations: messages on their
    way and threads waking up. Waiting is the simulator's other idle time (in real time: for the
    clock on the wall). The shares add up to more than 1 where two go on at the same time.

    Args:
        load: The simulator's own account, one sample a wall second.
        iterations: The brain's iterations.
        first_wall_s: Wall time of go.
        last_wall_s: Wall time of the end.

    Returns:
        Each share, None where the log lacks it.
    """
    shares: dict[str, float | None] = dict.fromkeys(SHARES)
    within = (load.wall_s >= first_wall_s) & (load.wall_s <= last_wall_s)
    answered = (iterations.wall_s >= first_wall_s) & (iterations.wall_s <= last_wall_s)
    if answered.any():
        busy_s = float((iterations.publish_s - iterations.receive_s)[answered].sum())
        shares["brain_share"] = busy_s / (last_wall_s - first_wall_s)
    if within.sum() < 2:
        return shares
    span_s = np.ptp(load.wall_s[within])
    rendering, physics, idle, held = (
        float(np.ptp(spent_s[within]) / span_s)
        for spent_s in (load.rendering_s, load.physics_s, load.idle_s, load.held_s)
    )
    shares |= {"rendering_share": rendering, "physics_share": physics}
    if np.isfinite(idle):
        transport = max(0.0, held - (shares["brain_share"] or 0.0))
        shares |= {"transport_share": transport, "waiting_share": idle - held}
    return shares
