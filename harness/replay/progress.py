"""The line on the terminal while a replay goes on. No ROS."""

import math


class ReplayProgress:
    """Makes a line of how far a replay is, at most once a second of wall time."""

    _PERIOD_S = 1.0

    def __init__(self, frames: int, now_s: float) -> None:
        self._frames = frames
        self._start_s = now_s
        self._shown_s = -math.inf

    def line(self, answered: int, now_s: float) -> str | None:
        """The line for so many answered frames, or None where the last one is too fresh.

        Args:
            answered: frames answered so far.
            now_s: wall time, monotonic.
        """
        if now_s - self._shown_s < self._PERIOD_S and answered < self._frames:
            return None
        self._shown_s = now_s
        rate_hz = answered / (now_s - self._start_s) if now_s > self._start_s else 0.0
        share = answered / self._frames
        return f"frame {answered}/{self._frames} {share:4.0%}  {rate_hz:6.1f} frames/s"
