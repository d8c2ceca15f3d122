#!/usr/bin/env python3
"""Runs the run: places the car, says go, follows the lap, records the bag, decides the outcome."""

import json
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rosgraph
import rospy
from gazebo_msgs.msg import ContactsState, PerformanceMetrics
from geometry_msgs.msg import Twist, TwistStamped
from harness_msgs.msg import BrainIteration, SimulatorLoad
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String
from std_srvs.srv import Empty

from harness import topics
from harness.errors import (
    BrainError,
    HarnessError,
    PitwallError,
    StorageError,
)
from harness.metrics.lap import LapLimits, LapTracker
from harness.nodes import transforms
from harness.nodes.bag_writer import BagWriter
from harness.nodes.node import (
    BRAIN_FAILURE,
    SIMULATOR_FAILURE,
    asked_run,
    exit_with,
    note_command,
    say,
    start_node,
)
from harness.nodes.node_watch import MASTER, NodeWatch
from harness.paths import claim_recording, recordings_root
from harness.recording.results import RESULT_NAME, write_result
from harness.recording.rotation import yaw_of_quaternion
from harness.recording.run_ending import Ending, compute_result, exit_code
from harness.run.progress import Progress
from harness.run.start import start_pose
from harness.run.supervision import LOCKSTEP_SILENCE_S, Supervision
from harness.spec.run import RunSpec

_RECORDED = {
    topics.ODOMETRY: Odometry,
    topics.CLOCK: Clock,
    topics.COMMANDS: Twist,
    topics.ITERATIONS: BrainIteration,
    topics.PERFORMANCE: PerformanceMetrics,
    topics.LOAD: SimulatorLoad,
    topics.CONTACTS: ContactsState,
    topics.LABELS: TwistStamped,
}
_SIMULATOR_START_S = 90.0
_BRAIN_START_S = 600.0
_TICK_S = 0.5
_LATE_S = 1.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that came in: a message, or a node's death."""

    topic: str
    message: Any
    wall_s: float
    monotonic_s: float


