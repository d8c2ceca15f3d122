"""Writes real ROS 1 bags of synthetic laps, so that the metrics' answers are known beforehand."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from worlds.circuit import Circuit, Direction, load_circuit

Floats = NDArray[np.float64]

# Wall time of the first record; the simulation begins at 0.
WALL_ORIGIN_S = 1_700_000_000.0
RADIUS_M = 20.0

_HARNESS_MESSAGES = Path(__file__).parents[2] / "ros_ws/src/harness_msgs/msg"
_GAZEBO_MESSAGES = Path(__file__).parents[2] / "ros_ws/src/gazebo_msgs/msg"


def circle(radius_m: float = RADIUS_M, clockwise: bool = False, **changes: Any) -> Circuit:
    """A circular circuit round the origin that starts at (radius, 0), 3 m wide."""
    turn = np.linspace(0.0, 2.0 * np.pi, 256, endpoint=False) * (-1.0 if clockwise else 1.0)
    points = radius_m * np.column_stack([np.cos(turn), np.sin(turn)])
    values: dict[str, Any] = {
        "name": "circle",
        "title": "Circle",
        "control_points": [tuple(map(float, point)) for point in points],
        "asphalt_width_m": 3.0,
        "time_limit_s": 60.0,
    }
    return Circuit(**(values | changes))


@dataclass(frozen=True)
class Pose:
    """A sample of the car's path."""

    sim_s: float
    x_m: float
    y_m: float
    yaw_rad: float


def on_circle(
    duration_s: float,
    speed_m_s: float = 8.0,
    offset_m: float = 0.0,
    *,
    rate_hz: float = 50.0,
    radius_m: float = RADIUS_M,
    angle_rad: float = 0.0,
    progress: Callable[[Floats], Floats] | None = None,
) -> list[Pose]:
    """Samples of a counter-clockwise drive round the circle.

    Args:
        duration_s: Simulated time of the last sample; the first is at 0.
        speed_m_s: Speed along the centreline.
        offset_m: Offset to the left, that is inwards.
        rate_hz: Samples per simulated second.
        radius_m: Radius of the centreline.
        angle_rad: Where the car starts.
        progress: Progress in metres at the given times, instead of constant speed.
    """
    times_s = np.arange(round(duration_s * rate_hz) + 1) / rate_hz
    progress_m = speed_m_s * times_s if progress is None else progress(times_s)
    angles = angle_rad + progress_m / radius_m
    radius = radius_m - offset_m
    x_m, y_m = radius * np.cos(angles), radius * np.sin(angles)
    yaw = np.arctan2(np.sin(angles + np.pi / 2.0), np.cos(angles + np.pi / 2.0))
    rows = zip(times_s, x_m, y_m, yaw, strict=True)
    return [Pose(*map(float, row)) for row in rows]


@dataclass(frozen=True)
class Iteration:
    """A brain's iteration; times in milliseconds after its frame's arrival."""

    frame_sim_s: float
    receive_s: float
    infer_start_ms: float = 1.0
    infer_end_ms: float = 5.0
    publish_ms: float = 6.0
    frames_missed: int = 0
    latency_s: float = float("nan")
    effective_sim_s: float = 0.0
    frame_crc32: int = 0
    v_m_s: float = 8.0
    w_rad_s: float = 0.4
    cpu_s: float = float("nan")
    peak_rss_bytes: int = 0
    energy_j: float = float("nan")


@dataclass
class Recording:
    """What goes into a bag. Wall time runs as `wall_of` says, by default as simulated time."""

    poses: list[Pose] = field(default_factory=list)
    iterations: list[Iteration] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    camera_sim_s: Iterable[float] = ()
    camera_png: bytes = bytes(4)
    contacts_sim_s: Iterable[float] = ()
    performance: Iterable[tuple[float, float]] = ()
    metadata: dict[str, Any] | None = None
    wall_of: Callable[[float], float] = lambda sim_s: sim_s
    clock: bool = True
    clock_hz: float = 100.0
    paused_before_s: float = 0.0
    silent_before_s: float = 0.0


