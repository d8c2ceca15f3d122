"""Follows a lap live, along the centreline, and decides how driving ended. No ROS.

Progress is arc length along the centreline in the driving direction, counted from the start
station. Each odometry sample is projected only near the last one, so that a leg of the circuit
that runs close beside another can't be mistaken for it.
"""

import itertools
import math
from collections import deque
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from harness.errors import UsageError
from worlds.centreline import Centreline
from worlds.circuit import Circuit

DrivingOutcome = Literal["completed", "off_track", "stuck", "wrong_way", "timeout"]


@dataclass(frozen=True)
class LapLimits:
    """When a run is over without having been completed.

    Attributes:
        asphalt_width_m: The car is off the track when its centre is farther than half of this
            from the centreline.
        timeout_s: Simulated seconds from go in which all laps must be done.
        stuck_progress_m: The car is stuck when its progress changes by less than this ...
        stuck_time_s: ... within this many simulated seconds. Judged from the pose: the odometry's
            twist may go on showing the commanded speed while a wall holds the car.
        wrong_way_m: The car drives the wrong way when its progress falls this far behind its
            maximum.
    """

    asphalt_width_m: float
    timeout_s: float
    stuck_progress_m: float = 0.5
    stuck_time_s: float = 3.0
    wrong_way_m: float = 5.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0.0:
                raise UsageError(f"{name} must be greater than 0, not {value}")

    @classmethod
    def of_circuit(cls, circuit: Circuit, laps: int, timeout_s: float | None = None) -> Self:
        """A circuit's limits: for so many laps its own time limit, unless another is given."""
        limit_s = laps * circuit.time_limit_s if timeout_s is None else timeout_s
        return cls(asphalt_width_m=circuit.asphalt_width_m, timeout_s=limit_s)


@dataclass(frozen=True)
class LapState:
    """Where the car is on its way, after one odometry sample.

    Attributes:
        sim_s: Simulated time of the sample.
        progress_m: Distance along the centreline from the start station, over all laps; falls
            when the car goes back.
        lap: Laps completed.
        lap_fraction: Share of the current lap that is driven, 0 to 1 (1 once completed).
        lateral_m: Distance from the centreline, positive to the left of the driving direction.
        heading_error_rad: Car's yaw less the centreline's heading, in [-pi, pi].
        lap_times_s: Simulated time of each completed lap, in seconds.
        outcome: How driving ended; None while it is undecided. Never changes once decided.
        outcome_reason: The outcome in words; empty while undecided.
        end_sim_s: Simulated time at which the outcome fell (for `completed` the interpolated
            crossing of the line); None while undecided.
    """

    sim_s: float
    progress_m: float
    lap: int
    lap_fraction: float
    lateral_m: float
    heading_error_rad: float
    lap_times_s: tuple[float, ...]
    outcome: DrivingOutcome | None
    outcome_reason: str
    end_sim_s: float | None


