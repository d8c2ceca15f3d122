"""Reads a bag into a run log, by the rosbags library: needs no ROS install.

Two times run through a bag: every record has the time at which it was written, and most messages
carry a stamp of what they tell. `harness.metrics.times` tells what they mean. A bag with little
more than odometry reads as well; what it lacks is empty.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness import topics
from harness.errors import DataError
from harness.metrics import times as bag_times
from harness.metrics.run_log import (
    Clock,
    Commands,
    Event,
    Floats,
    Iterations,
    Load,
    Odometry,
    Performance,
    RunLog,
)
from harness.metrics.times import Indices, Times
from harness.recording.chosen_topics import AskedTopics, camera_topic, odometry_topic
from harness.recording.drives import Row, Rows, last_drive
from harness.recording.messages import DamagedBag, DamagedBagError, opened, opened_damaged
from harness.recording.open_bag import OpenBag
from harness.recording.rotation import yaw_of_quaternion


def _stamp_s(stamp: Any) -> float:
    # One division of an integer: the nearest double to the stamp, whatever its size.
    return float((stamp.sec * 1_000_000_000 + stamp.nanosec) / 1_000_000_000)


def _odometry_row(message: Any) -> tuple[float, ...]:
    position, q = message.pose.pose.position, message.pose.pose.orientation
    yaw_rad = yaw_of_quaternion(q.x, q.y, q.z, q.w)
    twist = message.twist.twist
    stamp_s = _stamp_s(message.header.stamp)
    return (stamp_s, position.x, position.y, yaw_rad, twist.linear.x, twist.angular.z)


def _iteration_row(message: Any) -> tuple[float, ...]:
    effective_s = _stamp_s(message.effective)
    return (
        _stamp_s(message.header.stamp),
        message.receive_s,
        message.infer_start_s,
        message.infer_end_s,
        message.publish_s,
        message.v_m_s,
        message.w_rad_s,
        float(message.frames_missed),
        message.latency_s,
        effective_s if effective_s > 0.0 else float("nan"),
        float(message.frame_crc32),
        float(getattr(message, "cpu_s", math.nan)),
        float(getattr(message, "peak_rss_bytes", math.nan)),
        float(getattr(message, "energy_j", math.nan)),
    )


_ROWS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    topics.ODOMETRY: _odometry_row,
    topics.CLOCK: lambda message: (_stamp_s(message.clock),),
    topics.COMMANDS: lambda message: (message.linear.x, message.angular.z),
    topics.ITERATIONS: _iteration_row,
    topics.PERFORMANCE: lambda message: (message.real_time_factor,),
    topics.LOAD: lambda message: (
        message.physics_s,
        message.rendering_s,
        getattr(message, "idle_s", math.nan),
        getattr(message, "held_s", math.nan),
    ),
    topics.CONTACTS: lambda message: (_stamp_s(message.header.stamp),),
    topics.CAMERA: lambda message: (_stamp_s(message.header.stamp),),
    topics.EVENTS: lambda message: (message.data,),
    topics.METADATA: lambda message: (message.data,),
    topics.EXPERIMENT_METRICS: lambda message: (message.data,),
}


@dataclass(frozen=True)
class _Gathered:
    """What a bag holds, not yet ordered: rows by the usual names of their topics."""

    rows: Rows
    camera: str | None
    notes: tuple[str, ...]


def read_run_log(bag_path: Path, damaged: bool = False, asked: AskedTopics | None = None) -> RunLog:
    """Read a run's bag.

    Where simulated time goes back (the world was reset) it is that of the last drive.

    Args:
        bag_path: A bag of ROS 1 or ROS 2.
        damaged: Of a damaged bag, read what is still there; `losses` tells the rest.
        asked: The topics that the user names.

    Raises:
        UsageError: A topic asked for is not there.
        DataError: No such file, not a bag, no odometry, or a message that is not what its topic
            promises.
        DamagedBagError: Truncated, unindexed or garbled, unless `damaged`.
    """
    asked = asked or AskedTopics()
    try:
        with opened(bag_path) as bag:
            gathered = _gather(bag_path, bag, asked)
        return _run_log(bag_path, gathered)
    except DamagedBagError:
        if not damaged:
            raise
    with opened_damaged(bag_path) as scanned:
        gathered = _gather(bag_path, scanned, asked)
        losses = scanned.losses
    return replace(_run_log(bag_path, gathered), losses=tuple(losses))


def _gather(bag_path: Path, bag: OpenBag | DamagedBag, asked: AskedTopics) -> _Gathered:
    """Read the messages that tell of a run, from the topics that hold them here."""
    there = bag.topics
    odometry = odometry_topic(bag_path, there, asked.odometry)
    camera = camera_topic(bag_path, there, asked.camera)
    roles = {name: name for name in _ROWS if name not in (topics.ODOMETRY, topics.CAMERA)}
    roles[odometry.topic] = topics.ODOMETRY
    if camera is not None:
        roles[camera.topic] = topics.CAMERA
    rows: Rows = defaultdict(list)
    for number, (topic, time_ns, place, message) in enumerate(bag.records(roles)):
        role = roles[topic]
        try:
            values = (time_ns / 1e9, *_ROWS[role](message))
        except AttributeError as error:
            raise DataError(f"{bag_path}: {topic} has an unexpected type ({error})") from error
        rows[role].append(Row(number, place, values))
    if not rows[topics.ODOMETRY]:
        raise DataError(f"{bag_path} has no {odometry.topic}: it is no recording of a run")
    notes = (odometry.note, camera.note if camera else "")
    return _Gathered(rows, camera.topic if camera else None, tuple(filter(None, notes)))


def _run_log(bag_path: Path, gathered: _Gathered) -> RunLog:
    """The log of a bag's messages: times told apart, of one drive alone."""
    camera_numbers = {row.number: n for n, row in enumerate(gathered.rows[topics.CAMERA])}
    drive = last_drive(gathered.rows)
    rows, kind, notes = drive.rows, drive.kind, list(drive.notes)
    wall, stamps, *pose = _columns(rows[topics.ODOMETRY], 7)
    clock = Clock(*_columns(rows[topics.CLOCK], 2))
    sim, kind = _odometry_times(kind, wall, stamps, pose, clock, notes)
    there = np.isfinite(sim)
    wall, sim, pose = wall[there], sim[there], [column[there] for column in pose]
    order = np.argsort(sim, kind="stable")
    wall, sim, pose = wall[order], sim[order], [column[order] for column in pose]
    records = bag_times.records_are(wall, sim) if kind in ("stamps", "clock") else "wall"
    ours = clock.sim_s.size > 0 and (kind == "clock" or bag_times.overlap(stamps, clock.sim_s))
    if why := bag_times.wall_note(kind, records, ours or not clock.sim_s.size):
        notes.append(why)
    other = _OtherTimes(kind, sim, wall, clock if ours else None)
    iterations = _columns(rows[topics.ITERATIONS], 15)
    iterations[1] = other.of(iterations[0], iterations[1])
    camera_sim_s, images = _camera(rows[topics.CAMERA], other, notes)
    contacts = _columns(rows[topics.CONTACTS], 2)
    contacts_sim_s = other.of(*contacts)
    metadata = _json_rows(bag_path, topics.METADATA, rows)
    experiment_metrics = _json_rows(bag_path, topics.EXPERIMENT_METRICS, rows)
    events = _json_rows(bag_path, topics.EVENTS, rows)
    told = ours and records == "wall" and kind in ("stamps", "clock")
    return RunLog(
        odometry=Odometry(sim, wall, *pose),
        clock=clock if told else Clock(np.empty(0), np.empty(0)),
        iterations=Iterations(*iterations),
        commands=Commands(*_columns(rows[topics.COMMANDS], 3)),
        performance=Performance(*_columns(rows[topics.PERFORMANCE], 2)),
        load=Load(*_columns(rows[topics.LOAD], 5)),
        events=tuple(Event(str(data.get("event", "")), wall_s, data) for wall_s, data in events),
        metadata=metadata[-1][1] if metadata else {},
        experiment_metrics=experiment_metrics[-1][1] if experiment_metrics else {},
        camera_sim_s=camera_sim_s,
        contacts_sim_s=contacts_sim_s[np.isfinite(contacts_sim_s)],
        times=Times(kind, records, ours, tuple(notes)),
        camera_topic=gathered.camera,
        camera_numbers=np.array(
            [camera_numbers[rows[topics.CAMERA][image].number] for image in images], np.intp
        ),
        notes=gathered.notes,
    )


