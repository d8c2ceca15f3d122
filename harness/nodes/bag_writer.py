"""Writes the bag of a run: record times are wall clock, message stamps simulated time."""

import json
from pathlib import Path
from typing import Any

import cv2
import genpy
import numpy as np
import rosbag
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from harness.errors import StorageError
from harness.nodes.frame_loop import as_frame

_JPEG_QUALITY = 92


class BagWriter:
    """One bag, open from the start of a run to its end."""

    def __init__(self, path: Path) -> None:
        """Opens a new bag.

        Raises:
            StorageError: the file can't be created.
        """
        self.path = path
        try:
            self._bag = rosbag.Bag(str(path), "w", compression="lz4")
        except OSError as error:
            raise StorageError(f"{path}: can't create the bag: {error}") from None

    def write(self, topic: str, message: Any, wall_s: float) -> None:
        """Appends a message.

        Raises:
            StorageError: the disk is full or gone.
        """
        if not np.isfinite(wall_s):
            raise ValueError("a record needs a finite wall time")
        try:
            self._bag.write(topic, message, genpy.Time.from_sec(wall_s))
        except OSError as error:
            raise StorageError(f"{self.path}: can't write the bag: {error}") from None

    def write_json(self, topic: str, value: Any, wall_s: float) -> None:
        """Appends a JSON document as std_msgs/String, as the published study's bags have it."""
        self.write(topic, String(data=json.dumps(value)), wall_s)

    def write_image(self, topic: str, image: Image, wall_s: float) -> None:
        """Appends a camera frame as JPEG under its own stamp."""
        bgr = cv2.cvtColor(as_frame(image), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        message = CompressedImage(header=image.header, format="jpeg", data=data.tobytes())
        self.write(f"{topic}/compressed", message, wall_s)

    def close(self) -> None:
        """Writes the index.

        Raises:
            StorageError: the disk is full or gone.
        """
        try:
            self._bag.close()
        except OSError as error:
            raise StorageError(f"{self.path}: can't close the bag: {error}") from None

    def append_json(self, topic: str, value: Any, wall_s: float) -> None:
        """Adds one JSON document to the closed bag.

        Raises:
            StorageError: the disk is full or gone.
        """
        try:
            self._bag = rosbag.Bag(str(self.path), "a")
        except OSError as error:
            raise StorageError(f"{self.path}: can't reopen the bag: {error}") from None
        self.write_json(topic, value, wall_s)
        self.close()
