"""Damaged bags: what can be read of them is read, and what can't is told."""

import struct
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag1 import Reader

from harness.errors import DataError
from harness.metrics.run_log import RunLog
from harness.recording.log import read_run_log
from harness.recording.messages import DamagedBagError, bag_of, mend_bag
from tests.harness.bagmaker import Iteration, Recording, on_circle, write_bag

POSES = on_circle(8.0)
MAGIC = b"#ROSBAG V2.0\n"
# What a bag needs of std_msgs/String.
STRING_MD5 = "992ce8a1687cec8c8bd883ec73ca41d1"


def recording() -> Recording:
    return Recording(
        poses=POSES,
        iterations=[Iteration(i / 20.0, i / 20.0 + 0.01) for i in range(1, 150)],
        events=[{"event": "go", "sim_s": 0.0}],
        metadata={"world": "circle"},
    )


def chunked(path: Path, compression: str = "lz4") -> Path:
    return write_bag(path, recording(), compression, chunk_bytes=50_000)


def chunks_of(bag: Path) -> list[tuple[int, int, int]]:
    """Where each chunk's record begins, its data begins, and its data ends."""
    with Reader(bag) as reader:
        return [(at, c.datapos, c.datapos + c.datasize) for at, c in sorted(reader.chunks.items())]


def assert_equal(log: RunLog, other: RunLog) -> None:
    for part in ("odometry", "clock", "iterations", "commands"):
        for name, column in vars(getattr(log, part)).items():
            np.testing.assert_array_equal(column, getattr(getattr(other, part), name), name)
    assert log.events == other.events
    assert log.metadata == other.metadata


def record(header: dict[str, bytes], data: bytes) -> bytes:
    """A bag's record, by the format's definition."""
    fields = [name.encode() + b"=" + value for name, value in header.items()]
    packed = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    return struct.pack("<I", len(packed)) + packed + struct.pack("<I", len(data)) + data


def text_message(time_s: int, text: str) -> bytes:
    data = struct.pack("<I", len(text)) + text.encode()
    header = {"op": b"\x02", "conn": struct.pack("<I", 0), "time": struct.pack("<II", time_s, 0)}
    return record(header, data)


def killed_recorder(path: Path, messages: bytes) -> Path:
    """A bag as `rosbag record` leaves it when it is killed: one open chunk, its sizes still 0."""
    bag_header = {"op": b"\x03", "index_pos": bytes(8), "conn_count": bytes(4)}
    padded = record(bag_header | {"chunk_count": bytes(4)}, b" " * 4000)
    fields = {"topic": b"/run/event", "type": b"std_msgs/String", "md5sum": STRING_MD5.encode()}
    connection = record(
        {"op": b"\x07", "conn": bytes(4), "topic": b"/run/event"},
        record(fields | {"message_definition": b"string data\n"}, b"")[4:-4],
    )
    # The sizes of a chunk come last: the record of an empty one, and what was written after it.
    chunk = record({"op": b"\x05", "compression": b"none", "size": bytes(4)}, b"")
    path.write_bytes(MAGIC + padded + chunk + connection + messages)
    return path


@pytest.mark.parametrize("compression", ["none", "bz2", "lz4"])
def test_compressed_and_chunked_bags_hold_the_same(tmp_path: Path, compression: str) -> None:
    plain = read_run_log(write_bag(tmp_path / "plain.bag", recording()))
    bag = chunked(tmp_path / "run.bag", compression)
    assert len(chunks_of(bag)) > 5
    assert_equal(read_run_log(bag), plain)
    assert read_run_log(bag, damaged=True).losses == ()


@pytest.mark.parametrize("compression", ["none", "bz2", "lz4"])
def test_a_bag_without_an_index_loses_nothing_else(tmp_path: Path, compression: str) -> None:
    bag = chunked(tmp_path / "run.bag.active", compression)
    whole = read_run_log(bag)
    data = bytearray(bag.read_bytes())
    at = data.index(b"index_pos=") + len(b"index_pos=")
    data[at : at + 8] = bytes(8)
    bag.write_bytes(data)
    with pytest.raises(DamagedBagError, match="harness metrics"):
        read_run_log(bag)
    log = read_run_log(bag, damaged=True)
    assert log.losses == ("it was never closed: it has no index",)
    assert_equal(log, whole)