def _odometry_times(
    kind: bag_times.Kind,
    wall_s: Floats,
    stamps_s: Floats,
    pose: list[Floats],
    clock: Clock,
    notes: list[str],
) -> tuple[Floats, bag_times.Kind]:
    """Simulated times of the odometry, NaN for what is to be left out; and where they are from."""
    if kind == "clock":
        sim_s = bag_times.at_records(wall_s, stamps_s, clock.wall_s, clock.sim_s)
        lacking = "lie beyond the recorded /clock"
    else:
        sim_s = np.where(bag_times.missing_stamps(stamps_s), np.nan, stamps_s)
        lacking = "carry no stamp"
    unknown = np.isnan(sim_s)
    lost = f"{unknown.sum()} of {len(sim_s)} odometry samples {lacking}"
    if kind == "none" or not unknown.any():
        told = bag_times.kind_note(kind)
    elif bag_times.can_be_left_out(unknown, sim_s, pose[0], pose[1]):
        notes.append(f"{lost}: they are left out")
        told = bag_times.kind_note(kind)
    else:
        told, kind = f"{lost}: {bag_times.LINE_ALONE}", "none"
    if told:
        notes.append(told)
    return (np.arange(len(sim_s), dtype=np.float64) if kind == "none" else sim_s), kind


