"""Messages of a bag, whole or damaged. Read by the rosbags library: needs no ROS install."""

import struct
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection, ConnectionExtRosbag1
from rosbags.rosbag1 import Reader, ReaderError, Writer
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, TypesysError, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from harness.errors import DataError, StorageError
from harness.recording.scanned_bag import MAGIC, ScannedReader

BAG_NAME = "run.bag"
# Beside its own errors the reader lets those of parsing and decompressing damaged bytes through.
_DAMAGE = (
    ReaderError,
    SerdeError,
    AssertionError,
    LookupError,
    ValueError,
    RuntimeError,
    EOFError,
    struct.error,
)


class DamagedBagError(DataError):
    """A bag that is cut off, unindexed or garbled, but may still hold something."""


def bag_of(path: Path) -> Path:
    """The bag meant by a path: itself, or the one in a recording's folder.

    Raises:
        DataError: There is none.
    """
    bag = path / BAG_NAME if path.is_dir() else path
    if not bag.exists():
        raise DataError(f"no such bag: {bag}")
    return bag


def check_is_bag(bag: Path) -> None:
    """Tell a bag from other files.

    Raises:
        DataError: It is missing, can't be read, or is no ROS 1 bag.
    """
    if not bag.exists():
        raise DataError(f"no such bag: {bag}")
    if bag.is_dir():
        raise DataError(f"{bag} is a folder, not a bag: give its {BAG_NAME}")
    try:
        with bag.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise DataError(f"{bag} can't be read: {error.strerror}") from error
    if magic != MAGIC:
        raise DataError(f"{bag} is not a ROS 1 bag (version 2.0)")


def read_messages(bag: Path, topics: Collection[str]) -> Iterator[tuple[str, int, Any]]:
    """The messages of some topics in the order of their records: topic, wall time in ns, message.

    Raises:
        DataError: No such file, not a bag, or a message definition that can't be read.
        DamagedBagError: It is cut off, unindexed or garbled.
    """
    with _opened(bag) as reader:
        wanted = [c for c in reader.connections if c.topic in topics]
        typestore = _typestore(bag, wanted)
        for connection, time_ns, data in reader.messages(wanted) if wanted else ():
            message = typestore.deserialize_ros1(data, connection.msgtype)
            yield connection.topic, time_ns, message


def count_messages(bag: Path) -> Counter[str]:
    """How many messages each topic of a bag has, by its index.

    Raises:
        DataError: No such file, or not a bag.
        DamagedBagError: It is cut off, unindexed or garbled.
    """
    counts: Counter[str] = Counter()
    with _opened(bag) as reader:
        for connection in reader.connections:
            counts[connection.topic] += connection.msgcount
    return counts


@contextmanager
def _opened(bag: Path) -> Iterator[Reader]:
    """A bag's reader; what is wrong with the bag is one line."""
    check_is_bag(bag)
    try:
        with Reader(bag) as reader:
            yield reader
    except _DAMAGE as error:
        raise _damaged(bag) from error
    except OSError as error:
        # bz2 tells garbled bytes by an OSError without a number.
        if error.errno is None:
            raise _damaged(bag) from error
        raise DataError(f"{bag} can't be read: {error.strerror}") from error


def read_damaged(
    bag: Path, topics: Collection[str], losses: list[str]
) -> Iterator[tuple[str, int, Any]]:
    """As `read_messages`, of a bag that may be damaged: what is still there.

    Args:
        bag: The bag.
        topics: The topics wanted.
        losses: Takes a line for everything that can't be read any more, when all is read.

    Raises:
        DataError: No such file, not a bag, or a message definition that can't be read.
    """
    check_is_bag(bag)
    unread: Counter[str] = Counter()
    try:
        with ScannedReader(bag) as reader:
            losses += reader.losses
            wanted = [c for c in reader.connections if c.topic in topics]
            typestore = _typestore(bag, wanted)
            for connection, time_ns, data in reader.messages(wanted) if wanted else ():
                try:
                    message = typestore.deserialize_ros1(data, connection.msgtype)
                except _DAMAGE:
                    unread[connection.topic] += 1
                    continue
                yield connection.topic, time_ns, message
    except OSError as error:
        raise DataError(f"{bag} can't be read: {error.strerror}") from error
    losses += [f"{count} messages of {topic} are garbled" for topic, count in unread.items()]


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
        check_is_bag(bag)
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
        with Reader(bag) as reader:
            for _ in reader.messages():
                pass
    except (*_DAMAGE, OSError):
        return False
    return True


def _damaged(bag: Path) -> DamagedBagError:
    return DamagedBagError(
        f"{bag} is truncated or has no index (its recorder was killed?): `harness metrics` reads"
        f" what is there, `rosbag reindex {bag}` mends it"
    )


def _typestore(bag: Path, connections: Collection[Connection]) -> Typestore:
    """A typestore that knows exactly the types which the bag itself defines."""
    typestore = get_typestore(Stores.EMPTY)
    try:
        types: dict[str, Any] = {}
        for connection in connections:
            types.update(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        typestore.register(types)
    except TypesysError as error:
        raise DataError(f"{bag}: a message definition can't be read ({error})") from error
    return typestore
