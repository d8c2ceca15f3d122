"""Camera frames of a bag, one after the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness.recording.messages import DamagedBagError, read_damaged, read_messages
from harness.topics import CAMERA, COMPRESSED_CAMERA

Picture = NDArray[np.uint8]

# Of an uncompressed image: how many bytes a pixel takes, and what makes it blue-green-red.
_ENCODINGS = {"rgb8": cv2.COLOR_RGB2BGR, "bgr8": None}


def camera_frames(bag: Path) -> Iterator[tuple[float, Picture]]:
    """Simulated stamp and picture, uint8 (height, width, 3) in blue-green-red, of every frame.

    Of a damaged bag come the frames that are still there.

    Raises:
        DataError: No such bag, or a frame of an encoding that is not known.
    """
    topics = (CAMERA, COMPRESSED_CAMERA)
    given = 0
    try:
        for topic, _, message in read_messages(bag, topics):
            yield _frame(bag, topic, message)
            given += 1
    except DamagedBagError:
        # The same messages come again, in the same order, and more.
        for number, (topic, _, message) in enumerate(read_damaged(bag, topics, [])):
            if number >= given:
                yield _frame(bag, topic, message)


def _frame(bag: Path, topic: str, message: Any) -> tuple[float, Picture]:
    stamp = message.header.stamp
    sim_s = (stamp.sec * 1_000_000_000 + stamp.nanosec) / 1_000_000_000
    if topic == COMPRESSED_CAMERA:
        picture = cv2.imdecode(np.asarray(message.data), cv2.IMREAD_COLOR)
        if picture is None:
            raise DataError(f"{bag}: the camera's frame of {sim_s:.2f} s is no JPEG or PNG")
        return sim_s, np.asarray(picture, dtype=np.uint8)
    if message.encoding not in _ENCODINGS:
        known = " or ".join(_ENCODINGS)
        raise DataError(f"{bag}: the camera's frames are {message.encoding}, expected {known}")
    rows = np.asarray(message.data, dtype=np.uint8).reshape(message.height, message.step)
    pixels = rows[:, : 3 * message.width].reshape(message.height, message.width, 3)
    turn = _ENCODINGS[message.encoding]
    if turn is None:
        return sim_s, pixels
    return sim_s, np.asarray(cv2.cvtColor(pixels, turn), dtype=np.uint8)
