"""The metrics on recorded laps whose answer is known in closed form."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DataError, UsageError
from harness.metrics import Metrics, compute_metrics
from harness.metrics.deviation import published_deviation
from harness.metrics.intervals import (
    completion_interval,
    mean_interval,
    paired_difference,
    paired_ratio,
    paired_share_difference,
)
from harness.metrics.timing import trimmed
from harness.recording.log import read_run_log
from tests.harness.bagmaker import (
    RADIUS_M,
    Iteration,
    Pose,
    Recording,
    circle,
    on_circle,
    write_bag,
)

LENGTH_M = 2.0 * math.pi * RADIUS_M
LAP_S = LENGTH_M / 8.0


def measure(tmp_path: Path, recording: Recording, laps: int = 1, **changes: Any) -> Metrics:
    log = read_run_log(write_bag(tmp_path / "run.bag", recording))
    arguments: dict[str, Any] = {"start_station_m": 0.0, "laps": laps, "timeout_s": 60.0}
    return compute_metrics(log, circle(), "forward", **(arguments | changes))


def steady_iterations(count: int, **changes: Any) -> list[Iteration]:
    return [Iteration(i / 20.0, i / 20.0 + 0.01, **changes) for i in range(count)]


@pytest.mark.parametrize("offset_m", [0.0, 0.29, -0.4])
def test_an_offset_lap_of_a_circle(tmp_path: Path, offset_m: float) -> None:
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0, offset_m=offset_m)))
    assert metrics.laps == 1
    assert metrics.lap_time_s == pytest.approx(LAP_S, abs=1e-6)
    assert metrics.average_speed_m_s == pytest.approx(8.0, abs=1e-5)
    assert metrics.deviation_mae_m == pytest.approx(abs(offset_m), abs=1e-6)
    assert metrics.deviation_bias_m == pytest.approx(offset_m, abs=1e-6)
    assert metrics.deviation_max_m == pytest.approx(abs(offset_m), abs=1e-6)
    # The chords between samples lie a fraction of a millimetre inside the driven circle.
    assert metrics.deviation_published == pytest.approx(1000.0 ** abs(offset_m), rel=1e-3)
    # As published: the length of the driven line, not of the centreline.
    assert metrics.published_average_speed == pytest.approx(
        8.0 * (RADIUS_M - offset_m) / RADIUS_M, rel=1e-4
    )


def test_the_published_figure_of_a_constant_29_cm() -> None:
    assert published_deviation(np.full(10, 0.29)) == pytest.approx(7.413, abs=1e-3)
    assert published_deviation(np.zeros(3)) == 1.0


def test_the_published_figure_punishes_the_worst_places(tmp_path: Path) -> None:
    half = measure(tmp_path, Recording(poses=swinging(0.4)))
    assert half.deviation_published is not None and half.deviation_mae_m is not None
    assert half.deviation_mae_m == pytest.approx(0.4 * 2.0 / math.pi, abs=2e-3)
    assert half.deviation_bias_m == pytest.approx(0.0, abs=2e-3)
    assert half.deviation_p50_m == pytest.approx(0.4 * math.sin(math.pi / 4.0), abs=4e-3)
    assert half.deviation_p95_m == pytest.approx(0.4 * math.cos(0.05 * math.pi / 2.0), abs=2e-3)
    # Jensen: a mean of powers exceeds the power of the mean.
    assert half.deviation_published > 1000.0**half.deviation_mae_m


def swinging(amplitude_m: float) -> list[Pose]:
    """A lap whose offset goes as a sine, three times round."""
    poses = []
    for i in range(round(16.0 * 50.0) + 1):
        angle = 8.0 * i / 50.0 / RADIUS_M
        radius = RADIUS_M - amplitude_m * math.sin(3.0 * angle)
        yaw = math.remainder(angle + math.pi / 2.0, math.tau)
        poses.append(Pose(i / 50.0, radius * math.cos(angle), radius * math.sin(angle), yaw))
    return poses


def test_two_laps_have_two_times_and_their_mean(tmp_path: Path) -> None:
    metrics = measure(tmp_path, Recording(poses=on_circle(32.0)), laps=2)
    assert metrics.laps == 2
    assert metrics.lap_times_s == pytest.approx((LAP_S, LAP_S), abs=1e-6)
    assert metrics.lap_time_s == pytest.approx(LAP_S, abs=1e-6)
    assert metrics.progress_m == pytest.approx(2.0 * LENGTH_M, abs=1e-3)


def test_what_follows_the_finish_does_not_count(tmp_path: Path) -> None:
    poses = on_circle(16.0, offset_m=0.1)
    crash = [Pose(16.0 + 0.02 * i, 100.0 * i, 0.0, 0.0) for i in range(1, 50)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    clean = measure(tmp_path / "a", Recording(poses=poses, clock=False))
    followed = measure(tmp_path / "b", Recording(poses=[*poses, *crash], clock=False))
    assert followed == clean


def test_a_failed_run_is_measured_over_the_part_driven(tmp_path: Path) -> None:
    poses = on_circle(12.0, offset_m=0.2, progress=lambda t: np.minimum(8.0 * t, 62.0))
    metrics = measure(tmp_path, Recording(poses=poses))
    assert metrics.laps == 0
    assert metrics.lap_time_s is None
    assert metrics.progress_m == pytest.approx(62.0, abs=1e-3)
    assert metrics.deviation_mae_m == pytest.approx(0.2, abs=1e-6)
    assert metrics.duration_sim_s is not None
    assert metrics.average_speed_m_s == pytest.approx(62.0 / metrics.duration_sim_s, abs=1e-4)


def test_the_time_runs_from_go(tmp_path: Path) -> None:
    waiting = [replace(on_circle(0.0)[0], sim_s=0.02 * i) for i in range(100)]
    driving = [replace(pose, sim_s=pose.sim_s + 2.0) for pose in on_circle(16.0)]
    events = [{"event": "go", "sim_s": 2.0}]
    metrics = measure(tmp_path, Recording(poses=[*waiting, *driving], events=events))
    assert metrics.lap_time_s == pytest.approx(LAP_S, abs=1e-6)


def test_the_time_before_the_first_sample_counts(tmp_path: Path) -> None:
    late = [replace(pose, sim_s=pose.sim_s + 0.5) for pose in on_circle(16.0)]
    events = [{"event": "go", "sim_s": 0.0}]
    metrics = measure(tmp_path, Recording(poses=late, events=events))
    assert metrics.lap_time_s == pytest.approx(LAP_S + 0.5, abs=1e-6)


def test_the_brain_is_timed_from_receiving_to_publishing(tmp_path: Path) -> None:
    iterations = [
        Iteration(
            i / 20.0,
            i / 20.0 + 0.01,
            infer_start_ms=2.0,
            infer_end_ms=2.0 + (4.0 if i < 157 else 12.0),
            publish_ms=10.0 if i < 157 else 18.0,
        )
        for i in range(320)
    ]
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), iterations=iterations))
    # Frames are stamped up to 15.70 s, before the finish at 15.708 s: 315 of them, 158 slow.
    assert metrics.frames_used == 315
    assert metrics.inference_ms_mean == pytest.approx((157 * 4.0 + 158 * 12.0) / 315, abs=1e-5)
    assert metrics.inference_ms_median == pytest.approx(12.0, abs=1e-5)
    assert metrics.inference_ms_p99 == pytest.approx(12.0, abs=1e-5)
    mean_iteration_ms = (157 * 10.0 + 158 * 18.0) / 315
    assert metrics.brain_frequency_hz == pytest.approx(1e3 / mean_iteration_ms, rel=1e-6)
    assert metrics.iteration_ms_median == pytest.approx(18.0, abs=1e-5)
    assert metrics.harness_share_ms_median == pytest.approx(6.0, abs=1e-5)
    assert metrics.published_mean_inference_time == pytest.approx(
        (147 * 4e-3 + 148 * 12e-3) / 295, abs=1e-8
    )
    # The study trims inferences, never iterations.
    assert metrics.published_brain_iterations_frequency_real_time == metrics.brain_frequency_hz
    assert metrics.control_rate_hz == pytest.approx(315 / LAP_S, rel=1e-6)
    assert metrics.camera_to_command_ms_median == pytest.approx(28.0, abs=0.01)


def test_missed_frames_lower_the_control_rate_but_not_the_camera(tmp_path: Path) -> None:
    iterations = [
        Iteration(i / 10.0, i / 10.0 + 0.06, frames_missed=1 if i else 0) for i in range(157)
    ]
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), iterations=iterations))
    assert metrics.images_per_sim_s == pytest.approx(20.0)
    assert metrics.frames_missed == 156
    assert metrics.control_rate_hz == pytest.approx(157 / LAP_S, rel=1e-6)


def test_a_frame_used_twice_counts_once(tmp_path: Path) -> None:
    twice = [it for it in steady_iterations(200) for _ in range(2)]
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), iterations=twice))
    assert metrics.frames_used == 200


def test_recorded_images_give_their_own_rate(tmp_path: Path) -> None:
    stamps = [i / 25.0 for i in range(200)]
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), camera_sim_s=stamps))
    assert metrics.images_per_sim_s == pytest.approx(25.0)


def test_the_real_time_factor_of_a_slow_simulator_with_a_stall(tmp_path: Path) -> None:
    def wall_of(sim_s: float) -> float:
        """Half of real time, and half a second's stall at 6 s."""
        return 2.0 * sim_s + (0.5 if sim_s > 6.0 else 0.0)

    recording = Recording(
        poses=on_circle(16.0),
        iterations=[],
        wall_of=wall_of,
        performance=[(3.0, 0.5), (9.0, 0.4), (15.9, 0.0)],
    )
    metrics = measure(tmp_path, recording)
    assert metrics.real_time_factor == pytest.approx(LAP_S / (2.0 * LAP_S + 0.5), rel=1e-4)
    assert metrics.duration_wall_s == pytest.approx(2.0 * LAP_S + 0.5, abs=1e-3)
    # A second that holds the stall brings half of the usual half second.
    assert metrics.real_time_factor_worst_second == pytest.approx(0.25, abs=0.02)
    # The simulator's last figure comes after the finish.
    assert metrics.published_real_time_factor == pytest.approx(0.45)


