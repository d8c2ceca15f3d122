"""Follows a run from its start to its outcome, and records what came in on the way. No ROS."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from harness import topics
from harness.errors import BrainError, HarnessError
from harness.metrics.lap import LapState, LapTracker
from harness.recording.course import Course
from harness.recording.rotation import yaw_of_quaternion
from harness.recording.run_ending import Ending
from harness.run.brain_status import BrainFailed, read_status
from harness.run.progress import Progress
from harness.run.start import start_pose
from harness.run.supervision import LOCKSTEP_SILENCE_S, Supervision
from harness.spec.run import RunSpec

SIMULATOR_START_S = 90.0
BRAIN_START_S = 600.0

_FRAMES = (topics.CAMERA, topics.CAMERA_INFO)


class Sign(StrEnum):
    """What comes in that is no message."""

    DEATH = "death"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that came in.

    Attributes:
        topic: of a message, or a `Sign`.
        message: the message; of a death, the node's name.
        wall_s: when it came, wall clock.
        monotonic_s: when it came, by the clock that nobody sets.
    """

    topic: str
    message: Any
    wall_s: float
    monotonic_s: float


@dataclass
class Account:
    """What is known of a run beside its bag, however far it came.

    Attributes:
        proof: what the brain said it executes.
        timings: wall seconds of the run's phases.
    """

    proof: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)


class Bag(Protocol):
    """Takes what is recorded; each of these raises StorageError where the disk is full or gone."""

    def write(self, topic: str, message: Any, wall_s: float) -> None:
        """A message as it came."""

    def write_image(self, topic: str, image: Any, wall_s: float) -> None:
        """A camera frame, packed."""

    def write_transform(self, odometry: Any, wall_s: float) -> None:
        """Where the car is, for tools that know no odometry."""

    def write_json(self, topic: str, value: Any, wall_s: float) -> None:
        """A JSON document."""


class Surroundings(Protocol):
    """What a referee needs of the simulator, the brain and the user."""

    def next_event(self) -> Event | None:
        """Waits for what comes next; None if nothing came for a moment."""

    def is_ready(self) -> bool:
        """Whether the simulator takes orders, and nothing that is published would be lost."""

    def check_start(self) -> None:
        """Raises what kept the simulator or the brain from starting (HarnessError, BrainError)."""

    def go(self) -> None:
        """Lets simulated time run; raises HarnessError where the simulator does not obey."""

    def say(self, text: str) -> None:
        """Tells the user."""