class LapTracker:
    """Follows the car round the circuit and decides the outcome of driving, once."""

    def __init__(
        self, centreline: Centreline, start_station_m: float, laps: int, limits: LapLimits
    ) -> None:
        """Create a tracker; `go` starts it.

        Args:
            centreline: The circuit's centreline in the driving direction.
            start_station_m: Station of the start and finish line on that centreline.
            laps: Laps to drive, at least 1.
            limits: When the run is over otherwise.

        Raises:
            UsageError: Fewer than 1 lap.
        """
        if laps < 1:
            raise UsageError(f"laps must be at least 1, not {laps}")
        self._centreline = centreline
        self._start_station_m = start_station_m
        self._laps = laps
        self._limits = limits
        self._go_sim_s: float | None = None
        self._station_m = start_station_m
        self._progress_m = 0.0
        self._max_progress_m = 0.0
        self._crossings_s: list[float] = []
        self._recent: deque[tuple[float, float]] = deque()
        self._state: LapState | None = None

    @property
    def state(self) -> LapState | None:
        """The state after the last sample; None before the first."""
        return self._state

    def go(self, sim_s: float, x_m: float, y_m: float) -> None:
        """Start the lap: from now on the time counts.

        Args:
            sim_s: Simulated time of the start.
            x_m: Car's position, east.
            y_m: Car's position, north.

        Raises:
            UsageError: Called twice.
        """
        if self._go_sim_s is not None:
            raise UsageError("this lap has already been started")
        self._go_sim_s = sim_s
        near = self._centreline.project(np.array([x_m, y_m]), near_s_m=self._start_station_m)
        self._station_m = near.s_m
        self._progress_m = self._wrapped(near.s_m - self._start_station_m)
        self._max_progress_m = self._progress_m
        self._recent.append((sim_s, self._progress_m))

    def update(self, sim_s: float, x_m: float, y_m: float, yaw_rad: float) -> LapState:
        """Take one odometry sample after go.

        Args:
            sim_s: Simulated time of the sample; not earlier than the one before.
            x_m: Car's position, east.
            y_m: Car's position, north.
            yaw_rad: Car's heading, counter-clockwise from east.

        Returns:
            The state after this sample. Once an outcome is decided, that same final state.

        Raises:
            UsageError: Called before `go`.
        """
        if self._go_sim_s is None:
            raise UsageError("call go() before update()")
        if self._state is not None and self._state.outcome is not None:
            return self._state
        before_s, before_m = self._recent[-1]
        near = self._centreline.project(np.array([x_m, y_m]), near_s_m=self._station_m)
        self._progress_m += self._wrapped(near.s_m - self._station_m)
        self._station_m = near.s_m
        self._max_progress_m = max(self._max_progress_m, self._progress_m)
        self._recent.append((sim_s, self._progress_m))
        self._count_crossings(before_s, before_m, sim_s)
        # Not near.lateral_m: at the edge of the projection's window that is no distance.
        nearest = np.asarray(self._centreline.position(near.s_m), dtype=np.float64)
        distance_m = math.hypot(x_m - float(nearest[0]), y_m - float(nearest[1]))
        outcome, reason, end_sim_s = self._decide(self._go_sim_s, sim_s, distance_m)
        heading_rad = float(self._centreline.heading(near.s_m))
        marks = (self._go_sim_s, *self._crossings_s)
        length_m = self._centreline.length_m
        self._state = LapState(
            sim_s=sim_s,
            progress_m=self._progress_m,
            lap=len(self._crossings_s),
            lap_fraction=1.0
            if outcome == "completed"
            else min(max(self._progress_m / length_m - len(self._crossings_s), 0.0), 1.0),
            lateral_m=near.lateral_m,
            heading_error_rad=math.remainder(yaw_rad - heading_rad, math.tau),
            lap_times_s=tuple(b - a for a, b in itertools.pairwise(marks)),
            outcome=outcome,
            outcome_reason=reason,
            end_sim_s=end_sim_s,
        )
        return self._state

    def _wrapped(self, difference_m: float) -> float:
        """A difference of stations as the shorter way round."""
        return math.remainder(difference_m, self._centreline.length_m)

    def _count_crossings(self, before_s: float, before_m: float, sim_s: float) -> None:
        """Count the line's crossings since the sample before, interpolated in time."""
        while len(self._crossings_s) < self._laps:
            line_m = (len(self._crossings_s) + 1) * self._centreline.length_m
            if not before_m < line_m <= self._progress_m:
                return
            share = (line_m - before_m) / (self._progress_m - before_m)
            self._crossings_s.append(before_s + share * (sim_s - before_s))

    def _decide(
        self, go_sim_s: float, sim_s: float, distance_m: float
    ) -> tuple[DrivingOutcome | None, str, float | None]:
        """The outcome after a sample, with its reason and time; the earliest event wins."""
        limits = self._limits
        deadline_s = go_sim_s + limits.timeout_s
        done = len(self._crossings_s) == self._laps
        if done and self._crossings_s[-1] <= deadline_s:
            return "completed", f"{self._laps} of {self._laps} laps", self._crossings_s[-1]
        if sim_s > deadline_s:
            reason = (
                f"{self._progress_m:.1f} m in {limits.timeout_s:g} simulated s"
                f" ({len(self._crossings_s)} of {self._laps} laps)"
            )
            return "timeout", reason, sim_s
        if distance_m > limits.asphalt_width_m / 2.0:
            reason = (
                f"{distance_m:.2f} m from the centreline at {self._progress_m:.1f} m"
                f" (the asphalt ends at {limits.asphalt_width_m / 2.0:.2f} m)"
            )
            return "off_track", reason, sim_s
        if self._progress_m < self._max_progress_m - limits.wrong_way_m:
            reason = (
                f"{self._max_progress_m - self._progress_m:.1f} m back"
                f" from {self._max_progress_m:.1f} m"
            )
            return "wrong_way", reason, sim_s
        if self._is_stuck(sim_s):
            reason = (
                f"less than {limits.stuck_progress_m:g} m in {limits.stuck_time_s:g} simulated s"
                f" at {self._progress_m:.1f} m"
            )
            return "stuck", reason, sim_s
        return None, "", None

    def _is_stuck(self, sim_s: float) -> bool:
        """Whether the progress of the last `stuck_time_s` is too small."""
        since_s = sim_s - self._limits.stuck_time_s
        while len(self._recent) > 1 and self._recent[1][0] <= since_s:
            self._recent.popleft()
        then_s, then_m = self._recent[0]
        return then_s <= since_s and (
            abs(self._progress_m - then_m) < self._limits.stuck_progress_m
        )