def test_waiting_at_the_start_does_not_lower_the_real_time_factor(tmp_path: Path) -> None:
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), paused_before_s=30.0))
    assert metrics.real_time_factor == pytest.approx(1.0, abs=1e-4)
    assert metrics.real_time_factor_worst_second == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("pace", [0.5, 1.0, 4.0])
def test_a_clock_that_says_its_time_once_before_go_does_not_either(
    tmp_path: Path, pace: float
) -> None:
    recording = Recording(
        poses=on_circle(16.0), silent_before_s=0.7, wall_of=lambda sim_s: sim_s / pace
    )
    metrics = measure(tmp_path, recording)
    assert metrics.real_time_factor == pytest.approx(pace, rel=1e-4)
    assert metrics.duration_wall_s == pytest.approx(LAP_S / pace, abs=1e-3)
    assert metrics.real_time_factor_worst_second == pytest.approx(pace, rel=1e-3)


def test_a_pause_between_go_and_the_first_step_belongs_to_no_figure(tmp_path: Path) -> None:
    def wall_of(sim_s: float) -> float:
        return sim_s + (0.4 if sim_s > 0.0 else 0.0)

    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), wall_of=wall_of))
    assert metrics.real_time_factor == pytest.approx(1.0, abs=1e-4)
    assert metrics.real_time_factor_worst_second == pytest.approx(1.0, abs=1e-3)