class StatsNode:
    """One thread takes all events from one queue, so that nothing needs a lock."""

    def __init__(self, spec: RunSpec, folder: Path) -> None:
        self._spec = spec
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        circuit = spec.load_circuit()
        self._tracker = LapTracker(
            circuit.centreline(spec.direction),
            spec.start_station_m(),
            spec.laps,
            LapLimits.of_circuit(circuit, spec.laps, spec.timeout_s()),
        )
        self._supervision = (
            Supervision(silence_s=LOCKSTEP_SILENCE_S, in_lockstep=True)
            if spec.clock == "lockstep"
            else Supervision()
        )
        self._bag = BagWriter(folder / "run.bag")
        self._status: dict[str, Any] = {}
        self._progress = Progress(spec.laps)
        self._sim_s = 0.0
        self._answered_sim_s = 0.0
        self._gone = False
        self.timings: dict[str, float] = {}
        self._watch = NodeWatch(("/gazebo", "/brain"), lambda name: self._put("death", name))
        # Camera info is the small sign that a frame was published: figures need no pixels.
        kinds = {**_RECORDED, topics.STATUS: String, topics.CAMERA_INFO: CameraInfo}
        if spec.record_camera:
            kinds[topics.CAMERA] = Image
        self._subscribers = {
            topic: rospy.Subscriber(
                topic, kind, self._taker(topic), buff_size=2**24, tcp_nodelay=True
            )
            for topic, kind in kinds.items()
        }
        rospy.on_shutdown(lambda: self._put("shutdown", None))

    def run(self) -> Ending:
        """The whole run, up to its outcome; always closes the bag."""
        self._watch.start()
        self._bag.write_json(topics.METADATA, self._spec.model_dump(), time.time())
        self._bag.write_lasting(topics.STATIC_TRANSFORMS, transforms.of_camera(), time.time())
        try:
            self._wait_until_ready()
            self._go()
            ending = self._follow()
        except (HarnessError, StorageError) as error:
            ending = Ending("harness_error", str(error))
        except PitwallError as error:  # it died, hung, or could not load (no extra, broken file)
            ending = Ending("brain_error", str(error))
        self._watch.stop()
        self._bag.close()
        return ending

    @property
    def bag(self) -> BagWriter:
        """The bag of this run."""
        return self._bag

    @property
    def proof(self) -> dict[str, Any]:
        """What the brain said of itself."""
        return dict(self._status.get("proof") or {})

    def _wait_until_ready(self) -> None:
        """Nobody stands at the line while a network loads: both must be there before go."""
        started_s = time.monotonic()
        say("starting the simulator and loading the model ...")
        while not (self._status and self._simulator_is_ready()):
            self._take(self._next())
            raise_failures()
            waited_s = time.monotonic() - started_s
            if waited_s > _SIMULATOR_START_S and not self._simulator_is_ready():
                raise HarnessError(f"the simulator did not start within {waited_s:.0f} s")
            if waited_s > _BRAIN_START_S:
                raise BrainError(f"the brain did not get ready within {waited_s:.0f} s")
        self.timings["start_s"] = time.monotonic() - started_s
        say(f"ready after {self.timings['start_s']:.1f} s")

    def _simulator_is_ready(self) -> bool:
        """Whether it takes orders, and nothing that it publishes from now on would be lost."""
        try:
            rosgraph.Master(rospy.get_name()).lookupService("/gazebo/unpause_physics")
        except rosgraph.MasterException:
            return False
        needed = {
            topics.ODOMETRY,
            topics.CLOCK,
            topics.CAMERA_INFO,
            topics.ITERATIONS,
            topics.CAMERA,
        }
        return all(
            subscriber.get_num_connections()
            for topic, subscriber in self._subscribers.items()
            if topic in needed
        )

    def _go(self) -> None:
        start = start_pose(self._spec)
        self._tracker.go(self._sim_s, start.x_m, start.y_m)
        now_s = time.monotonic()
        self._supervision.go(now_s)
        self._gone = True
        self._event("go")
        call("/gazebo/unpause_physics", Empty)

    def _follow(self) -> Ending:
        while True:
            event = self._next()
            self._take(event)
            state = self._tracker.state
            if state is not None:
                if line := self._progress.line(state, self._sim_s, time.monotonic()):
                    say(line)
                if state.outcome is not None:
                    self._event("finish", end_sim_s=state.end_sim_s, outcome=state.outcome)
                    self._record_until_brain_is_past(state.end_sim_s or self._sim_s)
                    return Ending(state.outcome, state.outcome_reason)

    def _record_until_brain_is_past(self, end_sim_s: float) -> None:
        """Records what comes late: topics overtake each other, and the last answers count too."""
        deadline_s = time.monotonic() + _LATE_S
        while self._answered_sim_s <= end_sim_s and time.monotonic() < deadline_s:
            event = self._next()
            if event is not None and event.topic in _RECORDED:
                self._bag.write(event.topic, event.message, event.wall_s)
                self._take_recorded(event)

    def _next(self) -> Event | None:
        try:
            return self._events.get(timeout=_TICK_S)
        except queue.Empty:
            return None

    def _take(self, event: Event | None) -> None:
        """Records an event and hands it to those it concerns."""
        if event is None:
            self._supervision.check(time.monotonic())
            return
        match event.topic:
            case "shutdown":
                raise HarnessError("interrupted before the run was over")
            case "death":
                self._supervision.master_is_dead |= event.message == MASTER
                self._supervision.brain_is_dead |= event.message == "/brain"
                self._supervision.simulator_is_dead |= event.message == "/gazebo"
            case topics.STATUS:
                self._take_status(event)
            case topics.CAMERA_INFO:
                if self._spec.record_camera:
                    self._bag.write(event.topic, event.message, event.wall_s)
                self._supervision.image_came(event.monotonic_s)
            case topics.CAMERA:
                self._bag.write_image(topics.CAMERA, event.message, event.wall_s)
            case _:
                self._bag.write(event.topic, event.message, event.wall_s)
                self._take_recorded(event)
        self._supervision.check(event.monotonic_s)

    def _take_status(self, event: Event) -> None:
        self._status = json.loads(event.message.data)
        if self._status["state"] == "failed":
            raise BrainError(self._status["error"])

    def _take_recorded(self, event: Event) -> None:
        message = event.message
        if event.topic == topics.CLOCK:
            if message.clock.to_sec() > self._sim_s:
                self._sim_s = message.clock.to_sec()
                self._supervision.clock_moved(event.monotonic_s)
        elif event.topic == topics.ITERATIONS:
            self._supervision.brain_answered(event.monotonic_s)
            self._answered_sim_s = message.header.stamp.to_sec()
        elif event.topic == topics.ODOMETRY:
            self._bag.write(topics.TRANSFORMS, transforms.of_odometry(message), event.wall_s)
            if self._gone:
                self._follow_car(message)

    def _follow_car(self, odometry: Odometry) -> None:
        pose = odometry.pose.pose
        turn = pose.orientation
        yaw_rad = yaw_of_quaternion(turn.x, turn.y, turn.z, turn.w)
        sim_s = odometry.header.stamp.to_sec()
        self._tracker.update(sim_s, pose.position.x, pose.position.y, yaw_rad)

    def _event(self, name: str, **details: Any) -> None:
        wall_s = time.time()
        entry = {"event": name, "sim_s": self._sim_s, "wall_s": wall_s, **details}
        self._bag.write_json(topics.EVENTS, entry, wall_s)

    def _taker(self, topic: str) -> Callable[[Any], None]:
        return lambda message: self._put(topic, message)

    def _put(self, topic: str, message: Any) -> None:
        self._events.put(Event(topic, message, time.time(), time.monotonic()))


