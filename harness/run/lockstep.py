"""Arithmetic of lockstep: when a command takes effect and how far the simulator may run. No ROS."""

from typing import Protocol

import numpy as np

from harness.conditions.draws import generator
from harness.errors import UsageError
from harness.spec.latency import LatencyText, read_profile
from harness.spec.run import RunSpec

CAMERA_PERIOD_NS = 50_000_000


class LatencyModel(Protocol):
    """Gives the simulated latency of each answer."""

    def known_s(self) -> float | None:
        """Latency in s of the next answer, called once before it; None: it must be measured."""


class MeasuredLatency:
    """This machine's own latency, frame by frame."""

    def known_s(self) -> None:
        """Nothing before the answer."""


class FixedLatency:
    """The same latency for every frame."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s

    def known_s(self) -> float:
        """The fixed one."""
        return self._latency_s


class ProfileLatency:
    """Latencies drawn, with a seed, from those measured on some computer."""

    def __init__(self, latencies_s: list[float], seed: int) -> None:
        self._latencies_s = np.asarray(latencies_s, dtype=np.float64)
        self._random = np.random.default_rng(seed)

    def known_s(self) -> float:
        """The next one of the profile."""
        return float(self._random.choice(self._latencies_s))


class JitteredLatency:
    """Another latency, and beyond it a drawn exponential time for each frame."""

    def __init__(self, latency: LatencyModel, mean_s: float, seed: int) -> None:
        self._latency = latency
        self._mean_s = mean_s
        self._random = generator(seed, "latency_jitter_ms")

    def known_s(self) -> float | None:
        """The other one's and the drawn time; None where the other's must be measured."""
        known_s = self._latency.known_s()
        return None if known_s is None else known_s + float(self._random.exponential(self._mean_s))


def latency_of(spec: RunSpec) -> LatencyModel | None:
    """The latency model of a run in lockstep; None in real time.

    Raises:
        DataError: the profile is missing or broken.
    """
    if spec.clock != "lockstep":
        return None
    latency = parse_latency(spec.latency, spec.seed)
    jitter_ms = spec.asked_conditions().level("latency_jitter_ms")
    return latency if jitter_ms is None else JitteredLatency(latency, jitter_ms / 1e3, spec.seed)


def parse_latency(text: str, seed: int) -> LatencyModel:
    """Latency model of `measured`, `fixed:<ms>` or `profile:<file>`.

    Raises:
        UsageError: none of these.
        DataError: the profile is missing or broken.
    """
    try:
        asked = LatencyText.parse(text)
    except ValueError as error:
        raise UsageError(f"latency: {error}") from None
    if asked.fixed_ms is not None:
        return FixedLatency(asked.fixed_ms / 1e3)
    if asked.profile is not None:
        return ProfileLatency(read_profile(asked.profile), seed)
    return MeasuredLatency()


class LockstepClock:
    """Bookkeeping of simulated time for one brain; all times are integer nanoseconds.

    For each frame that does not find the brain busy: `begin`, then `answer`.
    """

    def __init__(self, camera_period_ns: int, latency: LatencyModel) -> None:
        self._period_ns = camera_period_ns
        self._latency = latency
        self._answered_ns = 0
        self._arrived_ns = 0
        self._known_s: float | None = None
        self._busy_until_ns = 0

    def is_busy(self, stamp_ns: int) -> bool:
        """Whether the brain still thinks about an earlier frame when this one arrives."""
        return stamp_ns < self._busy_until_ns

    def lose(self, stamp_ns: int) -> None:
        """A frame never arrives: the brain, if it is free, waits for the next."""
        self._arrived_ns = stamp_ns

    def begin(self, stamp_ns: int) -> int | None:
        """A frame to be answered: how far the simulator may run meanwhile, if that is known.

        Where the latency is known before the answer, nothing that the answer says can change what
        happens until it takes effect: physics and rendering go on while the brain thinks.
        """
        self._known_s = self._latency.known_s()
        return None if self._known_s is None else stamp_ns + round(self._known_s * 1e9)

    def answer(self, stamp_ns: int, measured_s: float) -> tuple[int, int]:
        """The frame is answered.

        Args:
            stamp_ns: the frame's simulated time.
            measured_s: what the answer took on this machine.

        Returns:
            When its command takes effect, until when the brain is busy; and how many frames were
            missed since the last answer.
        """
        latency_s = measured_s if self._known_s is None else self._known_s
        self._busy_until_ns = stamp_ns + round(latency_s * 1e9)
        missed = (stamp_ns - self._answered_ns) // self._period_ns - 1
        self._answered_ns = self._arrived_ns = stamp_ns
        return self._busy_until_ns, missed

    @property
    def horizon_ns(self) -> int:
        """How far the simulator may run: to the next frame that may find the brain free."""
        periods = -(-self._busy_until_ns // self._period_ns)
        return max(periods * self._period_ns, self._arrived_ns + self._period_ns)
