"""The simulator's camera frames in shared memory, read. No ROS.

The camera plugin (ros_ws/src/f1_gazebo/src/frame_segment.hpp) writes them: a header, then slots
that it fills in turns. Whoever connects to its socket gets the memory, then a byte for every frame.
Both have no file: they end with the processes that hold them, however these end.
"""

import contextlib
import mmap
import os
import select
import socket
import struct
from dataclasses import dataclass
from typing import Self

import numpy as np

from brains.interface import Frame
from harness.errors import HarnessError

MAGIC = b"PITFRM1\0"
HEADER_BYTES = 4096
SLOT_HEADER_BYTES = 64
_HEADER = struct.Struct("<8s6I16s32s")
_NEWEST = struct.Struct("<Q")
_NEWEST_AT = _HEADER.size  # a multiple of 8
_SLOT = struct.Struct("<QII")
_SIGNS_BYTES = 4096


@dataclass(frozen=True, slots=True)
class CameraFrame:
    """A frame of the camera.

    Attributes:
        stamp_ns: simulated time at which it was taken, nanoseconds.
        frame_id: the camera's name.
        pixels: uint8 (height, width, 3), RGB; nobody else writes to it.
    """

    stamp_ns: int
    frame_id: str
    pixels: Frame


class FrameSegment:
    """The reading end. One thread reads; `close` may be called by any."""

    def __init__(self, connection: socket.socket, memory: mmap.mmap) -> None:
        """Looks at the memory's layout; `connect` gets both.

        Raises:
            HarnessError: it is another one than this version reads.
        """
        self._connection = connection
        self._memory = memory
        self._seen = 0
        magic, width, height, frame_bytes, slots, slot_bytes, _, encoding, frame_id = (
            _HEADER.unpack_from(memory)
        )
        if magic != MAGIC or encoding.rstrip(b"\0") != b"rgb8":
            raise HarnessError(
                "the simulator's frames are of another version of Pitwall: run `make setup`"
            )
        self._shape = (height, width, 3)
        self._frame_bytes = frame_bytes
        self._slots = slots
        self._slot_bytes = slot_bytes
        self._frame_id = frame_id.rstrip(b"\0").decode()
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    @classmethod
    def connect(cls, address: str) -> Self:
        """Connects to a simulator on this machine.

        Args:
            address: name of its socket, as it says on the segment topic.

        Raises:
            HarnessError: there is none.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connection.connect(f"\0{address}")
            _, files, _, _ = socket.recv_fds(connection, 1, 1)
            if not files:
                raise ConnectionError("it refused this user")
        except OSError as error:
            connection.close()
            raise HarnessError(
                f"no way to the simulator's frames ({error}): is it on another machine?"
            ) from None
        try:
            size = os.fstat(files[0]).st_size
            return cls(connection, mmap.mmap(files[0], size, mmap.MAP_SHARED, mmap.PROT_READ))
        finally:
            os.close(files[0])

    def next(self, timeout_s: float) -> CameraFrame | None:
        """Waits for a frame that was not seen yet, and gives the newest.

        Args:
            timeout_s: how long to wait.

        Raises:
            ConnectionError: the simulator ended, or this end was closed.
        """
        while self._poll.poll(timeout_s * 1e3):
            if not self._connection.recv(_SIGNS_BYTES):
                raise ConnectionError("the simulator ended")
            if (frame := self._newest()) is not None:
                return frame
        return None

    def close(self) -> None:
        """Ends a wait for frames, and all to come."""
        with contextlib.suppress(OSError):  # the simulator ended before
            self._connection.shutdown(socket.SHUT_RDWR)

    def _newest(self) -> CameraFrame | None:
        """The newest frame, if it is a new one."""
        # It is written over only if several more are rendered while it is copied: then those count.
        while (number := _NEWEST.unpack_from(self._memory, _NEWEST_AT)[0]) != self._seen:
            place = HEADER_BYTES + number % self._slots * self._slot_bytes
            found, stamp_s, stamp_ns = _SLOT.unpack_from(self._memory, place)
            begin = place + SLOT_HEADER_BYTES
            data = self._memory[begin : begin + self._frame_bytes]
            if found == number == _SLOT.unpack_from(self._memory, place)[0]:
                self._seen = number
                pixels = np.frombuffer(data, np.uint8).reshape(self._shape)
                return CameraFrame(stamp_s * 1_000_000_000 + stamp_ns, self._frame_id, pixels)
        return None
