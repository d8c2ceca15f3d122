"""Pixels of a bag's camera frames: raw images of ROS's usual encodings, JPEG, PNG."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"

# Of a raw image: how many bytes a pixel takes, and what makes it blue-green-red.
_ENCODINGS: dict[str, tuple[int, int | None]] = {
    "bgr8": (3, None),
    "8UC3": (3, None),
    "rgb8": (3, cv2.COLOR_RGB2BGR),
    "bgra8": (4, cv2.COLOR_BGRA2BGR),
    "8UC4": (4, cv2.COLOR_BGRA2BGR),
    "rgba8": (4, cv2.COLOR_RGBA2BGR),
    "mono8": (1, cv2.COLOR_GRAY2BGR),
    "8UC1": (1, cv2.COLOR_GRAY2BGR),
}


def blue_green_red(image: Any) -> Picture:
    """Pixels of a camera frame.

    Args:
        image: A sensor_msgs/Image, whose rows may be longer than their pixels, or a
            sensor_msgs/CompressedImage.

    Returns:
        uint8, shape (height, width, 3), blue-green-red.

    Raises:
        ValueError: It is of an encoding that is not known, or no picture at all.
    """
    try:
        if hasattr(image, "format"):
            return _unpacked(image)
        return _raw(image)
    except (cv2.error, AttributeError, TypeError) as error:
        raise ValueError(" ".join(str(error).split())) from error


def _unpacked(image: Any) -> Picture:
    data = np.asarray(image.data, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise ValueError(f"it is no JPEG or PNG (format {image.format!r})")
    return np.asarray(picture, np.uint8)


def _raw(image: Any) -> Picture:
    if image.encoding not in _ENCODINGS:
        known = ", ".join(_ENCODINGS)
        raise ValueError(f"its encoding is {image.encoding!r}; known are {known}")
    size, turn = _ENCODINGS[image.encoding]
    rows = np.asarray(image.data, np.uint8).reshape(image.height, image.step)
    pixels = rows[:, : image.width * size].reshape(image.height, image.width, size)
    if turn is None:
        return np.ascontiguousarray(pixels)
    return np.asarray(cv2.cvtColor(pixels, turn), np.uint8)
