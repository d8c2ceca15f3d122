"""`python -m harness.recording.sample RUN OUTPUT`: a recording small enough for git, nothing lost.

The camera's flat scenes have a few dozen colours: a PNG with a palette holds the same pixels in a
quarter of the bytes. All other messages stay as they are, in chunks compressed by bzip2.
"""

import argparse
import io
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rosbags.interfaces import Connection
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore

from harness.errors import DataError, PitwallError
from harness.files import writing
from harness.recording.messages import BAG_NAME, bag_of, copy_connection
from harness.recording.open_bag import IndexedReader
from harness.recording.results import RESULT_NAME
from harness.topics import COMPRESSED_CAMERA

_PALETTE = 256
_KEPT = (RESULT_NAME, "command.sh")


def make_sample(recording: Path, output: Path) -> None:
    """Write a recording anew: bag, result and command, without logs and pictures.

    Args:
        recording: A recording's folder; its bag is whole.
        output: The new folder, which holds no bag yet.

    Raises:
        DataError: There is no bag, or the output has one already.
        StorageError: The output can't be written.
    """
    bag, small = bag_of(recording), output / BAG_NAME
    if small.exists():
        raise DataError(f"{small} is there already")
    typestore = get_typestore(Stores.ROS1_NOETIC)
    kind = "sensor_msgs/msg/CompressedImage"
    with writing(small):
        writer = Writer(small)
        writer.set_compression(Writer.CompressionFormat.BZ2)
        with IndexedReader(bag) as reader, writer:
            copies: dict[int, Connection] = {}
            for connection, time_ns, data in reader.messages():
                if connection.id not in copies:
                    copies[connection.id] = copy_connection(connection, writer)
                kept = data
                if connection.topic == COMPRESSED_CAMERA:
                    message: Any = typestore.deserialize_ros1(data, kind)
                    message.data = _with_palette(message.data)
                    kept = bytes(typestore.serialize_ros1(message, kind))
                writer.write(copies[connection.id], time_ns, kept)
        for name in _KEPT:
            shutil.copyfile(recording / name, output / name)


def _with_palette(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An encoded frame as PNG with a palette; as it is where that would lose a colour."""
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if pixels is None:
        return data
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colours, index = np.unique(packed, return_inverse=True)
    if len(colours) > _PALETTE:
        return data
    image = Image.fromarray(index.reshape(packed.shape).astype(np.uint8), mode="P")
    blue_green_red = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
    image.putpalette(blue_green_red[:, ::-1].astype(np.uint8).tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return np.frombuffer(file.getvalue(), np.uint8)


def main() -> int:
    """Makes the sample; the exit code of what went wrong, if anything did."""
    parser = argparse.ArgumentParser(prog="python -m harness.recording.sample", description=__doc__)
    parser.add_argument("recording", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    try:
        make_sample(options.recording, options.output)
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
