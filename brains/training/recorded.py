"""Camera frames and the expert's labels of recordings, as their bags hold them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from brains.interface import Frame
from harness import topics
from harness.errors import DataError, one_line

BAG_FILE = "run.bag"
_BAG_OF_ROS_2 = "metadata.yaml"
UNKNOWN = "unknown"
"""Circuit of frames of which nobody said where they were taken."""

_IMAGES = ("sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image")
_TURNED = {
    "rgb8": None,
    "bgr8": cv2.COLOR_BGR2RGB,
    "rgba8": cv2.COLOR_RGBA2RGB,
    "bgra8": cv2.COLOR_BGRA2RGB,
    "mono8": cv2.COLOR_GRAY2RGB,
}
"""Encodings of raw images, and what turns each into red-green-blue."""


@dataclass(frozen=True)
class Run:
    """Frames of one drive, in their order, with their labels.

    Attributes:
        name: Of the run, unlike those of others in a data set.
        circuit: Where it drove.
        direction: ``forward`` or ``reverse``.
        encoded: Each frame as recorded, a JPEG or PNG file.
        labels: float32, (n, 2), v m/s and w rad/s; empty, (0, 2), where nobody knows them all.
        stamps_ns: int64, (n,), simulated time of each frame; empty where nobody knows it.
    """

    name: str
    circuit: str
    direction: str
    encoded: Sequence[bytes]
    labels: NDArray[np.float32]
    stamps_ns: NDArray[np.int64]

    @property
    def firsts(self) -> NDArray[np.int64]:
        """First row of each sequence of frames, none of which is missing: int64, (sequences,)."""
        steps = np.diff(self.stamps_ns)
        if not len(steps):
            return np.zeros(min(1, len(self.encoded)), np.int64)
        return np.concatenate([[0], 1 + np.flatnonzero(steps > 1.5 * np.median(steps))])


def read_run(recording: Path) -> Run:
    """Read the labelled frames of a recording's bag.

    Args:
        recording: Folder that holds ``run.bag``, or a bag itself.

    Raises:
        DataError: There is no bag, it is broken, or it has no frames with labels.
    """
    bag = bag_of(recording)
    content = _read(bag)
    stamps = sorted(content.images.keys() & content.labels.keys())
    if not stamps:
        raise DataError(
            f"{bag} has no frames with labels ({len(content.images)} frames, "
            f"{len(content.labels)} labels): record the expert with record_camera:=true"
        )
    return _run(recording, content, stamps, labelled=True)


def read_frames(
    recording: Path, picture: Callable[[Frame], NDArray[np.uint8]] = np.asarray
) -> NDArray[np.uint8]:
    """All camera frames of a recording in their order, each as ``picture`` makes it.

    Args:
        recording: Folder that holds ``run.bag``, or a bag itself.
        picture: What is kept of a frame; the default keeps it whole.

    Returns:
        uint8, (n, height, width, channels).

    Raises:
        DataError: There is no bag, it is broken, or it has no frames.
    """
    run = read_drive(recording)
    return np.stack([picture(decoded(data, bag_of(recording))) for data in run.encoded])


def read_drive(recording: Path) -> Run:
    """Read all frames of a recording's bag, whether they have labels or not.

    Args:
        recording: Folder that holds ``run.bag``, or a bag itself.

    Returns:
        The run; its labels are empty, shape (0, 2), where a frame has none.

    Raises:
        DataError: There is no bag, it is broken, or it has no frames.
    """
    bag = bag_of(recording)
    content = _read(bag)
    if not content.images:
        raise DataError(f"{bag} has no camera frames: drive with record_camera:=true")
    every = content.images.keys() <= content.labels.keys()
    return _run(recording, content, sorted(content.images), labelled=every)


def _run(recording: Path, content: "_Content", stamps: list[int], *, labelled: bool) -> Run:
    labels = [content.labels[stamp] for stamp in stamps] if labelled else []
    return Run(
        recording.name,
        str(content.metadata.get("circuit", UNKNOWN)),
        str(content.metadata.get("direction", "forward")),
        [content.images[stamp] for stamp in stamps],
        np.array(labels, np.float32).reshape(-1, 2),
        np.array(stamps, np.int64),
    )


def bag_of(recording: Path) -> Path:
    """The bag that a recording's folder holds, or that it is itself (of ROS 2: a folder).

    Raises:
        DataError: There is none.
    """
    if recording.is_file() or (recording / _BAG_OF_ROS_2).is_file():
        return recording
    bag = recording / BAG_FILE
    if not bag.is_file():
        raise DataError(f"{recording} holds no {BAG_FILE}: give folders of recordings")
    return bag


def decoded(data: bytes, source: object) -> Frame:
    """Decode a JPEG or PNG file: uint8, (height, width, 3), red-green-blue.

    Args:
        data: The file's content.
        source: Where it is from, for what is said of it.

    Raises:
        DataError: It is neither.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:  # of an image beyond all bounds
        image = None
    if image is None:
        raise DataError(f"{source}: not a JPEG or PNG that can be read")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def encoded(frame: Frame) -> bytes:
    """A frame, uint8 (height, width, 3), red-green-blue, as a PNG file."""
    done, png = cv2.imencode(".png", frame[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise ValueError(f"a frame of shape {frame.shape} fits no PNG")
    return png.tobytes()


@dataclass
class _Content:
    """What a bag says: frames and labels by stamp in ns, and the run's metadata."""

    images: dict[int, bytes]
    labels: dict[int, tuple[float, float]]
    metadata: dict[str, Any]


def _read(bag: Path) -> _Content:
    content = _Content({}, {}, {})
    try:
        for topic, message in _messages(bag):
            if topic == topics.METADATA:
                content.metadata = json.loads(message.data)
                continue
            stamp = message.header.stamp
            stamp_ns = stamp.sec * 10**9 + stamp.nanosec
            if topic == topics.LABELS:
                label = message.twist.linear.x, message.twist.angular.z
                content.labels[stamp_ns] = label
            elif hasattr(message, "format"):
                content.images[stamp_ns] = message.data.tobytes()
            else:
                content.images[stamp_ns] = encoded(_pixels(message))
    except DataError:
        raise
    except Exception as error:  # of a garbled file the reader raises anything, TypeError too
        raise DataError(f"{bag} can't be read: {one_line(error)}") from error
    return content


def _messages(bag: Path) -> Iterator[tuple[str, Any]]:
    """Topic and message of a bag's messages on the topics that are needed."""
    with AnyReader([bag], default_typestore=get_typestore(Stores.ROS1_NOETIC)) as reader:
        kinds = {c.topic: c.msgtype for c in reader.connections}
        wanted = {_camera(bag, kinds), topics.LABELS, topics.METADATA}
        connections = [c for c in reader.connections if c.topic in wanted]
        for connection, _, data in reader.messages(connections):
            yield connection.topic, reader.deserialize(data, connection.msgtype)


def _camera(bag: Path, kinds: Mapping[str, str]) -> str | None:
    """The topic of the frames: the usual one, else the only one of images; None without any.

    Args:
        bag: The bag, for what is said of it.
        kinds: Types of the topics' messages, by topic.

    Raises:
        DataError: There are several, none of which is the usual one.
    """
    for usual in (topics.COMPRESSED_CAMERA, topics.CAMERA):
        if usual in kinds:
            return usual
    found = sorted(topic for topic, kind in kinds.items() if kind in _IMAGES)
    if len(found) > 1:
        raise DataError(f"{bag} has several cameras, none is {topics.CAMERA}: {', '.join(found)}")
    return found[0] if found else None


def _pixels(image: Any) -> Frame:
    """Pixels of a raw image message, red-green-blue."""
    if image.encoding not in _TURNED:
        raise ValueError(f"its images are {image.encoding!r}; known are {', '.join(_TURNED)}")
    rows = np.asarray(image.data, np.uint8).reshape(image.height, image.step)
    channels = {"mono8": 1, "rgb8": 3, "bgr8": 3}.get(image.encoding, 4)
    pixels = rows[:, : image.width * channels].reshape(image.height, image.width, channels)
    turn = _TURNED[image.encoding]
    return np.asarray(pixels if turn is None else cv2.cvtColor(pixels, turn), np.uint8)
