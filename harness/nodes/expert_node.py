#!/usr/bin/env python3
"""Drives the car with the privileged expert, and publishes what it would have done (the label).

With a seed other than 0 the driving is disturbed, so that the recorded frames show the way back
to the line; the label stays the undisturbed answer.
"""

import threading
import time
from typing import Any

import rospy
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry

from brains.expert import Expert
from brains.interface import Frame, TimedCommand
from harness import topics
from harness.errors import BrainError
from harness.nodes.frame_loop import Decide, Decision, FrameLoop, as_time, as_twist, run_driver
from harness.nodes.node import BRAIN_FAILURE, asked_run, exit_with, start_node
from harness.recording.rotation import yaw_of_quaternion
from harness.run.start import disturber


class PoseAtFrame:
    """The car's pose at a frame's stamp, from the odometry."""

    _WAIT_S = 2.0

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._newest: Odometry | None = None
        self._subscriber = rospy.Subscriber(
            topics.ODOMETRY, Odometry, self._on_odometry, tcp_nodelay=True
        )

    @property
    def connected(self) -> bool:
        """Whether the simulator's odometry comes in."""
        return bool(self._subscriber.get_num_connections())

    def at(self, stamp_ns: int) -> tuple[float, float, float]:
        """Pose (x m, y m, yaw rad) of the first sample that is at most 10 ms before the frame.

        Raises:
            BrainError: no such sample came.
        """
        with self._arrived:
            fresh = self._arrived.wait_for(lambda: self._is_fresh(stamp_ns), timeout=self._WAIT_S)
            if not fresh or self._newest is None:
                raise BrainError(f"no odometry for the frame of {stamp_ns / 1e9:.3f} s")
            pose = self._newest.pose.pose
        turn = pose.orientation
        return pose.position.x, pose.position.y, yaw_of_quaternion(turn.x, turn.y, turn.z, turn.w)

    def _is_fresh(self, stamp_ns: int) -> bool:
        if self._newest is None:
            return False
        return bool(self._newest.header.stamp.to_nsec() >= stamp_ns - 10_000_000)

    def _on_odometry(self, message: Odometry) -> None:
        with self._arrived:
            self._newest = message
            self._arrived.notify()


def main() -> int:
    """Drives until the run is over."""
    start_node("brain")
    spec = asked_run()
    labels = rospy.Publisher(topics.LABELS, TwistStamped, queue_size=100)
    poses = PoseAtFrame()

    def load() -> tuple[Decide, dict[str, Any]]:
        expert = Expert(spec.load_circuit().centreline(spec.direction))
        disturbance = disturber(spec)
        while not poses.connected and not rospy.is_shutdown():
            time.sleep(0.01)

        def decide(frame: Frame, stamp_ns: int) -> Decision:
            del frame
            start_s = time.monotonic()
            decision = expert.decide(*poses.at(stamp_ns))
            label = TwistStamped(twist=as_twist(decision.command))
            label.header.stamp = as_time(stamp_ns)
            labels.publish(label)
            executed = disturbance.execute(decision) if disturbance else decision.command
            return Decision(TimedCommand(decision.command, start_s, time.monotonic()), executed)

        return decide, {"engine": "privileged expert", "disturbed": disturbance is not None}

    return run_driver(FrameLoop(spec), load)


if __name__ == "__main__":
    exit_with(main, BRAIN_FAILURE)
