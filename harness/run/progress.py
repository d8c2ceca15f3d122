"""The line on the terminal while a run drives: how far, how fast, how near the line. No ROS."""

import math

from harness.metrics.lap import LapState


class Progress:
    """Makes a line of each state of the lap, at most once a second of wall time."""

    _PERIOD_S = 1.0

    def __init__(self, laps: int) -> None:
        self._laps = laps
        self._shown_s = -math.inf
        self._start: tuple[float, float] | None = None
        self._deviation_sum_m = 0.0
        self._samples = 0

    def line(self, state: LapState, sim_s: float, now_s: float) -> str | None:
        """The line for a state, or None where the last one is too fresh.

        Args:
            state: of the lap.
            sim_s: simulated time.
            now_s: wall time, monotonic.
        """
        self._samples += 1
        self._deviation_sum_m += abs(state.lateral_m)
        if self._start is None:
            self._start = (now_s, sim_s)
        if now_s - self._shown_s < self._PERIOD_S and state.outcome is None:
            return None
        self._shown_s = now_s
        wall_s, driven_s = now_s - self._start[0], sim_s - self._start[1]
        speed_m_s = state.progress_m / driven_s if driven_s > 0 else 0.0
        pace = driven_s / wall_s if wall_s > 0 else 0.0
        return (
            f"lap {min(state.lap + 1, self._laps)}/{self._laps} {state.lap_fraction:4.0%}  "
            f"{driven_s:6.1f} s  mean {speed_m_s:5.2f} m/s  "
            f"deviation {self._deviation_sum_m / self._samples:.3f} m  RTF {pace:.2f}"
        )