def test_in_lockstep_the_command_takes_effect_in_simulated_time(tmp_path: Path) -> None:
    iterations = [
        Iteration(i / 20.0, i / 80.0, latency_s=0.03, effective_sim_s=i / 20.0 + 0.03)
        for i in range(1, 300)
    ]
    recording = Recording(
        poses=on_circle(16.0), iterations=iterations, wall_of=lambda sim_s: sim_s / 4.0
    )
    metrics = measure(tmp_path, recording)
    assert metrics.camera_to_command_ms_median == pytest.approx(30.0, abs=1e-6)
    assert metrics.camera_to_command_wall_ms_median == pytest.approx(7.5, abs=0.01)
    assert metrics.real_time_factor == pytest.approx(4.0, rel=1e-4)


def test_what_is_undefined_is_none_and_json_holds_no_nan(tmp_path: Path) -> None:
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), clock=False))
    assert metrics.real_time_factor is None
    assert metrics.brain_frequency_hz is None
    assert metrics.images_per_sim_s is None
    assert "NaN" not in metrics.model_dump_json()
    assert Metrics().lap_time_s is None


def test_published_names_leave_out_what_is_unknown(tmp_path: Path) -> None:
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0, offset_m=0.2)))
    published = metrics.published()
    assert published["position_deviation_mae"] == metrics.deviation_published
    assert "mean_inference_time" not in published


