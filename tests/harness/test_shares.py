from pathlib import Path

import numpy as np
import pytest

from harness.metrics.timing import wall_shares
from harness.runlog import Load, read_run_log
from tests.harness.bagmaker import Iteration, Recording, on_circle, write_bag


def load(first_wall_s: float, rendering: float, physics: float) -> Load:
    """Ten seconds of constant shares, after a start that took 7 s of rendering."""
    since_s = np.arange(11.0)
    return Load(first_wall_s + since_s, physics * since_s, 7.0 + rendering * since_s)


def test_shares_are_of_the_wall_time_of_the_run(tmp_path: Path) -> None:
    iterations = [Iteration(i / 20.0, 100.0 + i / 20.0, publish_ms=10.0) for i in range(200)]
    bag = write_bag(tmp_path / "run.bag", Recording(on_circle(10.0), iterations=iterations))
    seen = read_run_log(bag).iterations
    first_s, last_s = float(seen.wall_s[0]), float(seen.wall_s[-1])
    shares = wall_shares(load(first_s, 0.5, 0.2), seen, first_s, last_s)
    assert shares["rendering_share"] == pytest.approx(0.5)
    assert shares["physics_share"] == pytest.approx(0.2)
    assert shares["brain_share"] == pytest.approx(0.2, rel=0.02)


def test_what_a_bag_does_not_tell_is_none(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "run.bag", Recording(on_circle(10.0)))
    log = read_run_log(bag)
    shares = wall_shares(log.load, log.iterations, 100.0, 110.0)
    assert set(shares.values()) == {None}
