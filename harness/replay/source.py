"""The frames of a bag, and the commands that were given when it was recorded. No ROS."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from brains.interface import Command, Frame
from harness import topics
from harness.errors import DataError
from harness.recording.messages import count_messages, read_messages

Compression = Literal["none", "png", "jpeg"]

_MAGIC: dict[bytes, Compression] = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg"}


@dataclass(frozen=True)
class RecordedFrame:
    """One camera frame of a bag.

    Attributes:
        stamp_ns: Its simulated time.
        pixels: uint8, shape (height, width, 3), red-green-blue.
    """

    stamp_ns: int
    pixels: Frame


@dataclass(frozen=True)
class Source:
    """A bag with camera frames.

    Attributes:
        bag: The file.
        sha256: Of the file.
        camera_topic: Where its frames are.
        compression: What they are packed with; all but `jpeg` gives the very pixels of the camera.
        frames: How many there are.
        model: What drove when it was recorded; None if the bag does not say.
        commands: What was commanded, by the stamp (ns) of the frame that it answered.
    """

    bag: Path
    sha256: str
    camera_topic: str
    compression: Compression
    frames: int
    model: str | None
    commands: Mapping[int, Command]


def open_source(bag: Path) -> Source:
    """Look through a bag, its first frame among the rest.

    Raises:
        DataError: No such file, not a bag, truncated, or without camera frames.
    """
    counts = count_messages(bag)
    topic = next(
        (name for name in (topics.CAMERA, topics.COMPRESSED_CAMERA) if counts.get(name)), None
    )
    if topic is None:
        raise DataError(f"{bag} holds no camera frames: record it with record_camera:=true")
    model, commands = _driven(bag)
    _, _, first = next(read_messages(bag, {topic}))
    with bag.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Source(
        bag=bag,
        sha256=sha256,
        camera_topic=topic,
        compression=_compression(bag, first) if topic == topics.COMPRESSED_CAMERA else "none",
        frames=counts[topic],
        model=model,
        commands=commands,
    )


def read_frames(source: Source) -> Iterator[RecordedFrame]:
    """Every frame of a bag, in the order of the records.

    Raises:
        DataError: The bag is damaged, or a frame is no colour image.
    """
    unpack = _unpacked if source.camera_topic == topics.COMPRESSED_CAMERA else _raw
    for _, _, message in read_messages(source.bag, {source.camera_topic}):
        try:
            pixels = unpack(message)
        except (ValueError, AttributeError, cv2.error) as error:
            line = " ".join(str(error).split())
            raise DataError(f"{source.bag}: a camera frame can't be read: {line}") from error
        yield RecordedFrame(_stamp_ns(message), pixels)


def _driven(bag: Path) -> tuple[str | None, dict[int, Command]]:
    """The model that drove, if known, and its commands by the stamps of their frames."""
    commands: dict[int, Command] = {}
    model = None
    for name, _, message in read_messages(bag, {topics.ITERATIONS, topics.METADATA}):
        try:
            if name == topics.METADATA:
                model = _json_object(message.data).get("model")
            else:
                commands[_stamp_ns(message)] = Command(message.v_m_s, message.w_rad_s)
        except AttributeError as error:
            raise DataError(f"{bag}: {name} has an unexpected type ({error})") from error
    return (str(model) if model else None), commands


def _stamp_ns(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _compression(bag: Path, image: Any) -> Compression:
    data = bytes(image.data[:4])
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return name
    raise DataError(f"{bag}: its camera frames are neither JPEG nor PNG ({image.format!r})")


def _unpacked(image: Any) -> Frame:
    """Pixels of a sensor_msgs/CompressedImage."""
    bgr = cv2.imdecode(np.asarray(image.data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError("it is no JPEG or PNG")
    return np.ascontiguousarray(bgr[..., ::-1], np.uint8)


def _raw(image: Any) -> Frame:
    """Pixels of a sensor_msgs/Image, whose rows may be longer than their pixels."""
    if image.encoding not in {"rgb8", "bgr8"}:
        raise ValueError(f"encoding {image.encoding!r}, not rgb8 or bgr8")
    rows = np.asarray(image.data, np.uint8).reshape(image.height, image.step)
    pixels = rows[:, : image.width * 3].reshape(image.height, image.width, 3)
    return np.ascontiguousarray(pixels if image.encoding == "rgb8" else pixels[..., ::-1])


def _json_object(text: str) -> dict[str, Any]:
    """A JSON object; empty where the text is none (a foreign bag may hold anything there)."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
