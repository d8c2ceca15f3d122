"""Rotations as ROS states them."""

import math


def yaw_of_quaternion(x: float, y: float, z: float, w: float) -> float:
    """Yaw in radians of a unit quaternion (REP 103: rotation about z)."""
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
