"""Bags as they come from the field: any stamps, any record times, any topics, any format."""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.convert import convert
from rosbags.rosbag1 import Writer

from tests.harness.bagmaker import WALL_ORIGIN_S, BagMaker, Pose, odometry, typestore

ODOMETRY = "/F1ROS/odom"


@dataclass(frozen=True)
class Sample:
    """An odometry message; its record is of the wall, `record_s` after `WALL_ORIGIN_S`."""

    record_s: float
    stamp_s: float
    pose: Pose


def samples(
    poses: Sequence[Pose],
    stamp: Callable[[float], float] = lambda sim_s: sim_s,
    record: Callable[[float], float] = lambda sim_s: sim_s,
    after_s: float = 0.0,
) -> list[Sample]:
    """Odometry with stamps and records as functions of simulated time."""
    return [Sample(after_s + record(p.sim_s), stamp(p.sim_s), p) for p in poses]


def ticks(
    last_s: float,
    record: Callable[[float], float] = lambda sim_s: sim_s,
    after_s: float = 0.0,
    rate_hz: float = 100.0,
) -> list[tuple[float, float]]:
    """Messages of /clock from 0 on: when they are recorded, what they tell."""
    times_s = (np.arange(round(last_s * rate_hz) + 1) / rate_hz).tolist()
    return [(after_s + record(sim_s), sim_s) for sim_s in times_s]


def field_bag(
    path: Path,
    odometries: Iterable[Sample],
    clock: Iterable[tuple[float, float]] = (),
    metadata: dict[str, Any] | None = None,
    topic: str = ODOMETRY,
    images: Iterable[tuple[float, float, str, NDArray[np.uint8]]] = (),
) -> Path:
    """Write a bag.

    Args:
        path: The bag.
        odometries: The car's path.
        clock: Record and time of each message of /clock.
        metadata: Content of /metadata.
        topic: Where the odometry is.
        images: Record, stamp, topic and pixels (red-green-blue) of each camera frame.
    """
    with Writer(path) as writer:
        bag = BagMaker(writer, typestore())
        if metadata is not None:
            bag.text("/metadata", 0.0, metadata)
        for sample in odometries:
            message = odometry(bag, replace(sample.pose, sim_s=sample.stamp_s))
            bag.write(topic, "nav_msgs/Odometry", sample.record_s, message)
        for record_s, sim_s in clock:
            tick = bag.make("rosgraph_msgs/Clock", clock=bag.stamp(sim_s))
            bag.write("/clock", "rosgraph_msgs/Clock", record_s, tick)
        for record_s, stamp_s, name, pixels in images:
            bag.write(name, "sensor_msgs/Image", record_s, image(bag, stamp_s, pixels))
    return path


def image(bag: BagMaker, stamp_s: float, pixels: NDArray[np.uint8], encoding: str = "rgb8") -> Any:
    """A sensor_msgs/Image of pixels (height, width, channels)."""
    height, width, channels = pixels.shape
    return bag.make(
        "sensor_msgs/Image",
        header=bag.header(stamp_s, "camera"),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=width * channels,
        data=np.ascontiguousarray(pixels).reshape(-1),
    )


def on_the_wall(sim_s: float) -> float:
    """A stamp of the wall's clock, of a simulation that runs at half its pace."""
    return WALL_ORIGIN_S + 2.0 * sim_s


def twice(sim_s: float) -> float:
    """The record that belongs to it."""
    return 2.0 * sim_s


def as_ros2(bag: Path, folder: Path, storage: str, compressed: str = "none") -> Path:
    """The same messages as a ROS 2 bag.

    Args:
        bag: A ROS 1 bag.
        folder: The new bag.
        storage: `sqlite3` or `mcap`.
        compressed: `none`, `file` or `message`.
    """
    convert(
        srcs=[bag],
        dst=folder,
        dst_storage=storage,
        dst_version=9,
        compress=None if compressed == "none" else "zstd",
        compress_mode=compressed,
        default_typestore=None,
        typestore=None,
        exclude_topics=[],
        include_topics=[],
        exclude_msgtypes=[],
        include_msgtypes=[],
    )
    return folder


def with_index_fields_turned(bag: Path, path: Path) -> Path:
    """A bag in which every second index record has its header's fields the other way round.

    C++ `rosbag record` and Python's rosbag write them in different orders; a bag recorded by the
    one and appended to by the other holds both.
    """
    data = bytearray(bag.read_bytes())
    at, turned = 0, 0
    while (at := data.find(struct.pack("<I", 47), at)) >= 0:
        header = bytes(data[at + 4 : at + 51])
        fields = _fields(header)
        if fields is not None and b"op=\x04" in fields:
            turned += 1
            if turned % 2:
                parts = [struct.pack("<I", len(field)) + field for field in reversed(fields)]
                data[at + 4 : at + 51] = b"".join(parts)
        at += 4
    assert turned > 2
    path.write_bytes(data)
    return path


def _fields(header: bytes) -> list[bytes] | None:
    fields, at = [], 0
    while at + 4 <= len(header):
        (size,) = struct.unpack_from("<I", header, at)
        fields.append(header[at + 4 : at + 4 + size])
        at += 4 + size
    return fields if at == len(header) and all(b"=" in field for field in fields) else None


def old_format(path: Path) -> Path:
    """The head of a bag of format 1.2, as ROS wrote them until 2010."""
    path.write_bytes(b"#ROSBAG V1.2\n" + bytes(200))
    return path
