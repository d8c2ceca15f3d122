"""Arithmetic of lockstep: when a command takes effect and how far the simulator may run. No ROS."""

import json
from pathlib import Path
from typing import Protocol

import numpy as np

from harness.errors import DataError, UsageError


class LatencyModel(Protocol):
    """Gives the simulated latency of one answer."""

    def draw_s(self, measured_s: float) -> float:
        """Latency in seconds of the next answer, which took `measured_s` on this machine."""


class MeasuredLatency:
    """This machine's own latency, frame by frame."""

    def draw_s(self, measured_s: float) -> float:
        """The measured one."""
        return measured_s


class FixedLatency:
    """The same latency for every frame."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s

    def draw_s(self, measured_s: float) -> float:
        """The fixed one."""
        del measured_s
        return self._latency_s


class ProfileLatency:
    """Latencies drawn, with a seed, from those measured on some computer."""

    def __init__(self, latencies_s: list[float], seed: int) -> None:
        self._latencies_s = np.asarray(latencies_s, dtype=np.float64)
        self._random = np.random.default_rng(seed)

    def draw_s(self, measured_s: float) -> float:
        """The next one of the profile."""
        del measured_s
        return float(self._random.choice(self._latencies_s))


def parse_latency(text: str, seed: int) -> LatencyModel:
    """Latency model of `measured`, `fixed:<ms>` or `profile:<file>`.

    Raises:
        UsageError: none of these.
        DataError: the profile is missing or broken.
    """
    kind, _, value = text.partition(":")
    if text == "measured":
        return MeasuredLatency()
    if kind == "fixed":
        try:
            latency_ms = float(value)
        except ValueError:
            latency_ms = -1.0
        if not 0.0 <= latency_ms < 10_000.0:
            raise UsageError(f"latency: {text!r}: fixed:<ms> takes 0 to 10000 milliseconds")
        return FixedLatency(latency_ms / 1e3)
    if kind == "profile":
        return ProfileLatency(read_profile(Path(value)), seed)
    raise UsageError(f"latency: {text!r} is none of measured, fixed:<ms>, profile:<file>")


def read_profile(path: Path) -> list[float]:
    """Latencies in seconds of a profile file (JSON with `latency_ms`, a list).

    Raises:
        DataError: missing, not JSON, or without sensible latencies.
    """
    try:
        values = json.loads(path.read_text())["latency_ms"]
        latencies_s = [float(value) / 1e3 for value in values]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a latency profile ({type(error).__name__}: {error})"
        ) from None
    if not latencies_s or not all(0.0 <= value < 10.0 for value in latencies_s):
        raise DataError(f"{path}: latency_ms must hold values from 0 to 10000, and at least one")
    return latencies_s


class LockstepClock:
    """Bookkeeping of simulated time for one brain; all times are integer nanoseconds."""

    def __init__(self, camera_period_ns: int, latency: LatencyModel) -> None:
        self._period_ns = camera_period_ns
        self._latency = latency
        self._busy_until_ns = 0
        self.missed = 0

    @property
    def first_horizon_ns(self) -> int:
        """Where the first frame waits."""
        return self._period_ns

    def is_busy(self, stamp_ns: int) -> bool:
        """Whether the brain still thinks about an earlier frame when this one arrives."""
        return stamp_ns < self._busy_until_ns

    def miss(self) -> None:
        """Counts a frame that found the brain busy."""
        self.missed += 1

    def answer(self, stamp_ns: int, measured_s: float) -> int:
        """When the command for this frame takes effect; the brain is busy until then."""
        self._busy_until_ns = stamp_ns + round(self._latency.draw_s(measured_s) * 1e9)
        self.missed = 0
        return self._busy_until_ns

    def horizon_ns(self, stamp_ns: int) -> int:
        """How far the simulator may run once this frame is dealt with: to the next frame."""
        return stamp_ns + self._period_ns