def test_reverse_is_measured_along_the_reversed_line(tmp_path: Path) -> None:
    log = read_run_log(
        write_bag(tmp_path / "run.bag", Recording(poses=on_circle(16.0, -8.0, offset_m=0.3)))
    )
    metrics = compute_metrics(log, circle(), "reverse", 0.0, 1, 60.0)
    assert metrics.laps == 1
    # Inwards is to the right of a car that drives clockwise.
    assert metrics.deviation_bias_m == pytest.approx(-0.3, abs=1e-6)


def test_a_bag_that_ends_before_the_car_moves_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fewer than 2"):
        measure(tmp_path, Recording(poses=on_circle(0.0)))


def test_the_mean_of_few_has_students_interval() -> None:
    # Tables of t give 4.3027 for 0.975 and 2 degrees of freedom, 2.7764 for 4, 2.3060 for 8.
    three = mean_interval([1.0, 2.0, 3.0])
    assert three is not None and three.low is not None and three.high is not None
    # Standard deviation 1, over the root of 3.
    assert three.low == pytest.approx(2.0 - 4.3027 / math.sqrt(3.0), abs=1e-4)
    assert three.high == pytest.approx(2.0 + 4.3027 / math.sqrt(3.0), abs=1e-4)
    five = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert five is not None and five.low is not None
    # Variance 2.5, so that the error of the mean is the root of 2.5 / 5.
    assert five.low == pytest.approx(3.0 - 2.7764 * math.sqrt(0.5), abs=1e-4)
    nine = mean_interval([float(i) for i in range(9)])
    assert nine is not None and nine.high is not None
    assert nine.high == pytest.approx(4.0 + 2.3060 * math.sqrt(7.5 / 9.0), abs=1e-4)
    # One degree of freedom is Cauchy's distribution: tan(0.475 pi) = 12.706.
    two = mean_interval([1.0, 3.0])
    assert two is not None and two.high is not None
    assert two.high == pytest.approx(2.0 + math.tan(0.475 * math.pi))


def test_the_mean_of_ten_or_more_has_the_bootstraps_interval() -> None:
    values = [8.4, 8.6, 8.5, 8.9, 8.3, 8.7, 8.4, 8.6, 8.5, 8.8]
    interval = mean_interval(values)
    assert interval is not None and interval.low is not None and interval.high is not None
    assert interval.value == pytest.approx(np.mean(values))
    # The resampled means have a standard deviation of 0.0579 (over n, not n - 1).
    assert interval.low == pytest.approx(8.57 - 1.96 * 0.0579, abs=0.02)
    assert interval.high == pytest.approx(8.57 + 1.96 * 0.0579, abs=0.02)
    # Student's would reach 2.2622 * 0.1889 / 10 ** 0.5 = 0.135 to either side.
    assert interval.high - interval.low < 2 * 0.125
    assert mean_interval(values) == interval


def test_intervals_of_few_or_equal_values() -> None:
    assert mean_interval([]) is None
    single = mean_interval([3.0])
    assert single is not None and (single.value, single.low, single.n) == (3.0, None, 1)
    equal = mean_interval([2.0, 2.0, 2.0])
    assert equal is not None and (equal.low, equal.high) == (2.0, 2.0)


def test_completion_has_its_exact_interval() -> None:
    # Clopper-Pearson in closed form at the ends: 1 - (alpha / 2) ** (1 / n).
    none = completion_interval(0, 10)
    assert none.low == 0.0
    assert none.high == pytest.approx(1.0 - 0.025 ** (1 / 10))
    every = completion_interval(10, 10)
    assert every.low == pytest.approx(0.025 ** (1 / 10))
    assert every.high == 1.0
    with pytest.raises(UsageError):
        completion_interval(3, 2)


