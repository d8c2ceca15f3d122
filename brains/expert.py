"""The privileged driver that the networks learn from: it knows the circuit and its own pose.

Its command depends on the pose and on what lies in the next metres of the road alone, never on
earlier commands, so that one image holds what it takes to imitate it.
"""

import math
from dataclasses import dataclass

import numpy as np

from brains.interface import Command
from brains.preprocess import V_MIN_M_S, V_SPAN_M_S, W_MIN_RAD_S
from worlds.centreline import Centreline

V_LIMITS_M_S = (V_MIN_M_S, V_MIN_M_S + V_SPAN_M_S)
W_LIMIT_RAD_S = -W_MIN_RAD_S


@dataclass(frozen=True, slots=True)
class ExpertParams:
    """How the expert drives.

    Attributes:
        lateral_acceleration_m_s2: Sets the speed in a curve, v^2 = a / |curvature|.
        deceleration_m_s2: How fast the allowed speed falls towards a curve ahead.
        horizon_m: How far ahead curves count; the camera sees 15 m.
        v_straight_m_s: Speed where no curve is near.
        delay_s: Expected time from a frame to the middle of its command's effect.
        bandwidth_rad_s: Natural frequency of the return to the line.
        damping: Damping ratio of the return.
        caution_m: Lateral error at which the excess over the lowest speed falls to 1/e.
        caution_rad: The same for the heading error.
    """

    lateral_acceleration_m_s2: float = 8.0
    deceleration_m_s2: float = 5.0
    horizon_m: float = 12.0
    v_straight_m_s: float = 12.5
    delay_s: float = 0.08
    bandwidth_rad_s: float = 3.5
    damping: float = 0.9
    caution_m: float = 0.5
    caution_rad: float = 0.35


@dataclass(frozen=True, slots=True)
class Decision:
    """The expert's command and the pose it answers: station, and errors positive to the left."""

    command: Command
    station_m: float
    lateral_m: float
    heading_error_rad: float


class Expert:
    """Follows a centreline; remembers only its station, so that near-parallel legs stay apart."""

    def __init__(self, centreline: Centreline, params: ExpertParams | None = None) -> None:
        self.centreline = centreline
        self.params = params or ExpertParams()
        self._station_m: float | None = None
        self._ahead_m = np.arange(0.0, self.params.horizon_m, 0.25)

    def command(self, x_m: float, y_m: float, yaw_rad: float) -> Command:
        """Command for a pose in the world frame."""
        return self.decide(x_m, y_m, yaw_rad).command

    def decide(self, x_m: float, y_m: float, yaw_rad: float) -> Decision:
        """Command for a pose in the world frame, and where that pose is.

        Preview steering: the errors are carried forward by the expected delay, the curvature of
        the road at that place is fed forward, and the errors return as a damped second-order
        system in time.
        """
        p = self.params
        s_m, lateral_m = self.centreline.project((x_m, y_m), near_s_m=self._station_m)
        self._station_m = s_m
        heading_error = math.remainder(yaw_rad - float(self.centreline.heading(s_m)), math.tau)

        v = self._speed(s_m, lateral_m, heading_error)
        preview_m = v * p.delay_s
        lateral_then_m = lateral_m + preview_m * math.sin(heading_error)
        # The mean over the command's 50 ms: a single point would miss short curves.
        ahead = s_m + preview_m + v * np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
        curvature = float(np.mean(self.centreline.curvature(ahead)))

        gain_lateral = (p.bandwidth_rad_s / v) ** 2
        gain_heading = 2 * p.damping * p.bandwidth_rad_s / v
        w = v * (curvature - gain_lateral * lateral_then_m - gain_heading * math.sin(heading_error))
        return Decision(limited(v, w), s_m, lateral_m, heading_error)

    def _speed(self, s_m: float, lateral_m: float, heading_error: float) -> float:
        """Highest speed that every curve ahead allows, less when off the line."""
        p = self.params
        bends = np.abs(self.centreline.curvature(s_m + self._ahead_m)) + 1e-6
        allowed = np.sqrt(
            p.lateral_acceleration_m_s2 / bends + 2 * p.deceleration_m_s2 * self._ahead_m
        )
        v = min(p.v_straight_m_s, float(allowed.min()))
        caution = (lateral_m / p.caution_m) ** 2 + (heading_error / p.caution_rad) ** 2
        return V_MIN_M_S + max(0.0, v - V_MIN_M_S) * math.exp(-caution)


def limited(v_m_s: float, w_rad_s: float) -> Command:
    """The command within the ranges that the networks can answer."""
    return Command(
        min(max(v_m_s, V_LIMITS_M_S[0]), V_LIMITS_M_S[1]),
        min(max(w_rad_s, -W_LIMIT_RAD_S), W_LIMIT_RAD_S),
    )
