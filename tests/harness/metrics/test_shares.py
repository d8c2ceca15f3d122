from pathlib import Path

import numpy as np
import pytest

from harness.metrics.run_log import Load
from harness.metrics.timing import wall_shares
from harness.recording.log import read_run_log
from tests.harness.bagmaker import Iteration, Recording, on_circle, write_bag


def load(first_wall_s: float, rendering: float, physics: float, idle: float, held: float) -> Load:
    """Ten seconds of constant shares, after a start that took 7 s of rendering."""
    since_s = np.arange(11.0)
    return Load(
        first_wall_s + since_s,
        physics * since_s,
        7.0 + rendering * since_s,
        3.0 + idle * since_s,
        held * since_s,
    )


def test_shares_are_of_the_wall_time_of_the_run(tmp_path: Path) -> None:
    iterations = [Iteration(i / 20.0, 100.0 + i / 20.0, publish_ms=10.0) for i in range(200)]
    bag = write_bag(tmp_path / "run.bag", Recording(on_circle(10.0), iterations=iterations))
    seen = read_run_log(bag).iterations
    first_s, last_s = float(seen.wall_s[0]), float(seen.wall_s[-1])
    shares = wall_shares(load(first_s, 0.4, 0.1, 0.5, 0.35), seen, first_s, last_s)
    assert shares["rendering_share"] == pytest.approx(0.4)
    assert shares["physics_share"] == pytest.approx(0.1)
    assert shares["brain_share"] == pytest.approx(0.2, rel=0.02)
    assert shares["transport_share"] == pytest.approx(0.15, rel=0.03)
    assert shares["waiting_share"] == pytest.approx(0.15)


def test_bags_from_before_the_idle_time_have_the_other_shares(tmp_path: Path) -> None:
    log = read_run_log(write_bag(tmp_path / "run.bag", Recording(on_circle(10.0))))
    shares = wall_shares(load(100.0, 0.4, 0.1, np.nan, np.nan), log.iterations, 100.0, 110.0)
    assert shares["physics_share"] == pytest.approx(0.1)
    assert (shares["transport_share"], shares["waiting_share"]) == (None, None)


def test_what_a_bag_does_not_tell_is_none(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "run.bag", Recording(on_circle(10.0)))
    log = read_run_log(bag)
    shares = wall_shares(log.load, log.iterations, 100.0, 110.0)
    assert set(shares.values()) == {None}
