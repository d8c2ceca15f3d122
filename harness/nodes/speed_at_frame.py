"""The car's measured speed at a camera frame's time, from the odometry."""

import threading
import time
from collections import deque

import rospy
from nav_msgs.msg import Odometry

from harness import topics
from harness.errors import BrainError
from harness.run.speeds import Speed, speed_at

_WAIT_S = 2.0
# Some seconds of odometry: a brain may be that late.
_KEPT = 500


class SpeedAtFrame:
    """Listens to the odometry; only brains that need the speed have one."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._speeds: deque[Speed] = deque(maxlen=_KEPT)
        self._subscriber = rospy.Subscriber(
            topics.ODOMETRY, Odometry, self._on_odometry, tcp_nodelay=True
        )

    def connect(self) -> None:
        """Waits until the odometry comes in, or for the shutdown."""
        while not rospy.is_shutdown() and not self._subscriber.get_num_connections():
            time.sleep(0.01)

    def at(self, stamp_ns: int) -> float:
        """Forward speed in m/s of the last sample that is not after the frame.

        Which one that is does not depend on when messages come: the next may still be on its way.

        Raises:
            BrainError: no such sample came.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._find(stamp_ns) is not None, _WAIT_S):
                raise BrainError(f"no odometry for the frame of {stamp_ns / 1e9:.3f} s")
            found = self._find(stamp_ns)
        assert found is not None
        return found.m_s

    def _find(self, stamp_ns: int) -> Speed | None:
        return speed_at(self._speeds, stamp_ns)

    def _on_odometry(self, message: Odometry) -> None:
        with self._arrived:
            stamp_ns = message.header.stamp.to_nsec()
            self._speeds.append(Speed(stamp_ns, message.twist.twist.linear.x))
            self._arrived.notify()