class Referee:
    """Takes all events of one run in the order in which they came."""

    def __init__(
        self,
        spec: RunSpec,
        course: Course,
        bag: Bag,
        surroundings: Surroundings,
        account: Account,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Sets up; `run` does the rest.

        Args:
            spec: what is asked.
            course: what is to be driven.
            bag: takes what comes in.
            surroundings: where it comes from.
            account: takes what else is known of the run.
            monotonic: a clock that nobody sets, in seconds.
        """
        self._spec = spec
        self._bag = bag
        self._surroundings = surroundings
        self._account = account
        self._monotonic = monotonic
        self._tracker = LapTracker(
            course.circuit.centreline(course.direction),
            course.start_station_m,
            course.laps,
            course.limits,
        )
        self._supervision = (
            Supervision(silence_s=LOCKSTEP_SILENCE_S, in_lockstep=True)
            if spec.clock == "lockstep"
            else Supervision()
        )
        self._progress = Progress(spec.laps)
        self._brain_is_ready = False
        self._gone = False
        self._sim_s = 0.0
        self._answered_sim_s = 0.0
        self._pictured_sim_s = 0.0

    def run(self) -> Ending:
        """The whole run, up to its outcome.

        Raises:
            BrainError: the brain could not start, failed, died or hangs.
            HarnessError: the simulator did, or the run was interrupted.
            StorageError: the bag can't be written.
        """
        self._wait_until_ready()
        self._go()
        finish = self._follow()
        end_sim_s = self._sim_s if finish.end_sim_s is None else finish.end_sim_s
        self._note("finish", end_sim_s=finish.end_sim_s, outcome=finish.outcome)
        self._record_what_is_late(end_sim_s)
        assert finish.outcome is not None
        return Ending(finish.outcome, finish.outcome_reason)

    def _wait_until_ready(self) -> None:
        """Nobody stands at the line while a network loads: both must be there before go."""
        say, started_s = self._surroundings.say, self._monotonic()
        say("starting the simulator and loading the model ...")
        while not (self._brain_is_ready and self._surroundings.is_ready()):
            self._take_next()
            self._surroundings.check_start()
            waited_s = self._monotonic() - started_s
            if waited_s > SIMULATOR_START_S and not self._surroundings.is_ready():
                raise HarnessError(f"the simulator did not start within {waited_s:.0f} s")
            if waited_s > BRAIN_START_S:
                raise BrainError(f"the brain did not get ready within {waited_s:.0f} s")
        start_s = self._monotonic() - started_s
        self._account.timings["start_s"] = start_s
        say(f"ready after {start_s:.1f} s")

    def _go(self) -> None:
        start = start_pose(self._spec)
        self._tracker.go(self._sim_s, start.x_m, start.y_m)
        self._supervision.go(self._monotonic())
        self._gone = True
        self._note("go")
        self._surroundings.go()

    def _follow(self) -> LapState:
        """Drives on until the outcome falls."""
        while True:
            self._take_next()
            state = self._tracker.state
            if state is None:
                continue
            if line := self._progress.line(state, self._sim_s, self._monotonic()):
                self._surroundings.say(line)
            if state.outcome is not None:
                return state

    def _record_what_is_late(self, end_sim_s: float) -> None:
        """Records what comes after the finish: topics overtake each other, the last answers count.

        The first answer beyond the end is the last one; the frames up to its own are lacking where
        the camera is recorded. The outcome has fallen: who dies or falls silent now only ends the
        waiting.
        """
        heard_s, known = self._monotonic(), self._known_s()
        while (
            not self._is_complete(end_sim_s)
            and not self._supervision.somebody_is_lost
            and self._monotonic() - heard_s <= self._supervision.silence_s
        ):
            event = self._surroundings.next_event()
            if self._answered_sim_s <= end_sim_s or (event and event.topic in _FRAMES):
                self._dispatch(event)
            if self._known_s() != known:
                heard_s, known = self._monotonic(), self._known_s()

    def _is_complete(self, end_sim_s: float) -> bool:
        """Whether the brain is past the end, and every frame that it answered is in the bag."""
        answered_s, pictured_s = self._known_s()
        return answered_s > end_sim_s and (not self._spec.record_camera or pictured_s >= answered_s)

    def _known_s(self) -> tuple[float, float]:
        """Up to which simulated time there are answers, and the frames that they are to."""
        return self._answered_sim_s, min(self._pictured_sim_s, self._answered_sim_s)

    def _take_next(self) -> None:
        """Takes what comes next, and asks whether all still live."""
        event = self._surroundings.next_event()
        self._dispatch(event)
        self._supervision.check(self._monotonic() if event is None else event.monotonic_s)

    def _dispatch(self, event: Event | None) -> None:
        """Records an event and hands it to those it concerns, before the finish and after it."""
        if event is not None:
            self._record(event)
            self._hear(event)

    def _record(self, event: Event) -> None:
        match event.topic:
            case topics.STATUS | Sign.DEATH | Sign.SHUTDOWN:
                pass  # the result tells
            case topics.CAMERA_INFO if not self._spec.record_camera:
                pass
            case topics.CAMERA:
                self._bag.write_image(event.topic, event.message, event.wall_s)
            case topics.ODOMETRY:
                self._bag.write(event.topic, event.message, event.wall_s)
                self._bag.write_transform(event.message, event.wall_s)
            case _:
                self._bag.write(event.topic, event.message, event.wall_s)

    def _hear(self, event: Event) -> None:
        message = event.message
        match event.topic:
            case Sign.SHUTDOWN:
                self._supervision.interrupted = True
            case Sign.DEATH:
                self._supervision.died(message)
            case topics.STATUS:
                self._hear_brain(message.data)
            case topics.CAMERA_INFO:
                self._supervision.image_came(event.monotonic_s)
            case topics.CAMERA:
                self._pictured_sim_s = message.header.stamp.to_sec()
            case topics.CLOCK:
                if message.clock.to_sec() > self._sim_s:
                    self._sim_s = message.clock.to_sec()
                    self._supervision.clock_moved(event.monotonic_s)
            case topics.ITERATIONS:
                self._supervision.brain_answered(event.monotonic_s)
                self._answered_sim_s = message.header.stamp.to_sec()
            case topics.ODOMETRY if self._gone:
                self._follow_car(message)

    def _hear_brain(self, text: str) -> None:
        try:
            status = read_status(text)
        except BrainError as error:
            self._supervision.brain_failure = str(error)
            return
        if isinstance(status, BrainFailed):
            self._supervision.brain_failure = status.error
            return
        self._brain_is_ready = True
        self._account.proof = status.proof
        self._account.timings["load_s"] = status.load_s

    def _follow_car(self, odometry: Any) -> None:
        pose = odometry.pose.pose
        turn = pose.orientation
        yaw_rad = yaw_of_quaternion(turn.x, turn.y, turn.z, turn.w)
        sim_s = odometry.header.stamp.to_sec()
        self._tracker.update(sim_s, pose.position.x, pose.position.y, yaw_rad)

    def _note(self, name: str, **details: Any) -> None:
        """An event of the run itself, in the bag."""
        wall_s = time.time()
        entry = {"event": name, "sim_s": self._sim_s, "wall_s": wall_s, **details}
        self._bag.write_json(topics.EVENTS, entry, wall_s)
