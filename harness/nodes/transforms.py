"""Where car and camera are, as /tf and /tf_static: by them rviz and Foxglove place things."""

from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from nav_msgs.msg import Odometry
from tf2_msgs.msg import TFMessage

from worlds.car.sdf import BASE_LINK, CAMERA_NAME, CAMERA_XYZ_M

# From x forward, y left, z up to ROS's axes of an image: x right, y down, z into the picture.
_OPTICAL = Quaternion(x=-0.5, y=0.5, z=-0.5, w=0.5)


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


def of_camera() -> TFMessage:
    """The camera on the car, which never moves."""
    transform = TransformStamped(
        child_frame_id=CAMERA_NAME,
        transform=Transform(translation=Vector3(*CAMERA_XYZ_M), rotation=_OPTICAL),
    )
    transform.header.frame_id = BASE_LINK
    return TFMessage([transform])