def raise_failures() -> None:
    """What kept the simulator or the brain from starting, in their own words.

    Raises:
        HarnessError: the simulator failed.
        BrainError: the brain failed.
    """
    if reason := rospy.get_param(SIMULATOR_FAILURE):
        raise HarnessError(reason)
    if reason := rospy.get_param(BRAIN_FAILURE):
        raise BrainError(reason)


def call(name: str, kind: Any, *arguments: Any) -> Any:
    """Calls a service of the simulator.

    Raises:
        HarnessError: it is not there or failed.
    """
    try:
        rospy.wait_for_service(name, timeout=10.0)
        return rospy.ServiceProxy(name, kind)(*arguments)
    except (rospy.ROSException, rospy.ServiceException) as error:
        raise HarnessError(f"the simulator's {name} failed: {error}") from None


def prepare_folder(spec: RunSpec, started_at: str) -> Path:
    """Makes the recording's folder with the exact command and a way to the logs.

    Raises:
        UsageError: the folder holds a finished run.
        StorageError: it can't be made.
    """
    folder = spec.folder(recordings_root(), started_at)
    claim_recording(folder)
    note_command(folder, "circuit.launch", spec.launch_arguments())
    return folder


def main() -> int:
    """Runs one run and writes its recording."""
    start_node("stats")
    spec = asked_run()
    spec.check_runnable()
    started_at = datetime.now(UTC)
    folder = prepare_folder(spec, started_at.strftime("%Y%m%dT%H%M%S.%fZ"))
    node = StatsNode(spec, folder)
    ending = node.run()
    result = compute_result(folder, spec, ending, node.proof, started_at, node.timings)
    try:
        node.bag.append_json(topics.EXPERIMENT_METRICS, result.published(), time.time())
    except StorageError as error:
        failed = {"outcome": "harness_error", "outcome_reason": str(error)}
        result = result.model_copy(update=failed)
    write_result(result, folder / RESULT_NAME)  # last: a run that has it lacks nothing
    say(f"{result.outcome}: {result.outcome_reason}; recording {folder}")
    return exit_code(result.outcome)


if __name__ == "__main__":
    exit_with(main)