def test_pairs_show_a_difference_that_the_spread_hides() -> None:
    first = [1.0, 5.0, 9.0, 13.0, 17.0, 21.0]
    second = [1.2, 5.1, 9.3, 13.2, 17.1, 21.3]
    found = paired_difference(first, second)
    assert found is not None and found.low is not None and found.high is not None
    assert found.value == pytest.approx(0.2)
    # Standard deviation of the differences 0.0894: t = 0.2 / (0.0894 / 6 ** 0.5) = 5.48, 5 degrees
    # of freedom.
    assert found.p_value == pytest.approx(0.00276, abs=1e-5)
    # t of 0.975 and 5 degrees of freedom is 2.5706.
    assert found.low == pytest.approx(0.2 - 2.5706 * 0.0894 / math.sqrt(6.0), abs=1e-4)
    assert found.high == pytest.approx(0.2 + 2.5706 * 0.0894 / math.sqrt(6.0), abs=1e-4)
    assert found.n == 6
    assert found.beyond_noise
    # Judged among 20 comparisons, at 0.0025, the same pairs are not enough.
    among = paired_difference(first, second, comparisons=20)
    assert among is not None and not among.beyond_noise
    assert (among.low, among.high) == (found.low, found.high)


def test_few_pairs_of_one_sign_are_no_proof() -> None:
    # All in one direction, but of very different size.
    found = paired_difference([0.0, 0.0, 0.0], [0.1, 2.0, 4.0])
    assert found is not None and found.low is not None
    assert found.low < 0.0
    assert not found.beyond_noise
    two = paired_difference([0.0, 0.0], [1.0, 1.0])
    assert two is not None and (two.low, two.p_value, two.beyond_noise) == (None, None, False)
    assert paired_difference([], []) is None
    with pytest.raises(ValueError):
        paired_difference([1.0], [])


def test_of_few_pairs_interval_and_test_say_the_same() -> None:
    # Differences 1, 2, 3: t = 2 / (1 / 3 ** 0.5) = 3.464 of 2 degrees of freedom, under 4.3027.
    # Of two degrees t has p = 1 - t / (t ** 2 + 2) ** 0.5 in closed form.
    near = paired_difference([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    assert near is not None and near.low is not None and near.low < 0.0
    assert near.p_value == pytest.approx(1.0 - math.sqrt(12.0 / 14.0))
    assert not near.beyond_noise
    # Differences 2, 3, 4: t = 5.196.
    beyond = paired_difference([0.0, 0.0, 0.0], [2.0, 3.0, 4.0])
    assert beyond is not None and beyond.low is not None and beyond.low > 0.0
    assert beyond.p_value == pytest.approx(1.0 - math.sqrt(27.0 / 29.0))
    assert beyond.beyond_noise


def test_a_ratio_of_pairs_is_the_same_on_long_and_short_circuits() -> None:
    # 10, 20 and 25 % slower, whatever the lap.
    found = paired_ratio([40.0, 120.0, 80.0], [44.0, 144.0, 100.0])
    assert found is not None and found.low is not None and found.high is not None
    assert found.value == pytest.approx((1.1 * 1.2 * 1.25) ** (1 / 3) - 1.0)
    assert found.low < found.value < found.high
    # Turned round it is the inverse, and so are its ends.
    back = paired_ratio([44.0, 144.0, 100.0], [40.0, 120.0, 80.0])
    assert back is not None and back.low is not None
    assert (1.0 + back.value) * (1.0 + found.value) == pytest.approx(1.0)
    assert (1.0 + back.low) * (1.0 + found.high) == pytest.approx(1.0)
    assert back.p_value == pytest.approx(found.p_value)
    assert paired_ratio([], []) is None
    one = paired_ratio([40.0], [44.0])
    assert one is not None and one.low is None
    assert one.value == pytest.approx(0.1)


def test_equal_pairs_do_not_differ() -> None:
    found = paired_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert found is not None and (found.low, found.high, found.beyond_noise) == (0.0, 0.0, False)


def test_shares_are_judged_by_the_pairs_that_differ() -> None:
    # McNemar: 6 against 0 has p = 2 / 2 ** 6 = 0.031, 5 against 0 has 0.0625.
    six = paired_share_difference([True] * 10, [False] * 6 + [True] * 4)
    assert six is not None and six.beyond_noise
    assert six.value == pytest.approx(-0.6)
    assert six.p_value == pytest.approx(0.03125)
    five = paired_share_difference([True] * 10, [False] * 5 + [True] * 5)
    assert five is not None and not five.beyond_noise
    same = paired_share_difference([True] * 10, [True] * 10)
    assert same is not None and (same.value, same.p_value, same.beyond_noise) == (0.0, None, False)


@given(st.integers(0, 60), st.integers(0, 20))
def test_trimming_drops_both_ends(count: int, trim: int) -> None:
    kept = trimmed(np.arange(float(count)), trim)
    assert kept.tolist() == list(range(count))[trim : max(count - trim, 0)]
