"""Reads a damaged bag without its index, record by record, and tells what of it is lost.

`rosbag reindex` does the like in place, but it gives up the chunk that was being written, the last
chunk where only its index is cut, and everything behind the first damage.
"""

import os
from collections import defaultdict
from io import BytesIO
from pathlib import Path

from rosbags.interfaces import Connection
from rosbags.rosbag1 import Reader, ReaderError
from rosbags.rosbag1.reader import (
    Chunk,
    ChunkInfo,
    Header,
    IndexData,
    RecordType,
    decompressors,
    read_uint32,
)

from harness.recording.bag_format import ROS1_MAGIC

# What a decompressor says of bytes that are not its own.
_GARBLED = (OSError, RuntimeError, ValueError, EOFError)
# What the parsing of bytes that are no record raises.
_NO_RECORD = (ReaderError, LookupError, ValueError)


class ScannedReader(Reader):
    """A rosbags reader whose index is made from the records themselves.

    Attributes:
        losses: What can't be read any more, a line each, once the bag is open.
    """

    def __init__(self, path: Path) -> None:
        """Take a bag; entering the context goes through it."""
        super().__init__(path)
        self.losses: list[str] = []
        self._entries: dict[int, list[IndexData]] = defaultdict(list)
        self._known: dict[int, Connection] = {}
        self._indexed_at: list[int] = []

    def open(self) -> None:
        """Go through the whole file, chunk by chunk; one of them is in memory at a time."""
        self.bio = self.path.open("rb")
        try:
            self._scan(self.bio.seek(0, os.SEEK_END))
        except BaseException:
            self.close()
            raise
        nameless = sum(len(own) for id_, own in self._entries.items() if id_ not in self._known)
        if nameless:
            self.losses.append(f"{nameless} messages are of topics whose names are lost")
        self.indexes = {id_: sorted(self._entries[id_]) for id_ in self._known}
        self.connections = [
            connection._replace(msgcount=len(self.indexes[id_]))
            for id_, connection in self._known.items()
        ]

    def _scan(self, size: int) -> None:
        """Find all records of a file of this size."""
        assert self.bio is not None
        self.bio.seek(len(ROS1_MAGIC))
        unread = 0
        garbled = False
        while (position := self.bio.tell()) < size:
            following = min((at for at in self._indexed_at if at > position), default=size)
            try:
                header = Header.read(self.bio)
                op, length = header.get_uint8("op"), read_uint32(self.bio)
                # A record that is cut off or has a garbled length must not swallow the next chunk.
                end = min(self.bio.tell() + length, following)
                match op:
                    case RecordType.BAGHEADER:
                        self._read_index(header)
                    case RecordType.CHUNK:
                        # Its length is written when it is full: 0 is the one that was being filled.
                        end = end if length else following
                        garbled = not self._scan_chunk(position, header, end - self.bio.tell())
                    case RecordType.IDXDATA if garbled:
                        unread += header.get_uint32("count")
                    case RecordType.CONNECTION:
                        self.bio.seek(position)
                        self._read_known()
                        continue
            except _NO_RECORD:
                end = following
                self.losses.append(f"{end - position} bytes from byte {position} on make no record")
            self.bio.seek(end)
        if unread:
            self.losses.append(f"{unread} messages were in chunks that can't be read")

    def _read_index(self, header: Header) -> None:
        """Read the index at the bag's end, if it is there: what it promises helps to go on."""
        assert self.bio is not None
        index_at = header.get_uint64("index_pos")
        if index_at == 0:
            self.losses.append("it was never closed: it has no index")
            return
        self.bio.seek(index_at)
        try:
            for _ in range(header.get_uint32("conn_count")):
                self._read_known()
            count = header.get_uint32("chunk_count")
            self._indexed_at = [*(self.read_chunk_info().pos for _ in range(count)), index_at]
        except _NO_RECORD:
            self.losses.append("its index is cut off or garbled")

    def _scan_chunk(self, position: int, header: Header, length: int) -> bool:
        """Find a chunk's messages; whether any of it can be read."""
        assert self.bio is not None
        data_at = self.bio.tell()
        stored = self.bio.read(length)
        named = f"the chunk at byte {position}"
        compression = header.get_string("compression")
        if compression not in decompressors:
            raise ReaderError(f"unknown compression {compression!r}")
        decompress = decompressors[compression]
        try:
            raw = decompress(stored)
        except _GARBLED:
            # Bags compress a chunk as one block: of half a block nothing can be had.
            self.losses.append(f"{named} is cut off or garbled: nothing of it can be read")
            return False
        found, complete = self._scan_messages(position, raw)
        self.chunks[position] = Chunk(len(stored), data_at, decompress)
        times_ns = [entry.time for own in found.values() for entry in own]
        if times_ns:
            counts = {connection: len(own) for connection, own in found.items()}
            span = (min(times_ns), max(times_ns) + 1)
            self.chunk_infos.append(ChunkInfo(position, *span, counts))
        for connection, own in found.items():
            self._entries[connection] += own
        if not complete or header.get_uint32("size") != len(raw):
            self.losses.append(
                f"{named} is cut off or garbled: {len(times_ns)} messages of it can be read"
            )
        return True

    def _scan_messages(self, position: int, raw: bytes) -> tuple[dict[int, list[IndexData]], bool]:
        """Index entries of the whole messages in a chunk, by connection; whether that is all."""
        entries: dict[int, list[IndexData]] = defaultdict(list)
        chunk = BytesIO(raw)
        # The base class reads connections from its file: here that is the chunk.
        file, self.bio = self.bio, chunk
        try:
            while (offset := chunk.tell()) < len(raw):
                header = Header.read(chunk)
                op = header.get_uint8("op")
                if op == RecordType.CONNECTION:
                    chunk.seek(offset)
                    self._read_known()
                    continue
                end = read_uint32(chunk) + chunk.tell()
                if end > len(raw):
                    return entries, False
                if op == RecordType.MSGDATA:
                    entry = IndexData(header.get_time("time"), position, offset)
                    entries[header.get_uint32("conn")].append(entry)
                chunk.seek(end)
        except _NO_RECORD:
            return entries, False
        finally:
            self.bio = file
        return entries, True

    def _read_known(self) -> None:
        """Read a connection record; the first one of an id counts."""
        connection = self.read_connection()
        self._known.setdefault(connection.id, connection)
