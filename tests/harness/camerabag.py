"""Bags with camera frames and the commands that answered them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag1 import Writer

from harness.recording.images import Picture
from harness.recording.messages import DamagedBagError, read_damaged, read_messages
from harness.topics import COMPRESSED_CAMERA
from harness.video.frames import camera_frames
from tests.harness.bagmaker import BagMaker, typestore

PERIOD_S = 0.05
Packing = Literal["rgb8", "bgr8", "png", "jpeg"]
Frames = Sequence[NDArray[np.uint8]]


def stamped_frames(bag: Path, topic: str = COMPRESSED_CAMERA) -> list[tuple[float, Picture]]:
    """All frames of a camera with their stamps in seconds, as a video gets them."""
    try:
        messages = list(read_messages(bag, {topic}))
    except DamagedBagError:
        messages = list(read_damaged(bag, {topic}, []))
    stamps = [message.header.stamp for _, _, message in messages]
    times_s = {n: (s.sec * 10**9 + s.nanosec) / 1e9 for n, s in enumerate(stamps)}
    return list(camera_frames(bag, topic, times_s))


def random_frames(count: int, height: int = 48, width: int = 64) -> list[NDArray[np.uint8]]:
    """Frames that have nothing in common."""
    random = np.random.default_rng(7)
    return list(random.integers(0, 256, (count, height, width, 3), np.uint8))


def write_camera_bag(
    path: Path,
    frames: Frames,
    packing: Packing = "png",
    commands: Mapping[int, tuple[float, float]] | None = None,
    model: str | None = "null",
    metadata: Mapping[str, object] | None = None,
) -> Path:
    """Write a bag.

    Args:
        path: The bag.
        frames: Pixels, red-green-blue; frame i has the stamp (i + 1) * PERIOD_S.
        packing: How they are kept.
        commands: v and w by the number of the frame; by default of every second frame.
        model: What the bag says that drove.
        metadata: What it says besides.
    """
    if commands is None:
        commands = {index: (index / 2.0, -index / 8.0) for index in range(0, len(frames), 2)}
    with Writer(path) as writer:
        bag = BagMaker(writer, typestore())
        if model is not None:
            bag.text("/metadata", 0.0, {"model": model, **(metadata or {})})
        for index, pixels in enumerate(frames):
            sim_s = (index + 1) * PERIOD_S
            _write_frame(bag, sim_s, pixels, packing)
            if index in commands:
                _write_iteration(bag, sim_s, *commands[index])
    return path


def _write_frame(bag: BagMaker, sim_s: float, pixels: NDArray[np.uint8], packing: Packing) -> None:
    header = bag.header(sim_s, "camera_left")
    topic = "/F1ROS/cameraL/image_raw"
    if packing in ("png", "jpeg"):
        _, data = cv2.imencode(f".{packing}", pixels[..., ::-1])
        message = bag.make(
            "sensor_msgs/CompressedImage", header=header, format=packing, data=data.reshape(-1)
        )
        bag.write(f"{topic}/compressed", "sensor_msgs/CompressedImage", sim_s, message)
        return
    height, width, _ = pixels.shape
    padding = 5  # rows may be longer than their pixels
    rows = np.zeros((height, width * 3 + padding), np.uint8)
    ordered = pixels if packing == "rgb8" else pixels[..., ::-1]
    rows[:, : width * 3] = ordered.reshape(height, -1)
    message = bag.make(
        "sensor_msgs/Image",
        header=header,
        height=height,
        width=width,
        encoding=packing,
        is_bigendian=0,
        step=rows.shape[1],
        data=rows.reshape(-1),
    )
    bag.write(topic, "sensor_msgs/Image", sim_s, message)


def _write_iteration(bag: BagMaker, sim_s: float, v_m_s: float, w_rad_s: float) -> None:
    times: dict[str, Any] = dict.fromkeys(
        ("receive_s", "infer_start_s", "infer_end_s", "publish_s"), sim_s
    )
    message = bag.make(
        "harness_msgs/BrainIteration",
        header=bag.header(sim_s),
        **times,
        v_m_s=v_m_s,
        w_rad_s=w_rad_s,
        frames_missed=0,
        latency_s=float("nan"),
        effective=bag.stamp(0.0),
        frame_crc32=0,
        cpu_s=float("nan"),
        peak_rss_bytes=0,
        energy_j=float("nan"),
    )
    bag.write("/brain/iteration", "harness_msgs/BrainIteration", sim_s, message)