def along(
    name: str = "simple_circuit",
    metres: float = 440.0,
    *,
    direction: Direction = "forward",
    offset_m: float = 0.0,
    start_m: float | None = None,
    rate_hz: float = 20.0,
    speed_m_s: float = 10.0,
) -> list[Pose]:
    """Samples of a drive along a built-in circuit, so far from its start station.

    Args:
        name: The circuit.
        metres: How far.
        direction: Driving direction.
        offset_m: Offset to the left.
        start_m: Station where the car starts; None is the circuit's own start.
        rate_hz: Samples per simulated second.
        speed_m_s: Speed along the centreline.
    """
    circuit = load_circuit(name)
    line = circuit.centreline(direction)
    first_m = circuit.start_station(direction) if start_m is None else start_m
    times_s = np.arange(round(metres / speed_m_s * rate_hz) + 1) / rate_hz
    stations_m = first_m + speed_m_s * times_s
    heading = line.heading(stations_m)
    left = np.column_stack([-np.sin(heading), np.cos(heading)])
    points_m = line.position(stations_m) + offset_m * left
    rows = zip(times_s, *points_m.T, heading, strict=True)
    return [Pose(*map(float, row)) for row in rows]


def typestore() -> Typestore:
    """Noetic's types and the project's own, from their definitions as text."""
    store = get_typestore(Stores.ROS1_NOETIC)
    types: dict[str, Any] = {}
    for package, folder in (("harness_msgs", _HARNESS_MESSAGES), ("gazebo_msgs", _GAZEBO_MESSAGES)):
        for path in sorted(folder.glob("*.msg")):
            types |= get_types_from_msg(path.read_text(), f"{package}/msg/{path.stem}")
    store.register(types)
    return store


class BagMaker:
    """Writes messages to a bag, topic by topic."""

    def __init__(self, writer: Writer, store: Typestore) -> None:
        self._writer = writer
        self._store = store
        self._connections: dict[str, Any] = {}

    def make(self, type_name: str, **fields: Any) -> Any:
        """A message of a type such as `std_msgs/String`."""
        return self._store.types[type_name.replace("/", "/msg/")](**fields)

    def stamp(self, sim_s: float) -> Any:
        nanoseconds = round(sim_s * 1e9)
        return self.make(
            "builtin_interfaces/Time", sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9
        )

    def header(self, sim_s: float, frame_id: str = "") -> Any:
        return self.make("std_msgs/Header", seq=0, stamp=self.stamp(sim_s), frame_id=frame_id)

    def vector(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Any:
        return self.make("geometry_msgs/Vector3", x=x, y=y, z=z)

    def twist(self, v: float, w: float) -> Any:
        return self.make("geometry_msgs/Twist", linear=self.vector(v), angular=self.vector(z=w))

    def write(self, topic: str, type_name: str, wall_s: float, message: Any) -> None:
        name = type_name.replace("/", "/msg/")
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, name, typestore=self._store
            )
        data = self._store.serialize_ros1(message, name)
        self._writer.write(self._connections[topic], round((WALL_ORIGIN_S + wall_s) * 1e9), data)

    def text(self, topic: str, wall_s: float, data: dict[str, Any]) -> None:
        message = self.make("std_msgs/String", data=json.dumps(data))
        self.write(topic, "std_msgs/String", wall_s, message)


def write_bag(
    path: Path, recording: Recording, compression: str = "none", chunk_bytes: int = 1 << 20
) -> Path:
    """Write a recording to a bag at `path`, in chunks of about so many bytes."""
    wall_of = recording.wall_of
    writer = Writer(path)
    writer.chunk_threshold = chunk_bytes
    if compression != "none":
        writer.set_compression(Writer.CompressionFormat[compression.upper()])
    with writer:
        bag = BagMaker(writer, typestore())
        if recording.metadata is not None:
            bag.text("/metadata", wall_of(0.0), recording.metadata)
        for pose in recording.poses:
            bag.write("/F1ROS/odom", "nav_msgs/Odometry", wall_of(pose.sim_s), odometry(bag, pose))
        if recording.clock and recording.poses:
            still = bag.make("rosgraph_msgs/Clock", clock=bag.stamp(0.0))
            for index in range(round(recording.paused_before_s * 10.0)):
                wall_s = wall_of(0.0) - recording.paused_before_s + index / 10.0
                bag.write("/clock", "rosgraph_msgs/Clock", wall_s, still)
            last_s = recording.poses[-1].sim_s
            for index in range(round(last_s * recording.clock_hz) + 1):
                sim_s = index / recording.clock_hz
                message = bag.make("rosgraph_msgs/Clock", clock=bag.stamp(sim_s))
                early_s = recording.silent_before_s if index == 0 else 0.0
                bag.write("/clock", "rosgraph_msgs/Clock", wall_of(sim_s) - early_s, message)
        for event in recording.events:
            bag.text("/run/event", wall_of(event["sim_s"]), event)
        for iteration in recording.iterations:
            sent_s = iteration.receive_s + iteration.publish_ms / 1e3
            message = _iteration(bag, iteration)
            bag.write("/brain/iteration", "harness_msgs/BrainIteration", sent_s, message)
            bag.write("/F1ROS/cmd_vel", "geometry_msgs/Twist", sent_s, bag.twist(8.0, 0.4))
        for sim_s in recording.camera_sim_s:
            message = bag.make(
                "sensor_msgs/CompressedImage",
                header=bag.header(sim_s),
                format="rgb8; png compressed bgr8",
                data=np.frombuffer(recording.camera_png, np.uint8),
            )
            topic = "/F1ROS/cameraL/image_raw/compressed"
            bag.write(topic, "sensor_msgs/CompressedImage", wall_of(sim_s), message)
        for sim_s in recording.contacts_sim_s:
            message = bag.make("gazebo_msgs/ContactsState", header=bag.header(sim_s), states=[])
            bag.write("/F1ROS/contacts", "gazebo_msgs/ContactsState", wall_of(sim_s), message)
        for sim_s, factor in recording.performance:
            message = bag.make(
                "gazebo_msgs/PerformanceMetrics",
                header=bag.header(sim_s),
                real_time_factor=factor,
                sensors=[],
            )
            topic = "/gazebo/performance_metrics"
            bag.write(topic, "gazebo_msgs/PerformanceMetrics", wall_of(sim_s), message)
    return path


