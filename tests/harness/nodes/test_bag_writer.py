"""What the bag of a run holds for tools that are not ours."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import rosbag
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Image

from harness import topics
from harness.errors import StorageError
from harness.nodes import transforms
from harness.nodes.bag_writer import BagWriter, append_json
from worlds.car.sdf import CameraMount


def test_a_frame_is_kept_to_the_last_bit_under_image_transports_name(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8)
    image = Image(height=48, width=64, step=192, encoding="rgb8", data=pixels.tobytes())
    image.header.stamp.nsecs, image.header.frame_id = 50_000_000, "camera_left"
    writer = BagWriter(tmp_path / "run.bag")
    writer.write_image("/camera/image_raw", image, 1.0)
    writer.close()
    with rosbag.Bag(str(tmp_path / "run.bag")) as bag:
        ((topic, message, _),) = bag.read_messages()
    assert topic == "/camera/image_raw/compressed"
    assert message._type == "sensor_msgs/CompressedImage"
    assert message.format == "rgb8; png compressed bgr8"
    assert message.header.stamp.to_nsec() == 50_000_000
    decoded = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.array_equal(decoded[..., ::-1], pixels)


def test_rosbag_play_latches_what_lasts(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / "run.bag")
    writer.write_lasting(topics.STATIC_TRANSFORMS, transforms.of_camera(CameraMount()), 1.0)
    writer.close()
    with rosbag.Bag(str(tmp_path / "run.bag")) as bag:
        ((_, message, _, header),) = bag.read_messages(return_connection_header=True)
    assert header["latching"] == b"1"
    (camera,) = message.transforms
    assert (camera.header.frame_id, camera.child_frame_id) == ("base_link", "camera_left")


def test_the_cars_transform_is_its_odometry() -> None:
    odometry = Odometry(child_frame_id="base_link")
    odometry.header.frame_id = "odom"
    odometry.pose.pose.position.x, odometry.pose.pose.orientation.z = 12.5, 1.0
    (car,) = transforms.of_odometry(odometry).transforms
    assert (car.header.frame_id, car.child_frame_id) == ("odom", "base_link")
    assert (car.transform.translation.x, car.transform.rotation.z) == (12.5, 1.0)


def test_adding_to_a_bag_without_its_end_is_a_storage_error(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / "run.bag")
    writer.write_json("/metadata", {"model": "null"}, 1.0)
    writer.close()
    data = writer.path.read_bytes()
    writer.path.write_bytes(data[: len(data) // 2])
    with pytest.raises(StorageError, match=r"run\.bag"):
        append_json(writer.path, "/experiment_metrics", {}, 2.0)


def test_a_disk_that_fills_is_noticed_before_a_chunk_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = BagWriter(tmp_path / "run.bag")
    writer.write_json("/a", {}, 1.0)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    writer.write_json("/a", {}, 1.9)  # looked a moment ago
    with pytest.raises(StorageError, match=r"run\.bag: can't write the bag: No space left"):
        writer.write_json("/a", {}, 2.0)
    writer.close()
