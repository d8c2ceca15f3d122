"""The lap tracker on drives whose outcome is known in closed form."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.metrics.lap import LapLimits, LapState, LapTracker
from tests.harness.bagmaker import RADIUS_M, Pose, circle, on_circle
from worlds.centreline import Centreline

LENGTH_M = 2.0 * math.pi * RADIUS_M
CIRCLE = circle().centreline("forward")


def drive(
    poses: list[Pose],
    laps: int = 1,
    timeout_s: float = 100.0,
    centreline: Centreline = CIRCLE,
    start_station_m: float = 0.0,
) -> list[LapState]:
    tracker = LapTracker(centreline, start_station_m, laps, LapLimits(3.0, timeout_s))
    tracker.go(poses[0].sim_s, poses[0].x_m, poses[0].y_m)
    return [tracker.update(p.sim_s, p.x_m, p.y_m, p.yaw_rad) for p in poses]


def test_a_lap_ends_at_the_interpolated_crossing() -> None:
    last = drive(on_circle(16.0, speed_m_s=8.0))[-1]
    assert last.outcome == "completed"
    assert last.lap == 1
    assert last.lap_fraction == 1.0
    # 15.708 s lies between two samples, 0.02 s apart.
    assert last.lap_times_s == pytest.approx([LENGTH_M / 8.0], abs=1e-6)
    assert last.end_sim_s == pytest.approx(LENGTH_M / 8.0, abs=1e-6)


def test_coarse_samples_interpolate_to_the_same_crossing() -> None:
    last = drive(on_circle(18.0, speed_m_s=8.0, rate_hz=4.0))[-1]
    assert last.lap_times_s == pytest.approx([LENGTH_M / 8.0], abs=1e-5)


def test_the_outcome_is_not_decided_before_the_line() -> None:
    states = drive(on_circle(15.70, speed_m_s=8.0))
    assert states[-1].outcome is None
    assert states[-1].lap == 0
    assert states[-1].lap_fraction == pytest.approx(15.70 * 8.0 / LENGTH_M, abs=1e-6)


def test_two_laps_of_different_speed_have_their_own_times() -> None:
    switch_s = LENGTH_M / 8.0

    def progress(times_s: np.ndarray) -> np.ndarray:
        return np.where(times_s < switch_s, 8.0 * times_s, LENGTH_M + 10.0 * (times_s - switch_s))

    states = drive(on_circle(29.0, progress=progress, rate_hz=200.0), laps=2)
    assert states[-1].outcome == "completed"
    assert states[-1].lap_times_s == pytest.approx([LENGTH_M / 8.0, LENGTH_M / 10.0], abs=2e-3)
    after_first = next(s for s in states if s.lap == 1)
    assert after_first.outcome is None


def test_the_start_station_moves_the_line() -> None:
    poses = on_circle(16.0, angle_rad=math.pi / 2.0)
    last = drive(poses, start_station_m=LENGTH_M / 4.0)[-1]
    assert last.outcome == "completed"
    assert last.lap_times_s == pytest.approx([LENGTH_M / 8.0], abs=1e-6)


def test_lateral_is_positive_to_the_left_and_heading_error_follows_the_yaw() -> None:
    state = drive(on_circle(2.0, offset_m=0.4))[-1]
    assert state.lateral_m == pytest.approx(0.4, abs=1e-6)
    assert state.heading_error_rad == pytest.approx(0.0, abs=1e-4)
    pose = on_circle(0.0)[0]
    turned = Pose(0.0, pose.x_m, pose.y_m, pose.yaw_rad + 0.3)
    assert drive([turned])[-1].heading_error_rad == pytest.approx(0.3, abs=1e-4)


def test_off_track_when_the_centre_leaves_the_asphalt() -> None:
    inside = drive(on_circle(3.0, offset_m=1.49))
    assert inside[-1].outcome is None
    outside = drive(on_circle(3.0, offset_m=-1.51))
    assert outside[0].outcome == "off_track"
    assert "1.51 m from the centreline" in outside[0].outcome_reason


def test_wrong_way_from_the_start_and_after_a_while() -> None:
    backwards = drive(on_circle(3.0, speed_m_s=-8.0))
    assert backwards[-1].outcome == "wrong_way"
    assert backwards[-1].end_sim_s == pytest.approx(0.64)  # first sample past 5 m: 5.12 m

    turning = drive(on_circle(8.0, progress=lambda t: np.where(t < 3, 8 * t, 24 - 8 * (t - 3))))
    assert turning[-1].outcome == "wrong_way"
    assert turning[-1].end_sim_s == pytest.approx(3.64)


def test_stuck_half_way_is_told_from_the_pose() -> None:
    states = drive(on_circle(12.0, progress=lambda t: np.minimum(8.0 * t, 62.0)))
    last = states[-1]
    assert last.outcome == "stuck"
    # It stands at 62 m and passed 61.5 m at 7.6875 s: stuck 3 s later, to a sample.
    assert last.end_sim_s == pytest.approx(10.6875, abs=0.04)
    assert last.progress_m == pytest.approx(62.0, abs=1e-4)


def test_a_car_that_never_moves_is_stuck_after_three_seconds() -> None:
    last = drive(on_circle(5.0, speed_m_s=0.0))[-1]
    assert last.outcome == "stuck"
    assert last.end_sim_s == pytest.approx(3.0)


def test_a_slow_car_is_not_stuck() -> None:
    assert drive(on_circle(20.0, speed_m_s=0.2))[-1].outcome is None


def test_timeout_counts_from_go() -> None:
    last = drive(on_circle(16.0, speed_m_s=8.0), timeout_s=10.0)[-1]
    assert last.outcome == "timeout"
    assert last.end_sim_s == pytest.approx(10.02)
    shifted = [Pose(p.sim_s + 50.0, p.x_m, p.y_m, p.yaw_rad) for p in on_circle(16.0)]
    assert drive(shifted, timeout_s=20.0)[-1].outcome == "completed"


def test_a_finish_within_the_sample_that_passes_the_time_limit_counts() -> None:
    # The line at 15.708 s, the limit at 15.715 s, the next sample at 15.72 s.
    assert drive(on_circle(16.0), timeout_s=15.715)[-1].outcome == "completed"
    assert drive(on_circle(16.0), timeout_s=15.700)[-1].outcome == "timeout"


def test_the_outcome_is_final() -> None:
    poses = on_circle(16.0)
    poses.append(Pose(20.0, 500.0, 500.0, 0.0))
    assert drive(poses)[-1].outcome == "completed"


def test_a_neighbouring_leg_is_not_taken_for_the_driven_one() -> None:
    # A hairpin: two straights 3 m apart, the asphalt 3 m wide, so both legs' edges touch.
    angle = np.linspace(-math.pi / 2.0, math.pi / 2.0, 12)
    right = np.column_stack([40.0 + 1.5 * np.cos(angle), 1.5 * np.sin(angle)])
    out = np.column_stack([np.linspace(0.0, 38.0, 20), np.full(20, -1.5)])
    left = np.column_stack([-1.5 * np.cos(angle) - 2.0, -1.5 * np.sin(angle)])
    back = np.column_stack([np.linspace(38.0, 0.0, 20), np.full(20, 1.5)])
    line = Centreline.from_control_points(np.vstack([out, right, back, left]))
    # 1.45 m to the left on the outward leg: still on its asphalt, in the middle between legs.
    poses = [Pose(0.02 * i, 0.1 * i, -0.05, 0.0) for i in range(300)]
    states = drive(poses, centreline=line)
    assert states[-1].outcome is None
    assert states[-1].progress_m == pytest.approx(29.9, abs=0.05)
    # 1 m farther across, the car is nearer the other leg than its own: off the track.
    across = [*poses, Pose(6.02, 30.0, 0.9, 0.0)]
    assert drive(across, centreline=line)[-1].outcome == "off_track"


def test_a_circuit_sets_its_limits_for_all_laps() -> None:
    limits = LapLimits.of_circuit(circle(), laps=3)
    assert (limits.asphalt_width_m, limits.timeout_s) == (3.0, 180.0)
    assert LapLimits.of_circuit(circle(), laps=3, timeout_s=20.0).timeout_s == 20.0


def test_misuse_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1"):
        LapTracker(CIRCLE, 0.0, 0, LapLimits(3.0, 10.0))
    with pytest.raises(UsageError, match="timeout_s"):
        LapLimits(3.0, 0.0)
    tracker = LapTracker(CIRCLE, 0.0, 1, LapLimits(3.0, 10.0))
    with pytest.raises(UsageError, match="go"):
        tracker.update(0.0, RADIUS_M, 0.0, 0.0)
    tracker.go(0.0, RADIUS_M, 0.0)
    with pytest.raises(UsageError, match="already"):
        tracker.go(0.0, RADIUS_M, 0.0)


@settings(max_examples=25)
@given(
    speed_m_s=st.floats(2.0, 20.0),
    offset_m=st.floats(-1.4, 1.4),
    rate_hz=st.floats(10.0, 60.0),
    angle_rad=st.floats(0.0, 6.28),
)
def test_any_steady_lap_takes_length_over_speed(
    speed_m_s: float, offset_m: float, rate_hz: float, angle_rad: float
) -> None:
    lap_s = LENGTH_M / speed_m_s
    poses = on_circle(lap_s + 0.5, speed_m_s, offset_m, rate_hz=rate_hz, angle_rad=angle_rad)
    last = drive(poses, start_station_m=angle_rad * RADIUS_M)[-1]
    assert last.outcome == "completed"
    assert last.lap_times_s == pytest.approx([lap_s], abs=1e-4)
