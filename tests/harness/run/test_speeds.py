"""Which sample of the odometry belongs to a frame: the same, whatever came when."""

import itertools

from harness.run.speeds import Speed, speed_at

MS = 1_000_000


def test_the_last_sample_that_is_not_after_the_frame() -> None:
    samples = [Speed(stamp * MS, float(stamp)) for stamp in (20, 40, 60, 80, 100)]
    for shuffled in itertools.permutations(samples):
        assert speed_at(shuffled, 50 * MS) == Speed(40 * MS, 40.0)
        assert speed_at(shuffled, 100 * MS) == Speed(100 * MS, 100.0)


def test_an_older_sample_does_not_stand_for_one_that_is_still_to_come() -> None:
    assert speed_at([Speed(20 * MS, 1.0)], 50 * MS) is None
    assert speed_at([], 0) is None
    assert speed_at([Speed(0, 2.0)], 0) == Speed(0, 2.0)
