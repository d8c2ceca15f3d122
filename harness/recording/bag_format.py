"""Of which format a bag is, told by its content: what can't be read is named with its way out."""

from pathlib import Path
from typing import Literal

from harness.errors import DataError

BagFormat = Literal["ros1", "folder", "mcap", "sqlite3"]

ROS1_MAGIC = b"#ROSBAG V2.0\n"
METADATA_NAME = "metadata.yaml"
# What the files of bags end in; a folder is searched for them.
SUFFIXES = (".bag", ".mcap", ".db3")

_MAGIC: dict[bytes, BagFormat] = {
    ROS1_MAGIC: "ros1",
    b"\x89MCAP0\r\n": "mcap",
    b"SQLite format 3\x00": "sqlite3",
}
_OLDER = (b"#ROSBAG V", b"#ROSRECORD V")
_ZSTD = b"\x28\xb5\x2f\xfd"
_HEAD_BYTES = 64


def format_of(bag: Path) -> BagFormat:
    """The format of a bag: ROS 1, or ROS 2 as a folder, an MCAP file or an SQLite file.

    Raises:
        DataError: It is missing, can't be read, or is no bag of these formats.
    """
    if not bag.exists():
        raise DataError(f"no such bag: {bag}")
    if bag.is_dir():
        if not (bag / METADATA_NAME).is_file():
            raise DataError(f"{bag} is a folder, not a bag: give the bag in it")
        return "folder"
    try:
        with bag.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise DataError(f"{bag} can't be read: {error.strerror}") from error
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    raise DataError(f"{bag} {_what_else(bag, head)}")


def _what_else(bag: Path, head: bytes) -> str:
    """What a file is that can't be read as a bag, and the way out."""
    if not head:
        return "is empty"
    if head.startswith(_OLDER):
        version = head.split(b"\n", 1)[0].split(b" V", 1)[1].decode("ascii", "replace").strip()
        # Noetic's `rosbag reindex` should convert it, but raises a TypeError; its player reads it.
        return (
            f"is a ROS 1 bag of the old format {version}, not 2.0: play it by `rosbag play {bag}`"
            " while `rosbag record -a` writes it anew"
        )
    if head.startswith(_ZSTD):
        return (
            "is a compressed file: give the ROS 2 bag's folder, whose metadata.yaml says so, or"
            f" unpack it (`zstd -d {bag}`)"
        )
    if bag.name == METADATA_NAME:
        return "is the description of a ROS 2 bag: give its folder"
    return "is no bag: neither ROS 1 (.bag, format 2.0) nor ROS 2 (folder, .mcap, .db3)"
