"""Writes the bag of a run: record times are wall clock, message stamps simulated time."""

import errno
import json
import math
import os
import shutil
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import cv2
import genpy
import numpy as np
import rosbag
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from harness import topics
from harness.errors import StorageError
from harness.nodes import transforms
from harness.nodes.frames import as_frame

# Run lengths alone: a third of the time of the default, and 5 % larger.
_PNG_OPTIONS = [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
# Of a lap without camera a chunk fills for ten seconds before it is written: a full disk is looked
# for meanwhile. What is kept free takes the last chunk and the index.
_LOOK_EVERY_S = 1.0
_KEPT_FREE_BYTES = 1 << 20


class BagWriter:
    """One bag, open from the start of a run to its end."""

    def __init__(self, path: Path, mode: Literal["w", "a"] = "w") -> None:
        """Opens a bag.

        Args:
            path: the file.
            mode: `w` for a new one, `a` to append to one that was closed.

        Raises:
            StorageError: the file can't be opened.
        """
        self.path = path
        self._looked_s = -math.inf
        try:
            self._bag = rosbag.Bag(str(path), mode, compression="lz4")
        except (OSError, rosbag.ROSBagException) as error:
            raise StorageError(f"{path}: can't open the bag: {error}") from None

    def write(
        self,
        topic: str,
        message: Any,
        wall_s: float,
        connection_header: Mapping[str, str] | None = None,
    ) -> None:
        """Appends a message.

        Args:
            topic: of the message.
            message: of any type.
            wall_s: time of the record.
            connection_header: of a topic's first message, where the default will not do.

        Raises:
            StorageError: the disk is full or gone.
        """
        if not np.isfinite(wall_s):
            raise ValueError("a record needs a finite wall time")
        try:
            stamp = genpy.Time.from_sec(wall_s)
            self._bag.write(topic, message, stamp, connection_header=connection_header)
        except OSError as error:
            raise StorageError(f"{self.path}: can't write the bag: {error}") from None
        if wall_s >= self._looked_s + _LOOK_EVERY_S:
            self._looked_s = wall_s
            self._check_space()

    def _check_space(self) -> None:
        if shutil.disk_usage(self.path.parent).free < _KEPT_FREE_BYTES:
            raise StorageError(f"{self.path}: can't write the bag: {os.strerror(errno.ENOSPC)}")

    def write_json(self, topic: str, value: Any, wall_s: float) -> None:
        """Appends a JSON document as std_msgs/String, as the published study's bags have it."""
        self.write(topic, String(data=json.dumps(value)), wall_s)

    def write_image(self, topic: str, image: Image, wall_s: float) -> None:
        """Appends a camera frame under its own stamp, named and packed as image_transport does.

        PNG: a replay then shows a model the very pixels that the brain saw. Of these flat scenes it
        is smaller than JPEG, too.
        """
        bgr = cv2.cvtColor(as_frame(image), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".png", bgr, _PNG_OPTIONS)
        message = CompressedImage(
            header=image.header, format="rgb8; png compressed bgr8", data=data.tobytes()
        )
        self.write(f"{topic}/compressed", message, wall_s)

    def write_transform(self, odometry: Odometry, wall_s: float) -> None:
        """Appends where the car is, for rviz and Foxglove."""
        self.write(topics.TRANSFORMS, transforms.of_odometry(odometry), wall_s)

    def write_lasting(self, topic: str, message: Any, wall_s: float) -> None:
        """Appends a message that `rosbag play` publishes latched, for those who come late.

        Raises:
            StorageError: the disk is full or gone.
        """
        header = {
            "topic": topic,
            "type": message._type,
            "md5sum": message._md5sum,
            "message_definition": message._full_text,
            "latching": "1",
        }
        self.write(topic, message, wall_s, header)

    def close(self) -> None:
        """Writes the index.

        Raises:
            StorageError: the disk is full or gone.
        """
        try:
            self._bag.close()
        except OSError as error:
            raise StorageError(f"{self.path}: can't close the bag: {error}") from None


def append_json(path: Path, topic: str, value: Any, wall_s: float) -> None:
    """Adds one JSON document to a closed bag.

    Raises:
        StorageError: it is no whole bag, or the disk is full or gone.
    """
    with closing(BagWriter(path, "a")) as bag:
        bag.write_json(topic, value, wall_s)
