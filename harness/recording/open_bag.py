"""An open bag of any format that the rosbags library reads: its topics and its messages.

The library's `AnyReader` is the same on one side of it: it tells the format by the file's name (a
ROS 1 bag must end in `.bag`) and refuses a whole bag for one topic whose definition it can't read
or whose checksum is another (`*`, as relays write it). So its parts are used here: the readers
and the types, and of these only what is asked for.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.rosbag1 import Reader
from rosbags.rosbag1.reader import IndexData
from rosbags.rosbag2.reader import DirectoryReader
from rosbags.rosbag2.storage_mcap import McapReader
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader
from rosbags.typesys import (
    Stores,
    TypesysError,
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
)
from rosbags.typesys.store import Typestore

from harness.errors import DataError
from harness.recording.bag_format import BagFormat

# A simulation begins at 0, the wall's clock passed this in September 2001.
_EPOCH_NS = 10**18
_IDL_BREAK = "=" * 80 + "\n"


class IndexedReader(Reader):
    """The library's reader of ROS 1 bags by their index, mended.

    rosbags 0.11.9 (`Reader.read_index_data`) takes it that all index records have their fields in
    the order of the first. C++ `rosbag record` and Python's rosbag write them in different orders:
    a bag recorded by the one and appended to by the other holds both, and an assertion refuses it.
    """

    def read_index_data(self, pos: int, indexes: dict[int, list[IndexData]]) -> None:
        """Read an index record, whatever the order of its fields."""
        self.index_data_header_offsets = None
        super().read_index_data(pos, indexes)


@dataclass(frozen=True)
class Topic:
    """A topic of a bag.

    Attributes:
        kind: The type of its messages, such as `nav_msgs/msg/Odometry`.
        count: How many there are.
    """

    kind: str
    count: int


class Record(NamedTuple):
    """One message of a bag.

    Attributes:
        topic: Its topic.
        time_ns: When it was recorded, by the recorder's clock.
        place: Where it lies in the file, ascending in the order of writing; only of a ROS 1 bag
            whose records may be stamped in simulated time.
        message: What it says.
    """

    topic: str
    time_ns: int
    place: tuple[int, int] | None
    message: Any


class _AnyReader(Protocol):
    """What the library's readers of all formats have."""

    connections: list[Connection]

    def open(self) -> None:
        """Read the index."""

    def close(self) -> None:
        """Close the file."""

    def messages(self, connections: Collection[Connection]) -> Iterator[tuple[Any, int, bytes]]:
        """Messages of some connections, in the order of their times."""


_READERS: Mapping[BagFormat, Callable[[Path], _AnyReader]] = {
    "ros1": IndexedReader,
    "folder": DirectoryReader,
    "mcap": McapReader,
    "sqlite3": Sqlite3Reader,
}


class OpenBag:
    """A bag, open within a `with`."""

    def __init__(self, bag: Path, reader: _AnyReader) -> None:
        """Take a bag.

        Args:
            bag: The file or folder.
            reader: Reads it; not yet open.
        """
        self._bag = bag
        self._reader = reader
        self._closing = ExitStack()

    @classmethod
    def of(cls, bag: Path, kind: BagFormat) -> Self:
        """A bag of a known format, read by its index."""
        return cls(bag, _READERS[kind](bag))

    def __enter__(self) -> Self:
        self._reader.open()
        self._closing.callback(self._reader.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()

    @property
    def topics(self) -> dict[str, Topic]:
        """All topics by name, those without messages too."""
        counts: Counter[str] = Counter()
        for connection in self._reader.connections:
            counts[connection.topic] += connection.msgcount
        kinds = {connection.topic: connection.msgtype for connection in self._reader.connections}
        return {topic: Topic(kinds[topic], count) for topic, count in counts.items()}

    def records(
        self,
        topics: Collection[str],
        unread: Counter[str] | None = None,
        garbled: tuple[type[BaseException], ...] = (),
    ) -> Iterator[Record]:
        """The messages of some topics in the order of their records.

        Args:
            topics: The topics wanted.
            unread: Counts the messages of a topic that can't be read, which are left out.
            garbled: The errors that tell so; others are raised.

        Raises:
            DataError: A message definition can't be read.
        """
        wanted = [c for c in self._reader.connections if c.topic in topics]
        if not wanted:
            return
        types = _typestore(self._bag, wanted)
        ros1 = isinstance(self._reader, Reader)
        deserialize = types.deserialize_ros1 if ros1 else types.deserialize_cdr
        for place, (connection, time_ns, data) in zip(
            self._places(wanted), self._reader.messages(wanted), strict=False
        ):
            try:
                message = deserialize(data, connection.msgtype)
            except garbled:
                if unread is not None:
                    unread[connection.topic] += 1
                continue
            yield Record(connection.topic, time_ns, place, message)

    def _places(self, wanted: Collection[Connection]) -> Iterator[tuple[int, int] | None]:
        """Where the messages lie in the file, in the order in which they are read.

        Told only where it may be news: a recorder that takes its time from a simulation writes
        times that go back when the world is reset.
        """
        reader = self._reader
        if not isinstance(reader, Reader) or reader.start_time > _EPOCH_NS:
            return itertools.repeat(None)
        # The very merge by which `Reader.messages` finds them.
        entries = heapq.merge(*(reader.indexes[connection.id] for connection in wanted))
        return ((entry.chunk_pos, entry.offset) for entry in entries)


def _typestore(bag: Path, connections: Collection[Connection]) -> Typestore:
    """A typestore that knows exactly the types which the bag itself defines.

    ROS 2 before Iron leaves the definitions out: those are ROS's own, which have not changed.

    Raises:
        DataError: A definition can't be read, or is nowhere.
    """
    store = get_typestore(Stores.EMPTY)
    types: dict[str, Any] = {}
    try:
        for connection in connections:
            text, kind = connection.msgdef.data, connection.msgtype
            match connection.msgdef.format:
                case MessageDefinitionFormat.MSG:
                    types.update(get_types_from_msg(text, kind))
                case MessageDefinitionFormat.IDL:
                    types.update(_types_of_idl(text))
                case _:
                    known = get_typestore(Stores.LATEST).fielddefs
                    if kind not in known:
                        raise DataError(
                            f"{bag} holds no definition of {kind}, the type of {connection.topic}:"
                            " convert it where that package is installed (`ros2 bag convert` to"
                            " mcap)"
                        )
                    types = {**known, **types}
        store.register(types)
    except TypesysError as error:
        raise DataError(f"{bag}: a message definition can't be read ({error})") from error
    return store


def _types_of_idl(text: str) -> dict[str, Any]:
    """Types of an IDL definition, by itself or with those that it names below headings."""
    if not text.startswith(f"{_IDL_BREAK}IDL: "):
        return dict(get_types_from_idl(text))
    types: dict[str, Any] = {}
    for part in text.split(_IDL_BREAK)[1:]:
        types.update(get_types_from_idl(part.split("\n", 1)[1]))
    return types
