"""Smoothness and cost on recordings whose answer is known, and on a real lap."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.metrics.smoothness import jerk_m_s3
from harness.paths import project_root
from harness.recording.bag_metrics import measure_bag
from tests.harness.bagmaker import RADIUS_M, Iteration, Recording, on_circle
from tests.harness.metrics.test_metrics import measure


def test_steering_that_swings(tmp_path: Path) -> None:
    """From 0.4 to -0.2 and back, every 50 ms: 0.6 rad/s in each step, 12 rad/s^2."""
    iterations = [
        Iteration(i / 20.0, i / 20.0 + 0.01, v_m_s=8.0 + 0.8 * (i % 2), w_rad_s=0.4 - 0.6 * (i % 2))
        for i in range(300)
    ]
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), iterations=iterations))
    assert metrics.steering_rate_rad_s2 == pytest.approx(12.0)
    assert metrics.published_suddenness_distance == pytest.approx(math.hypot(0.6, 0.8))
    assert metrics.published()["suddenness_distance"] == metrics.published_suddenness_distance


def test_a_slow_brain_is_not_smoother_for_its_fewer_commands(tmp_path: Path) -> None:
    """The same sine, asked at 20 Hz and at 5 Hz: its turns are the same, the steps are not."""

    def steered(every: int) -> Recording:
        iterations = [
            Iteration(t, t + 0.01, w_rad_s=math.sin(t))
            for t in (i * every / 20.0 for i in range(300 // every))
        ]
        return Recording(poses=on_circle(16.0), iterations=iterations)

    (tmp_path / "quick").mkdir()
    (tmp_path / "slow").mkdir()
    quick = measure(tmp_path / "quick", steered(1))
    slow = measure(tmp_path / "slow", steered(4))
    assert quick.steering_rate_rad_s2 and slow.steering_rate_rad_s2
    assert quick.published_suddenness_distance and slow.published_suddenness_distance
    assert slow.steering_rate_rad_s2 == pytest.approx(quick.steering_rate_rad_s2, rel=0.02)
    assert slow.published_suddenness_distance > 3.5 * quick.published_suddenness_distance


def test_the_jerk_of_a_circle() -> None:
    """At a steady speed round a circle it is v^3 / r^2, always towards the back."""
    poses = on_circle(10.0, speed_m_s=8.0)
    columns = [
        np.array([getattr(pose, name) for pose in poses]) for name in ("sim_s", "x_m", "y_m")
    ]
    assert jerk_m_s3(*columns) == pytest.approx(8.0**3 / RADIUS_M**2, rel=2e-3)
    still_s, zeros = np.arange(100) / 50.0, np.zeros(100)
    assert jerk_m_s3(still_s, zeros, zeros) == 0.0
    # x = t^3: a jerk of 6 m/s^3.
    assert jerk_m_s3(still_s, still_s**3, zeros) == pytest.approx(6.0)


def test_what_is_too_short_has_no_smoothness(tmp_path: Path) -> None:
    assert jerk_m_s3(np.arange(10) / 50.0, np.zeros(10), np.zeros(10)) is None
    one = measure(tmp_path, Recording(poses=on_circle(16.0), iterations=[Iteration(1.0, 1.01)]))
    assert one.steering_rate_rad_s2 is None
    assert one.published_suddenness_distance is None
    assert one.brain_cpu_ms is None


def test_an_old_bag_has_its_smoothness_and_the_study_its_figure() -> None:
    """recordings/sample: 0.194 by the study's own code, which takes v and w as one vector."""
    metrics = measure_bag(project_root() / "recordings" / "sample").metrics
    assert metrics.published_suddenness_distance == pytest.approx(0.194, abs=5e-4)
    assert metrics.steering_rate_rad_s2 == pytest.approx(1.42, abs=0.01)
    assert metrics.jerk_m_s3 is not None and 1.0 < metrics.jerk_m_s3 < 100.0
    # It is of a version that did not record these.
    assert metrics.brain_cpu_ms is metrics.brain_rss_mib is metrics.brain_energy_mj is None


def test_costs_are_of_the_frames_between_go_and_end(tmp_path: Path) -> None:
    """2 s of loading before the first frame, then 7 ms a frame; memory grows to 300 MiB."""
    first = Iteration(0.05, 0.06, cpu_s=2.0, peak_rss_bytes=200 << 20)
    iterations = [
        replace(
            first,
            frame_sim_s=0.05 * (i + 1),
            receive_s=0.05 * (i + 1) + 0.01,
            cpu_s=2.0 + 0.007 * i,
            peak_rss_bytes=(200 + min(i, 100)) << 20,
            energy_j=0.02 if i % 2 else 0.04,
        )
        for i in range(310)
    ]
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), iterations=iterations))
    assert metrics.brain_cpu_ms == pytest.approx(7.0)
    assert metrics.brain_rss_mib == 300.0
    assert metrics.brain_energy_mj == pytest.approx(30.0, rel=0.01)


def test_a_machine_without_counters_has_no_energy(tmp_path: Path) -> None:
    iterations = [Iteration(i / 20.0, i / 20.0 + 0.01, cpu_s=1.0 + i / 100.0) for i in range(300)]
    metrics = measure(tmp_path, Recording(poses=on_circle(16.0), iterations=iterations))
    assert metrics.brain_cpu_ms == pytest.approx(10.0)
    assert metrics.brain_energy_mj is None
    assert metrics.brain_rss_mib is None
