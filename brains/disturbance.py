"""Disturbances: take the expert where a network's mistakes will lead, to show the way back."""

import math
from dataclasses import dataclass

import numpy as np

from brains.expert import Decision, limited
from brains.interface import Command

FRAME_S = 0.05


@dataclass(frozen=True, slots=True)
class DisturberParams:
    """How much is disturbed.

    Attributes:
        steering_noise_rad_s: Standard deviation of the yaw rate's coloured noise.
        steering_memory_s: Its correlation time.
        speed_noise: Standard deviation of the speed's coloured relative noise.
        speed_memory_s: Its correlation time.
        push_pause_s: Mean time between two pushes; the time to recover is at least 0.8 s.
        push_limit_m: A push ends at the latest at a lateral error drawn up to this one.
        push_limit_rad: The same for the heading error.
        start_lateral_m: Greatest lateral offset of a start.
        start_heading_rad: Greatest heading offset of a start.
    """

    steering_noise_rad_s: float = 0.35
    steering_memory_s: float = 0.4
    speed_noise: float = 0.08
    speed_memory_s: float = 2.0
    push_pause_s: float = 2.5
    push_limit_m: float = 0.8
    push_limit_rad: float = math.radians(25)
    start_lateral_m: float = 0.8
    start_heading_rad: float = math.radians(20)


@dataclass(slots=True)
class _Push:
    """A steering offset that lasts until a time or until the car is far enough off."""

    until_s: float
    w_rad_s: float
    lateral_m: float
    heading_rad: float


class Disturber:
    """Executed commands for the expert's decisions; the label stays the expert's own.

    The same seed and decisions give the same disturbances.
    """

    def __init__(self, seed: int, params: DisturberParams | None = None) -> None:
        self.params = params or DisturberParams()
        self._random = np.random.default_rng(seed)
        self._time_s = 0.0
        self._steering = 0.0
        self._speed = 0.0
        self._push: _Push | None = None
        self._next_push_s = self._pause_s()

    def start_offset(self) -> tuple[float, float]:
        """Lateral offset (m, to the left) and heading offset (rad) for the start of a run."""
        p = self.params
        lateral_m = float(self._random.uniform(-p.start_lateral_m, p.start_lateral_m))
        heading_rad = float(self._random.uniform(-p.start_heading_rad, p.start_heading_rad))
        return lateral_m, heading_rad

    def execute(self, decision: Decision) -> Command:
        """The command to execute for one frame, 50 ms after the last one."""
        p = self.params
        self._steering = self._coloured(self._steering, p.steering_noise_rad_s, p.steering_memory_s)
        self._speed = self._coloured(self._speed, p.speed_noise, p.speed_memory_s)
        push = self._current_push(decision)
        w_rad_s = decision.command.w_rad_s + self._steering
        if push is not None:
            w_rad_s += push.w_rad_s
        self._time_s += FRAME_S
        return limited(decision.command.v_m_s * (1 + self._speed), w_rad_s)

    def _current_push(self, decision: Decision) -> _Push | None:
        push = self._push
        if push is not None:
            sign = math.copysign(1.0, push.w_rad_s)
            over = (
                self._time_s >= push.until_s
                or decision.lateral_m * sign > push.lateral_m
                or decision.heading_error_rad * sign > push.heading_rad
            )
            if over:
                self._push = None
                self._next_push_s = self._time_s + self._pause_s()
        elif self._time_s >= self._next_push_s:
            self._push = self._new_push()
        return self._push

    def _new_push(self) -> _Push:
        """A short hard swerve, or a long gentle pull to one side."""
        random, p = self._random, self.params
        sign = random.choice([-1.0, 1.0])
        hard = random.random() < 0.5
        duration_s = random.uniform(0.15, 0.4) if hard else random.uniform(0.6, 1.6)
        strength = random.uniform(1.0, 4.0) if hard else random.uniform(0.4, 1.5)
        return _Push(
            self._time_s + float(duration_s),
            float(sign * strength),
            float(random.uniform(0.2, 1.0) * p.push_limit_m),
            float(random.uniform(0.3, 1.0) * p.push_limit_rad),
        )

    def _pause_s(self) -> float:
        return 0.8 + float(self._random.exponential(self.params.push_pause_s - 0.8))

    def _coloured(self, value: float, deviation: float, memory_s: float) -> float:
        """Next value of an Ornstein-Uhlenbeck process sampled every frame."""
        keep = math.exp(-FRAME_S / memory_s)
        return keep * value + deviation * math.sqrt(1 - keep**2) * float(self._random.normal())
