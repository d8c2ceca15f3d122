#!/usr/bin/env python3
"""Runs the run: hands what comes in to the referee, its orders to ROS, and writes the recording."""

import queue
import time
from collections.abc import Callable
from contextlib import closing
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
from harness.errors import BrainError, HarnessError
from harness.nodes import transforms
from harness.nodes.bag_writer import BagWriter, append_json
from harness.nodes.node import (
    BRAIN_FAILURE,
    SIMULATOR_FAILURE,
    asked_run,
    exit_with,
    note_command,
    say,
    start_node,
)
from harness.nodes.node_watch import NodeWatch
from harness.paths import claim_recording, recordings_root
from harness.recording.course import Course, course_of_spec
from harness.recording.messages import BAG_NAME
from harness.recording.run_ending import Ending, ended, exit_code, finish_recording
from harness.run.referee import Account, Event, Referee, Sign
from harness.run.start import camera_mount
from harness.run.supervision import BRAIN, SIMULATOR
from harness.spec.recorded import CIRCUIT_DRIVEN, RecordedSpec
from harness.spec.run import RunSpec
from worlds.circuit import carried

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
# Without these there is no run; the others may be silent.
_NEEDED = (topics.ODOMETRY, topics.CLOCK, topics.CAMERA_INFO, topics.ITERATIONS, topics.CAMERA)
_UNPAUSE = "/gazebo/unpause_physics"
_TICK_S = 0.5
_SERVICE_S = 10.0


class StatsNode:
    """The referee's surroundings. All that comes in stands in one queue: nothing needs a lock."""

    def __init__(self, record_camera: bool) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._watch = NodeWatch((SIMULATOR, BRAIN), lambda name: self._put(Sign.DEATH, name))
        # Camera info is the small sign that a frame was published: figures need no pixels.
        kinds = {**_RECORDED, topics.STATUS: String, topics.CAMERA_INFO: CameraInfo}
        if record_camera:
            kinds[topics.CAMERA] = Image
        self._subscribers = {
            topic: rospy.Subscriber(
                topic, kind, self._taker(topic), buff_size=2**24, tcp_nodelay=True
            )
            for topic, kind in kinds.items()
        }
        rospy.on_shutdown(lambda: self._put(Sign.SHUTDOWN, None))
        self._watch.start()

    def close(self) -> None:
        """Ends the watch over the others: that they die now is as it should be."""
        self._watch.stop()

    def next_event(self) -> Event | None:
        """Waits for what comes next; None if nothing came for a moment."""
        try:
            return self._events.get(timeout=_TICK_S)
        except queue.Empty:
            return None

    def is_ready(self) -> bool:
        """Whether the simulator takes orders, and nothing that is published would be lost."""
        try:
            rosgraph.Master(rospy.get_name()).lookupService(_UNPAUSE)
        except rosgraph.MasterException:
            return False
        return all(
            subscriber.get_num_connections()
            for topic, subscriber in self._subscribers.items()
            if topic in _NEEDED
        )

    def check_start(self) -> None:
        """What kept the simulator or the brain from starting, in their own words.

        Raises:
            HarnessError: the simulator failed.
            BrainError: the brain failed.
        """
        if reason := rospy.get_param(SIMULATOR_FAILURE):
            raise HarnessError(reason)
        if reason := rospy.get_param(BRAIN_FAILURE):
            raise BrainError(reason)

    def go(self) -> None:
        """Lets simulated time run.

        Raises:
            HarnessError: the simulator's service is not there or failed.
        """
        try:
            rospy.wait_for_service(_UNPAUSE, timeout=_SERVICE_S)
            rospy.ServiceProxy(_UNPAUSE, Empty)()
        except (rospy.ROSException, rospy.ServiceException) as error:
            raise HarnessError(f"the simulator's {_UNPAUSE} failed: {error}") from None

    def say(self, text: str) -> None:
        """Tells the user."""
        say(text)

    def _taker(self, topic: str) -> Callable[[Any], None]:
        return lambda message: self._put(topic, message)

    def _put(self, topic: str, message: Any) -> None:
        self._events.put(Event(topic, message, time.time(), time.monotonic()))


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


def run_recorded(spec: RunSpec, course: Course, bag_path: Path, account: Account) -> Ending:
    """Runs a run, its bag closed at the end.

    Raises:
        PitwallError: what kept it from its outcome.
    """
    with closing(StatsNode(spec.record_camera)) as node, closing(BagWriter(bag_path)) as bag:
        told = RecordedSpec.of(spec).model_dump() | {CIRCUIT_DRIVEN: carried(course.circuit)}
        bag.write_json(topics.METADATA, told, time.time())
        camera = transforms.of_camera(camera_mount(spec))
        bag.write_lasting(topics.STATIC_TRANSFORMS, camera, time.time())
        return Referee(spec, course, bag, node, account).run()


def main() -> int:
    """Runs one run and writes its recording."""
    start_node("stats")
    spec = asked_run()
    spec.check_runnable()
    course = course_of_spec(spec, "as asked")
    started_at = datetime.now(UTC)
    folder = prepare_folder(spec, started_at.strftime("%Y%m%dT%H%M%S.%fZ"))
    bag_path, account = folder / BAG_NAME, Account()
    result = finish_recording(
        folder,
        spec,
        ended(lambda: run_recorded(spec, course, bag_path, account)),
        account.proof,
        started_at,
        account.timings,
        course=course,
        publish=lambda figures: append_json(
            bag_path, topics.EXPERIMENT_METRICS, figures, time.time()
        ),
    )
    say(f"{result.outcome}: {result.outcome_reason}; recording {folder}")
    return exit_code(result.outcome)


if __name__ == "__main__":
    exit_with(main)