@dataclass(frozen=True)
class _OtherTimes:
    """Simulated times of what is not odometry.

    Attributes:
        kind: Where those of the odometry are from.
        sim_s: They (N,), ascending.
        wall_s: When the odometry was recorded (N,).
        clock: The bag's /clock, if it has one that belongs to them.
    """

    kind: bag_times.Kind
    sim_s: Floats
    wall_s: Floats
    clock: Clock | None

    def of(self, records_s: Floats, stamps_s: Floats) -> Floats:
        """Times (M,) of messages by their records and stamps; NaN where they can't be known."""
        if not self.are_foreign(stamps_s):
            return stamps_s
        if self.clock is not None:
            return bag_times.at_records(records_s, stamps_s, self.clock.wall_s, self.clock.sim_s)
        order = np.argsort(self.wall_s, kind="stable")
        return bag_times.at_records(records_s, stamps_s, self.wall_s[order], self.sim_s[order])

    def are_foreign(self, stamps_s: Floats) -> bool:
        """Whether stamps (M,) are of another clock than the odometry's times."""
        return self.kind != "none" and bag_times.are_foreign(stamps_s, self.sim_s)

    @property
    def source(self) -> str:
        """What ties other messages to simulated time."""
        return "/clock" if self.clock is not None else "the odometry"


def _camera(rows: list[Row], other: _OtherTimes, notes: list[str]) -> tuple[Floats, Indices]:
    """Simulated times of the images, ascending and each once, and the row of each."""
    records_s, stamps_s = _columns(rows, 2)
    sim_s = other.of(records_s, stamps_s)
    if other.are_foreign(stamps_s):
        notes.append(
            "its camera frames are stamped by another clock or not at all: their simulated time is"
            f" that of {other.source} when they were recorded"
        )
    known = np.flatnonzero(np.isfinite(sim_s))
    unique_s, first = np.unique(sim_s[known], return_index=True)
    return unique_s, known[first]


def _columns(rows: list[Row], count: int) -> list[Floats]:
    """Rows of numbers as columns (N,) of float64, also when there are none."""
    values = np.array([row.values for row in rows], dtype=np.float64)
    return list(values.reshape(-1, count).T)


def _json_rows(
    bag_path: Path, topic: str, rows: Mapping[str, list[Row]]
) -> list[tuple[float, Mapping[str, Any]]]:
    """Messages of a topic of JSON objects, with their wall times."""
    parsed: list[tuple[float, Mapping[str, Any]]] = []
    for wall_s, text in (row.values for row in rows.get(topic, ())):
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise DataError(f"{bag_path}: {topic} holds no JSON ({error})") from error
        if not isinstance(data, dict):
            raise DataError(f"{bag_path}: {topic} must hold a JSON object")
        parsed.append((wall_s, data))
    return parsed