@pytest.mark.parametrize("compression", ["none", "bz2", "lz4"])
def test_a_bag_cut_off_within_a_chunk_has_all_chunks_before(
    tmp_path: Path, compression: str
) -> None:
    bag = chunked(tmp_path / "run.bag", compression)
    whole = read_run_log(bag)
    at, begin, end = chunks_of(bag)[3]
    with Reader(bag) as reader:
        (odometry,) = (c.id for c in reader.connections if c.topic == "/F1ROS/odom")
        places = [entry.chunk_pos for entry in reader.indexes[odometry]]
    before, within = sum(place < at for place in places), places.count(at)
    bag.write_bytes(bag.read_bytes()[: (begin + end) // 2])
    log = read_run_log(bag, damaged=True)
    index, cut = log.losses
    assert index == "its index is cut off or garbled"
    assert f"the chunk at byte {at} is cut off" in cut
    count = len(log.odometry.sim_s)
    np.testing.assert_array_equal(log.odometry.x_m, whole.odometry.x_m[:count])
    if compression == "none":  # the messages before the cut are there too
        assert before < count < before + within
        assert " messages of it can be read" in cut
    else:
        assert count == before
        assert "nothing of it can be read" in cut


def test_a_bag_cut_off_in_its_index_loses_no_message(tmp_path: Path) -> None:
    bag = chunked(tmp_path / "run.bag")
    whole = read_run_log(bag)
    *_, (_, _, end) = chunks_of(bag)
    bag.write_bytes(bag.read_bytes()[: end + 20])
    log = read_run_log(bag, damaged=True)
    assert log.losses[0] == "its index is cut off or garbled"
    assert_equal(log, whole)


@pytest.mark.parametrize("compression", ["bz2", "lz4"])
def test_a_garbled_chunk_costs_its_own_messages_alone(tmp_path: Path, compression: str) -> None:
    bag = chunked(tmp_path / "run.bag", compression)
    whole = read_run_log(bag)
    at, begin, _ = chunks_of(bag)[2]
    with Reader(bag) as reader:
        (lost,) = (sum(i.connection_counts.values()) for i in reader.chunk_infos if i.pos == at)
    data = bytearray(bag.read_bytes())
    data[begin : begin + 8] = bytes(byte ^ 0xFF for byte in data[begin : begin + 8])
    bag.write_bytes(data)
    with pytest.raises(DamagedBagError):
        read_run_log(bag)
    log = read_run_log(bag, damaged=True)
    assert log.losses == (
        f"the chunk at byte {at} is cut off or garbled: nothing of it can be read",
        f"{lost} messages were in chunks that can't be read",
    )
    there = np.isin(whole.odometry.sim_s, log.odometry.sim_s)
    assert there[0] and there[-1] and not there.all()
    np.testing.assert_array_equal(log.odometry.x_m, whole.odometry.x_m[there])


def test_after_garbled_records_reading_goes_on_at_the_next_chunk_of_the_index(
    tmp_path: Path,
) -> None:
    bag = chunked(tmp_path / "run.bag")
    at, begin, _ = chunks_of(bag)[2]
    following, *_ = chunks_of(bag)[3]
    data = bytearray(bag.read_bytes())
    data[at:begin] = bytes(begin - at)
    bag.write_bytes(data)
    log = read_run_log(bag, damaged=True)
    assert log.losses[0].startswith(f"{following - at} bytes from byte {at} on make no record")
    assert log.odometry.sim_s[-1] == 8.0


def test_garbled_messages_are_told(tmp_path: Path) -> None:
    bag = chunked(tmp_path / "run.bag", "none")
    at, begin, end = chunks_of(bag)[2]
    data = bytearray(bag.read_bytes())
    middle = data.index(b"op=\x02", (begin + end) // 2) - 8
    data[middle : middle + 40] = bytes(40)
    bag.write_bytes(data)
    log = read_run_log(bag, damaged=True)
    (told,) = log.losses
    assert told.startswith(f"the chunk at byte {at} is cut off or garbled: ")
    assert log.odometry.sim_s[-1] == 8.0


def test_a_length_that_is_garbled_does_not_swallow_the_next_chunk(tmp_path: Path) -> None:
    bag = chunked(tmp_path / "run.bag", "none")
    _, begin, _ = chunks_of(bag)[2]
    data = bytearray(bag.read_bytes())
    data[begin - 4 : begin] = struct.pack("<I", 2**31)
    bag.write_bytes(data)
    log = read_run_log(bag, damaged=True)
    assert log.losses
    assert len(log.odometry.sim_s) == len(POSES)


def test_the_chunk_that_a_killed_recorder_was_filling_is_read(tmp_path: Path) -> None:
    whole, last = text_message(5, '{"event": "go"}'), text_message(6, '{"event": "finish"}')
    bag = killed_recorder(tmp_path / "run.bag.active", whole + last[:-3])
    assert mend_bag(bag)
    with Reader(bag) as reader:
        ((connection, time_ns, data),) = reader.messages()
    assert (connection.topic, time_ns) == ("/run/event", 5_000_000_000)
    assert bytes(data)[4:] == b'{"event": "go"}'


def test_mending_writes_a_whole_bag_in_place(tmp_path: Path) -> None:
    bag = chunked(tmp_path / "run.bag")
    assert not mend_bag(bag)
    _, begin, _ = chunks_of(bag)[4]
    bag.write_bytes(bag.read_bytes()[:begin])
    there = read_run_log(bag, damaged=True)
    assert mend_bag(bag)
    assert_equal(read_run_log(bag), there)
    assert not mend_bag(bag)
    assert [path.name for path in tmp_path.iterdir()] == ["run.bag"]


@pytest.mark.parametrize("content", [None, b"", b"hello\n", MAGIC, MAGIC + bytes(5000)])
def test_what_holds_nothing_is_left_as_it_is(tmp_path: Path, content: bytes | None) -> None:
    bag = tmp_path / "run.bag"
    if content is not None:
        bag.write_bytes(content)
    assert not mend_bag(bag)
    assert (bag.read_bytes() if bag.exists() else None) == content
    with pytest.raises(DataError):
        read_run_log(bag, damaged=True)


def test_a_recording_stands_for_its_bag(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such bag: .*/run\.bag"):
        bag_of(tmp_path)
    bag = chunked(tmp_path / "run.bag")
    assert bag_of(tmp_path) == bag_of(bag) == bag
