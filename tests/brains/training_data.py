"""Small data sets and bags of drawn roads, for the tests of training."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore

from brains.disturbance import Disturber
from brains.expert import Decision, Expert
from brains.interface import Command
from brains.training.calibration import read_calibration
from brains.training.dataset import SPLITS, Index, RunEntry
from harness import topics
from tests.brains.kinematics import FRAME_S, Pose, drive, start_pose
from tests.brains.roadview import RoadView
from worlds.centreline import Centreline

STORE = get_typestore(Stores.ROS1_NOETIC)


def expert_frames(
    line: Centreline, seed: int, distance_m: float, s_m: float = 0.0
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Frames (n, 240, 320, 3) and labels (n, 2) of a disturbed expert's drive."""
    view, expert, disturber = RoadView(line), Expert(line), Disturber(seed)
    decisions: list[Decision] = []

    def decide(pose: Pose) -> Command:
        decisions.append(expert.decide(*pose))
        return decisions[-1].command

    start = start_pose(line, s_m, *disturber.start_offset())
    steps = list(
        drive(
            line,
            decide,
            start,
            s_m=s_m,
            latency_s=0.03,
            distance_m=distance_m,
            execute=lambda _: disturber.execute(decisions[-1]),
        )
    )
    frames = np.stack([view.frame(step.pose) for step in steps])
    labels = [(step.given.v_m_s, step.given.w_rad_s) for step in steps]
    return frames, np.array(labels, np.float32)


def write_data_set(folder: Path, frames_per_split: int) -> Path:
    """A data set of real frames, of version 1: a few of the calibration set, one run a split."""
    folder.mkdir(parents=True)
    frames = read_calibration()
    entries = []
    for index, split in enumerate(SPLITS):
        rows = slice(index, index + frames_per_split * len(SPLITS), len(SPLITS))
        np.save(folder / f"{split}_crops.npy", frames.crops[rows])
        np.save(folder / f"{split}_labels.npy", frames.labels[rows])
        entries.append(
            RunEntry(
                run=f"run{index}",
                circuit="loop",
                direction="forward",
                split=split,
                first=0,
                frames=frames_per_split,
            )
        )
    (folder / "index.json").write_text(Index(schema_version=1, runs=entries).model_dump_json())
    return folder


def write_recording(
    folder: Path,
    frames: NDArray[np.uint8],
    labels: NDArray[np.float32],
    metadata: str = '{"circuit": "loop", "direction": "forward"}',
    labels_from: int = 0,
) -> Path:
    """A recording's folder with a bag of camera images and labels, as the harness writes them."""
    folder.mkdir(parents=True)
    types = STORE.types
    time_type, header = types["builtin_interfaces/msg/Time"], types["std_msgs/msg/Header"]
    image, twist_stamped = (
        types["sensor_msgs/msg/CompressedImage"],
        types["geometry_msgs/msg/TwistStamped"],
    )
    twist, vector = types["geometry_msgs/msg/Twist"], types["geometry_msgs/msg/Vector3"]
    string = types["std_msgs/msg/String"]
    with Writer(folder / "run.bag") as writer:
        to_camera = writer.add_connection(
            topics.COMPRESSED_CAMERA, image.__msgtype__, typestore=STORE
        )
        to_label = writer.add_connection(topics.LABELS, twist_stamped.__msgtype__, typestore=STORE)
        to_metadata = writer.add_connection(topics.METADATA, string.__msgtype__, typestore=STORE)
        text = STORE.serialize_ros1(string(data=metadata), string.__msgtype__)
        writer.write(to_metadata, 10**9, text)
        for index, (frame, (v, w)) in enumerate(zip(frames, labels, strict=True)):
            stamp_ns = round(index * FRAME_S * 1e9)
            stamp = time_type(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
            head = header(seq=index, stamp=stamp, frame_id="camera_left")
            done, jpeg = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
            assert done
            message = image(header=head, format="jpeg", data=jpeg.reshape(-1))
            at_ns = 10**9 + stamp_ns
            writer.write(to_camera, at_ns, STORE.serialize_ros1(message, image.__msgtype__))
            if index >= labels_from:
                moved = twist(
                    linear=vector(x=float(v), y=0.0, z=0.0),
                    angular=vector(x=0.0, y=0.0, z=float(w)),
                )
                label = twist_stamped(header=head, twist=moved)
                raw = STORE.serialize_ros1(label, twist_stamped.__msgtype__)
                writer.write(to_label, at_ns, raw)
    return folder


def write_raw_bag(folder: Path, frames: list[NDArray[np.uint8]], encoding: str, topic: str) -> Path:
    """A recording's folder with a bag of raw images on one topic."""
    folder.mkdir(parents=True)
    types = STORE.types
    image, header = types["sensor_msgs/msg/Image"], types["std_msgs/msg/Header"]
    time_type = types["builtin_interfaces/msg/Time"]
    with Writer(folder / "run.bag") as writer:
        camera = writer.add_connection(topic, image.__msgtype__, typestore=STORE)
        for index, frame in enumerate(frames):
            head = header(seq=index, stamp=time_type(sec=index, nanosec=0), frame_id="camera")
            height, width, channels = frame.shape
            message = image(
                header=head,
                height=height,
                width=width,
                encoding=encoding,
                is_bigendian=0,
                step=width * channels,
                data=np.ascontiguousarray(frame).reshape(-1),
            )
            raw = STORE.serialize_ros1(message, image.__msgtype__)
            writer.write(camera, (index + 1) * 10**9, raw)
    return folder
