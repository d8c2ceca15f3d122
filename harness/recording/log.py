"""Reads a bag into a run log, by the rosbags library: needs no ROS install.

Two times run through a bag: every record has the wall time at which it was written, and most
messages carry the simulated time of what they tell. A bag of the published study, with little
more than odometry and the clock, reads as well; what it lacks is empty.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness import topics
from harness.errors import DataError
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
from harness.recording.messages import DamagedBagError, read_damaged, read_messages
from harness.recording.rotation import yaw_of_quaternion

# Records of a node that lives in simulated time are stamped with it, to the transport's delay.
_SIMULATED_S = 1.0


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
    topics.COMPRESSED_CAMERA: lambda message: (_stamp_s(message.header.stamp),),
    topics.EVENTS: lambda message: (message.data,),
    topics.METADATA: lambda message: (message.data,),
    topics.EXPERIMENT_METRICS: lambda message: (message.data,),
}


def read_run_log(bag_path: Path, damaged: bool = False) -> RunLog:
    """Read a run's bag.

    Args:
        bag_path: A ROS 1 bag.
        damaged: Of a damaged bag, read what is still there; `losses` tells the rest.

    Raises:
        DataError: No such file, not a bag, no odometry, or a message that is not what its topic
            promises.
        DamagedBagError: Truncated, unindexed or garbled, unless `damaged`.
    """
    try:
        return _run_log(bag_path, read_messages(bag_path, _ROWS))
    except DamagedBagError:
        if not damaged:
            raise
    losses: list[str] = []
    log = _run_log(bag_path, read_damaged(bag_path, _ROWS, losses))
    return replace(log, losses=tuple(losses))


def _run_log(bag_path: Path, messages: Iterable[tuple[str, int, Any]]) -> RunLog:
    """The log of a bag's messages."""
    rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for topic, time_ns, message in messages:
        try:
            rows[topic].append((time_ns / 1e9, *_ROWS[topic](message)))
        except AttributeError as error:
            raise DataError(f"{bag_path}: {topic} has an unexpected type ({error})") from error
    if not rows[topics.ODOMETRY]:
        raise DataError(f"{bag_path} has no {topics.ODOMETRY}: it is no recording of a run")
    wall, sim, *pose = _columns(rows[topics.ODOMETRY], 7)
    order = np.argsort(sim, kind="stable")
    metadata = _json_rows(bag_path, topics.METADATA, rows)
    experiment_metrics = _json_rows(bag_path, topics.EXPERIMENT_METRICS, rows)
    events = _json_rows(bag_path, topics.EVENTS, rows)
    simulated = bool(np.median(np.abs(wall - sim)) < _SIMULATED_S)
    return RunLog(
        odometry=Odometry(sim[order], wall[order], *(column[order] for column in pose)),
        clock=Clock(*_columns([] if simulated else rows[topics.CLOCK], 2)),
        iterations=Iterations(*_columns(rows[topics.ITERATIONS], 12)),
        commands=Commands(*_columns(rows[topics.COMMANDS], 3)),
        performance=Performance(*_columns(rows[topics.PERFORMANCE], 2)),
        load=Load(*_columns(rows[topics.LOAD], 5)),
        events=tuple(Event(str(data.get("event", "")), wall_s, data) for wall_s, data in events),
        metadata=metadata[-1][1] if metadata else {},
        experiment_metrics=experiment_metrics[-1][1] if experiment_metrics else {},
        camera_sim_s=np.unique(
            _columns(rows[topics.CAMERA] + rows[topics.COMPRESSED_CAMERA], 2)[1]
        ),
        contacts_sim_s=_columns(rows[topics.CONTACTS], 2)[1],
        records_are_simulated=simulated,
    )


def _columns(rows: list[tuple[Any, ...]], count: int) -> list[Floats]:
    """Rows of numbers as columns (N,) of float64, also when there are none."""
    return list(np.array(rows, dtype=np.float64).reshape(-1, count).T)


def _json_rows(
    bag_path: Path, topic: str, rows: Mapping[str, list[tuple[Any, ...]]]
) -> list[tuple[float, Mapping[str, Any]]]:
    """Messages of a topic of JSON objects, with their wall times."""
    parsed: list[tuple[float, Mapping[str, Any]]] = []
    for wall_s, text in rows.get(topic, ()):
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise DataError(f"{bag_path}: {topic} holds no JSON ({error})") from error
        if not isinstance(data, dict):
            raise DataError(f"{bag_path}: {topic} must hold a JSON object")
        parsed.append((wall_s, data))
    return parsed