def write_reference(path: Path, points_m: Floats) -> Path:
    """Write a lap as the study keeps its references: points (P, 2), all stamped 0."""
    with Writer(path) as writer:
        bag = BagMaker(writer, typestore())
        for number, (x_m, y_m) in enumerate(points_m):
            message = odometry(bag, Pose(0.0, float(x_m), float(y_m), 0.0))
            bag.write("/F1ROS/odom", "nav_msgs/Odometry", number * 1e-4, message)
    return path


def staircase(name: str = "simple_circuit", pixel_m: float = 0.13) -> Floats:
    """A circuit's centreline traced pixel by pixel, as the study drew its references: (P, 2)."""
    line = load_circuit(name).centreline()
    stations_m = np.arange(0.0, line.length_m, pixel_m / 10.0)
    pixels = np.round(line.position(stations_m) / pixel_m)
    left = np.any(np.diff(pixels, axis=0) != 0.0, axis=1)
    return np.asarray(pixels[np.concatenate([[True], left])] * pixel_m)


def odometry(bag: BagMaker, pose: Pose) -> Any:
    """A nav_msgs/Odometry, stamped with the pose's time."""
    covariance = np.zeros(36)
    orientation = bag.make(
        "geometry_msgs/Quaternion",
        x=0.0,
        y=0.0,
        z=float(np.sin(pose.yaw_rad / 2.0)),
        w=float(np.cos(pose.yaw_rad / 2.0)),
    )
    position = bag.make("geometry_msgs/Point", x=pose.x_m, y=pose.y_m, z=0.05)
    placed = bag.make("geometry_msgs/Pose", position=position, orientation=orientation)
    return bag.make(
        "nav_msgs/Odometry",
        header=bag.header(pose.sim_s, "odom"),
        child_frame_id="base_link",
        pose=bag.make("geometry_msgs/PoseWithCovariance", pose=placed, covariance=covariance),
        twist=bag.make(
            "geometry_msgs/TwistWithCovariance", twist=bag.twist(8.0, 0.4), covariance=covariance
        ),
    )


def _iteration(bag: BagMaker, iteration: Iteration) -> Any:
    # The brain's monotonic clock has its own origin.
    receive_s = 5_000.0 + iteration.receive_s
    return bag.make(
        "harness_msgs/BrainIteration",
        header=bag.header(iteration.frame_sim_s),
        receive_s=receive_s,
        infer_start_s=receive_s + iteration.infer_start_ms / 1e3,
        infer_end_s=receive_s + iteration.infer_end_ms / 1e3,
        publish_s=receive_s + iteration.publish_ms / 1e3,
        v_m_s=iteration.v_m_s,
        w_rad_s=iteration.w_rad_s,
        frames_missed=iteration.frames_missed,
        latency_s=iteration.latency_s,
        effective=bag.stamp(iteration.effective_sim_s),
        frame_crc32=iteration.frame_crc32,
        cpu_s=iteration.cpu_s,
        peak_rss_bytes=iteration.peak_rss_bytes,
        energy_j=iteration.energy_j,
    )
