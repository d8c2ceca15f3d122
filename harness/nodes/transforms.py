"""Where car and camera are, as /tf and /tf_static: by them rviz and Foxglove place things."""

import math

from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from nav_msgs.msg import Odometry
from tf2_msgs.msg import TFMessage

from worlds.car.sdf import BASE_LINK, CAMERA_NAME, CameraMount

# From x forward, y left, z up to ROS's axes of an image: x right, y down, z into the picture.
_OPTICAL = (-0.5, 0.5, -0.5, 0.5)


def of_odometry(odometry: Odometry) -> TFMessage:
    """The car in the world, as the odometry says."""
    pose = odometry.pose.pose
    transform = TransformStamped(
        header=odometry.header,
        child_frame_id=odometry.child_frame_id,
        transform=Transform(
            translation=Vector3(pose.position.x, pose.position.y, pose.position.z),
            rotation=pose.orientation,
        ),
    )
    return TFMessage([transform])


def of_camera(mount: CameraMount) -> TFMessage:
    """The camera on the car, which never moves."""
    transform = TransformStamped(
        child_frame_id=CAMERA_NAME,
        transform=Transform(translation=Vector3(*mount.xyz_m), rotation=_rotation(mount)),
    )
    transform.header.frame_id = BASE_LINK
    return TFMessage([transform])


def _rotation(mount: CameraMount) -> Quaternion:
    """The camera's axes of an image in the car's frame: turned, tilted, then brought to them."""
    turn = (0.0, 0.0, math.sin(mount.yaw_rad / 2.0), math.cos(mount.yaw_rad / 2.0))
    tilt = (0.0, math.sin(mount.pitch_rad / 2.0), 0.0, math.cos(mount.pitch_rad / 2.0))
    x, y, z, w = _product(_product(turn, tilt), _OPTICAL)
    return Quaternion(x=x, y=y, z=z, w=w)


_Turn = tuple[float, float, float, float]


def _product(one: _Turn, other: _Turn) -> _Turn:
    """Hamilton's product of quaternions (x, y, z, w)."""
    ax, ay, az, aw = one
    bx, by, bz, bw = other
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )
