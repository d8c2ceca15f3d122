"""Messages of a bag, whole or damaged. Read by the rosbags library: needs no ROS install."""

import struct
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
from backports import zstd
from rosbags.interfaces import Connection, ConnectionExtRosbag1
from rosbags.rosbag1 import ReaderError, Writer
from rosbags.rosbag2 import ReaderError as Ros2ReaderError
from rosbags.serde import SerdeError

from harness.errors import DataError, StorageError
from harness.recording.bag_format import METADATA_NAME, SUFFIXES, BagFormat, format_of
from harness.recording.open_bag import IndexedReader, OpenBag, Record, Topic
from harness.recording.scanned_bag import ScannedReader

BAG_NAME = "run.bag"
# Beside its own errors the reader lets those of parsing and decompressing damaged bytes through.
_DAMAGE = (
    ReaderError,
    Ros2ReaderError,
    SerdeError,
    AssertionError,
    LookupError,
    ValueError,
    TypeError,
    RuntimeError,
    EOFError,
    struct.error,
    apsw.Error,
    zstd.ZstdError,
)


class DamagedBagError(DataError):
    """A ROS 1 bag that is cut off, unindexed or garbled, but may still hold something."""


def bag_of(path: Path) -> Path:
    """The bag meant by a path: itself, or the one in a folder.

    A ROS 2 bag is a folder itself. In any other folder it is a recording's `run.bag`, else the
    only bag there.

    Raises:
        DataError: There is none, or more than one.
    """
    if not path.is_dir() or (path / METADATA_NAME).is_file():
        if not path.exists():
            raise DataError(f"no such bag: {path}")
        return path
    if (path / BAG_NAME).exists():
        return path / BAG_NAME
    try:
        inside = sorted(path.iterdir())
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}") from error
    found = [p for p in inside if p.suffix in SUFFIXES or (p / METADATA_NAME).is_file()]
    if len(found) > 1:
        raise DataError(
            f"{path} holds {len(found)} bags: give one of {', '.join(bag.name for bag in found)}"
        )
    if not found:
        raise DataError(f"no such bag: {path / BAG_NAME}")
    return found[0]


def read_messages(bag: Path, topics: Collection[str]) -> Iterator[tuple[str, int, Any]]:
    """The messages of some topics in the order of their records: topic, wall time in ns, message.

    Raises:
        DataError: No such file, not a bag, or a message definition that can't be read.
        DamagedBagError: It is cut off, unindexed or garbled.
    """
    with opened(bag) as reader:
        for topic, time_ns, _, message in reader.records(topics):
            yield topic, time_ns, message


def topics_of(bag: Path) -> dict[str, Topic]:
    """The topics of a bag by name, by its index.

    Raises:
        DataError: No such file, or not a bag.
        DamagedBagError: It is cut off, unindexed or garbled.
    """
    with opened(bag) as reader:
        return reader.topics


def whatever_topics(bag: Path) -> dict[str, Topic]:
    """As `topics_of`, of a bag that may be damaged."""
    try:
        return topics_of(bag)
    except DamagedBagError:
        with opened_damaged(bag) as reader:
            return reader.topics


@contextmanager
def opened(bag: Path) -> Iterator[OpenBag]:
    """An open bag; what is wrong with it is one line.

    Raises:
        DataError: No such file, not a bag, or a ROS 2 bag that is damaged.
        DamagedBagError: A ROS 1 bag that is cut off, unindexed or garbled.
    """
    kind = format_of(bag)
    try:
        with OpenBag.of(bag, kind) as reader:
            yield reader
    except _DAMAGE as error:
        raise _damaged(bag, kind, error) from error
    except OSError as error:
        # bz2 tells garbled bytes by an OSError without a number.
        if error.errno is None:
            raise _damaged(bag, kind, error) from error
        raise DataError(f"{bag} can't be read: {error.strerror}") from error


class DamagedBag:
    """An open ROS 1 bag that may be damaged: what is still there."""

    def __init__(self, reader: OpenBag, scanned: ScannedReader) -> None:
        """Take an open bag and the reader behind it."""
        self._reader = reader
        self._unread: Counter[str] = Counter()
        self._scanned = scanned

    @property
    def topics(self) -> dict[str, Topic]:
        """All topics by name."""
        return self._reader.topics

    @property
    def losses(self) -> list[str]:
        """A line for everything that can't be read any more; complete when all is read."""
        garbled = [
            f"{count} messages of {topic} are garbled" for topic, count in self._unread.items()
        ]
        return [*self._scanned.losses, *garbled]

    def records(self, topics: Collection[str]) -> Iterator[Record]:
        """The messages of some topics that are still there, in the order of their records."""
        return self._reader.records(topics, self._unread, _DAMAGE)


@contextmanager
def opened_damaged(bag: Path) -> Iterator[DamagedBag]:
    """As `opened`, of a ROS 1 bag that may be damaged.

    Raises:
        DataError: No such file, or not a ROS 1 bag.
    """
    check_is_ros1(bag)
    scanned = ScannedReader(bag)
    try:
        with OpenBag(bag, scanned) as reader:
            yield DamagedBag(reader, scanned)
    except OSError as error:
        raise DataError(f"{bag} can't be read: {error.strerror}") from error


def read_damaged(
    bag: Path, topics: Collection[str], losses: list[str]
) -> Iterator[tuple[str, int, Any]]:
    """As `read_messages`, of a ROS 1 bag that may be damaged: what is still there.

    Args:
        bag: The bag.
        topics: The topics wanted.
        losses: Takes a line for everything that can't be read any more, when all is read.

    Raises:
        DataError: No such file, not a ROS 1 bag, or a message definition that can't be read.
    """
    with opened_damaged(bag) as reader:
        for topic, time_ns, _, message in reader.records(topics):
            yield topic, time_ns, message
        losses += reader.losses


def check_is_ros1(bag: Path) -> None:
    """Tell a ROS 1 bag from everything else.

    Raises:
        DataError: It is missing, can't be read, or is no ROS 1 bag.
    """
    if format_of(bag) != "ros1":
        raise DataError(f"{bag} is a ROS 2 bag: only a damaged ROS 1 bag can be mended here")


def mend_bag(bag: Path) -> bool:
    """Write a damaged bag anew in its place, with an index and all that is still there.

    Args:
        bag: The file, which need not exist.

    Returns:
        Whether it was written: False for a whole bag, for none, and for one that holds nothing.

    Raises:
        StorageError: The disk is full.
    """
    try:
        check_is_ros1(bag)
    except DataError:
        return False
    if _is_whole(bag):
        return False
    fresh = bag.with_name(f".{bag.name}.mended")
    fresh.unlink(missing_ok=True)
    writer = Writer(fresh)
    writer.set_compression(Writer.CompressionFormat.LZ4)
    try:
        with ScannedReader(bag) as reader, writer:
            copies: dict[tuple[Any, ...], Connection] = {}
            for connection, time_ns, data in reader.messages():
                key = (connection.topic, connection.msgtype, connection.digest, connection.ext)
                if key not in copies:
                    copies[key] = copy_connection(connection, writer)
                writer.write(copies[key], time_ns, data)
        if not copies:
            return False
        fresh.replace(bag)
    except OSError as error:
        raise StorageError(f"{bag}: can't write the mended bag: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
    return True


def copy_connection(connection: Connection, writer: Writer) -> Connection:
    """Open a topic in another bag as it is in its own."""
    assert isinstance(connection.ext, ConnectionExtRosbag1)
    return writer.add_connection(
        connection.topic,
        connection.msgtype,
        msgdef=connection.msgdef.data,
        md5sum=connection.digest,
        callerid=connection.ext.callerid,
        latching=connection.ext.latching,
    )


def _is_whole(bag: Path) -> bool:
    """Whether every message can be read by the index."""
    try:
        with IndexedReader(bag) as reader:
            for _ in reader.messages():
                pass
    except (*_DAMAGE, OSError):
        return False
    return True


def _damaged(bag: Path, kind: BagFormat, error: BaseException) -> DataError:
    if kind == "ros1":
        return DamagedBagError(
            f"{bag} is truncated or has no index (its recorder was killed?): `harness metrics`"
            f" reads what is there, `rosbag reindex {bag}` mends it"
        )
    why = " ".join(str(error).split()) or type(error).__name__
    mend = f"`mcap recover {bag}`" if kind == "mcap" else "`ros2 bag reindex`"
    return DataError(f"{bag}, a ROS 2 bag, can't be read ({why}): {mend} may mend it")
