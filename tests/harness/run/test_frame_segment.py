"""The reading end of the camera's shared memory, against a writer of the same layout."""

import mmap
import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.run.frame_segment import FrameSegment

WIDTH, HEIGHT, SLOTS = 8, 6, 4
FRAME_BYTES = WIDTH * HEIGHT * 3
SLOT_BYTES = 4096


class Writer:
    """What the camera plugin does, frame by frame."""

    def __init__(self, magic: bytes = b"PITFRM1\0", encoding: bytes = b"rgb8") -> None:
        size = 4096 + SLOTS * SLOT_BYTES
        self._file = os.memfd_create("frames")
        os.ftruncate(self._file, size)
        self._memory = mmap.mmap(self._file, size)
        layout = (magic, WIDTH, HEIGHT, FRAME_BYTES, SLOTS, SLOT_BYTES, 0, encoding, b"camera_left")
        struct.pack_into("<8s6I16s32s", self._memory, 0, *layout)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind("")
        self._listener.listen()
        self.address = self._listener.getsockname()[1:].decode()
        self._nodes: list[socket.socket] = []
        self.number = 0

    def accept(self, refuse: bool = False) -> None:
        node, _ = self._listener.accept()
        if refuse:
            node.close()
            return
        socket.send_fds(node, [b"\0"], [self._file])
        self._nodes.append(node)

    def write(self, sign: bool = True) -> None:
        """A frame all of whose bytes are its number, of so many simulated seconds."""
        self.number += 1
        self.write_slot(self.number, self.number)
        struct.pack_into("<Q", self._memory, 80, self.number)
        for node in self._nodes if sign else ():
            node.send(b"\0")

    def write_slot(self, number: int, told: int) -> None:
        place = 4096 + number % SLOTS * SLOT_BYTES
        struct.pack_into("<QII", self._memory, place, told, number, 7)
        self._memory[place + 64 : place + 64 + FRAME_BYTES] = bytes([number]) * FRAME_BYTES

    def close(self) -> None:
        for end in (*self._nodes, self._listener):
            end.close()
        os.close(self._file)


@pytest.fixture
def writer() -> Iterator[Writer]:
    made = Writer()
    yield made
    made.close()


def connected(writer: Writer) -> FrameSegment:
    accepting = threading.Thread(target=writer.accept)
    accepting.start()
    segment = FrameSegment.connect(writer.address)
    accepting.join()
    return segment


def test_each_frame_with_its_stamp_its_camera_and_its_pixels(writer: Writer) -> None:
    segment = connected(writer)
    for number in range(1, 10):
        writer.write()
        frame = segment.next(5.0)
        assert frame is not None
        assert (frame.stamp_ns, frame.frame_id) == (number * 1_000_000_000 + 7, "camera_left")
        assert frame.pixels.shape == (HEIGHT, WIDTH, 3)
        assert (frame.pixels == number).all()
    assert segment.next(0.0) is None


def test_who_comes_late_gets_the_newest_and_each_frame_once(writer: Writer) -> None:
    segment = connected(writer)
    for _ in range(7):
        writer.write()
    frame = segment.next(5.0)
    assert frame is not None and (frame.pixels == 7).all()
    assert segment.next(0.0) is None
    writer.write()
    frame = segment.next(5.0)
    assert frame is not None and (frame.pixels == 8).all()


def test_a_frame_that_is_kept_stays_what_it_was(writer: Writer) -> None:
    segment = connected(writer)
    writer.write()
    kept = segment.next(5.0)
    for _ in range(2 * SLOTS):
        writer.write()
    assert kept is not None and (kept.pixels == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        kept.pixels[0, 0, 0] = 1


def test_a_frame_that_is_being_written_over_is_not_given(writer: Writer) -> None:
    segment = connected(writer)
    writer.write()
    writer.write_slot(1, told=0)  # its slot is taken for another: half of it is new

    def finish() -> None:
        for _ in range(SLOTS):
            writer.write(sign=False)

    late = threading.Timer(0.05, finish)
    late.start()
    frame = segment.next(5.0)
    late.join()
    assert frame is not None
    assert frame.pixels.min() == frame.pixels.max() > 1


def test_the_writer_s_end_and_one_s_own_end_a_wait() -> None:
    writer = Writer()
    segment = connected(writer)
    threading.Timer(0.05, segment.close).start()
    with pytest.raises(ConnectionError):
        segment.next(60.0)
    other = connected(writer)
    writer.close()
    with pytest.raises(ConnectionError, match="ended"):
        other.next(60.0)
    other.close()


def test_nobody_there_a_refusal_and_another_layout_are_one_line_each(writer: Writer) -> None:
    with pytest.raises(HarnessError, match="another machine") as caught:
        FrameSegment.connect("pitwall-nobody")
    assert "\n" not in str(caught.value)
    refusing = threading.Thread(target=lambda: writer.accept(refuse=True))
    refusing.start()
    with pytest.raises(HarnessError, match="refused this user"):
        FrameSegment.connect(writer.address)
    refusing.join()
    for other in (Writer(magic=b"PITFRM2\0"), Writer(encoding=b"bgr8")):
        with pytest.raises(HarnessError, match="another version"):
            connected(other)
        other.close()


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_what_was_read_leaves_no_file_open(writer: Writer) -> None:
    before = open_files()
    segment = connected(writer)
    writer.write()
    frame = segment.next(5.0)
    del segment
    # Its own end and the memory that Python's mmap keeps are gone; the writer's stays.
    assert open_files() == before + 1
    assert frame is not None and np.all(frame.pixels == 1)
