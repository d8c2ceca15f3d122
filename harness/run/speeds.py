"""Which sample of the car's measured speed belongs to a camera frame."""

from collections.abc import Iterable
from typing import NamedTuple

PERIOD_NS = 20_000_000
"""Of the odometry, which stands at multiples of it."""


class Speed(NamedTuple):
    """A sample of the odometry.

    Attributes:
        stamp_ns: Its simulated time.
        m_s: Forward speed.
    """

    stamp_ns: int
    m_s: float


def speed_at(speeds: Iterable[Speed], stamp_ns: int) -> Speed | None:
    """The last sample at or before a frame's time, once it is sure that none is to come.

    Args:
        speeds: Samples as they came.
        stamp_ns: The frame's time.

    Returns:
        None where the one that belongs to the frame has not come yet.
    """
    near = [one for one in speeds if stamp_ns - PERIOD_NS < one.stamp_ns <= stamp_ns]
    return max(near, default=None)
