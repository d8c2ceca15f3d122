"""A run from start to outcome, played by fakes: no ROS, no simulator, no waiting."""

import logging
from collections.abc import Callable, Iterable
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from harness import topics
from harness.errors import BrainError, HarnessError, StorageError
from harness.recording.course import course_of_spec
from harness.recording.run_ending import Ending, ended
from harness.run.brain_status import BrainFailed, BrainReady
from harness.run.referee import Account, Event, Referee, Sign
from harness.run.supervision import BRAIN, MASTER, SIMULATOR, Supervision
from harness.spec.run import RunSpec
from tests.harness.bagmaker import Pose, along
from tests.harness.run.test_brain_status import FAULTS

READY = BrainReady(proof={"engine": "litert"}, load_s=1.5)
# The car drives at 10 m/s and 20 frames a second; after this time the run is over.
TIMEOUT_S = 1.0
TICK_S = 0.5
# Nothing comes for a tick.
QUIET = "quiet"
SPEC = RunSpec(timeout=TIMEOUT_S)
COURSE = course_of_spec(SPEC, "as asked")


class FakeBag:
    """Remembers what it holds, as (topic, message)."""

    def __init__(self) -> None:
        self.held: list[tuple[str, Any]] = []
        self.failure: Exception | None = None

    def write(self, topic: str, message: Any, wall_s: float) -> None:
        self.held.append((topic, message))

    def write_image(self, topic: str, image: Any, wall_s: float) -> None:
        self.held.append((f"{topic}/compressed", image))

    def write_transform(self, odometry: Any, wall_s: float) -> None:
        if self.failure:
            raise self.failure
        self.held.append((topics.TRANSFORMS, odometry))

    def write_json(self, topic: str, value: Any, wall_s: float) -> None:
        self.held.append((topic, value))

    def stamps(self, topic: str) -> list[float]:
        return [message.header.stamp.to_sec() for name, message in self.held if name == topic]

    def events(self) -> list[dict[str, Any]]:
        return [value for topic, value in self.held if topic == topics.EVENTS]


class FakeSurroundings:
    """Plays events, one at a time, on a clock of its own."""

    def __init__(self, events: Iterable[tuple[str, Any]]) -> None:
        self.events = list(events)
        self.now_s = 100.0
        self.went_after: int | None = None
        self.ready = True
        self.said: list[str] = []
        self.failure: Exception | None = None
        self.go_fails: Exception | None = None
        self._played = 0

    def monotonic(self) -> float:
        return self.now_s

    def next_event(self) -> Event | None:
        if not self.events:
            self.now_s += TICK_S
            return None
        if self.events[0][0] == QUIET:
            self.events.pop(0)
            self.now_s += TICK_S
            return None
        self.now_s += 0.001
        self._played += 1
        topic, message = self.events.pop(0)
        return Event(topic, message, 1e9 + self.now_s, self.now_s)

    def is_ready(self) -> bool:
        return self.ready

    def check_start(self) -> None:
        if self.failure:
            raise self.failure

    def go(self) -> None:
        if self.go_fails:
            raise self.go_fails
        self.went_after = self._played

    def say(self, text: str) -> None:
        self.said.append(text)


def stamped(sim_s: float, **values: Any) -> SimpleNamespace:
    stamp = SimpleNamespace(to_sec=lambda: sim_s)
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp), **values)


def status(text: str) -> tuple[str, Any]:
    return topics.STATUS, SimpleNamespace(data=text)


def odometry(pose: Pose) -> tuple[str, Any]:
    # Yaw plays no part in where a lap ends.
    turn = SimpleNamespace(x=0.0, y=0.0, z=0.0, w=1.0)
    position = SimpleNamespace(x=pose.x_m, y=pose.y_m, z=0.0)
    inner = SimpleNamespace(position=position, orientation=turn)
    return topics.ODOMETRY, stamped(pose.sim_s, pose=SimpleNamespace(pose=inner))


def clock(sim_s: float) -> tuple[str, Any]:
    stamp = SimpleNamespace(to_sec=lambda: sim_s)
    return topics.CLOCK, SimpleNamespace(clock=stamp)


def frame(sim_s: float) -> list[tuple[str, Any]]:
    """A frame as it comes: its small sign, the answer to it, and last its pixels."""
    names = (topics.CAMERA_INFO, topics.ITERATIONS, topics.CAMERA)
    return [(name, stamped(sim_s)) for name in names]


@cache
def drive(until_s: float = TIMEOUT_S + 0.01) -> tuple[tuple[str, Any], ...]:
    """The ready brain, then the car on the line and an answer to every frame."""
    events = [status(READY.to_json())]
    for index, pose in enumerate(along(metres=10.0 * until_s, rate_hz=100.0)):
        events += [clock(pose.sim_s), odometry(pose)]
        if index and index % 5 == 0:
            events += frame(pose.sim_s)
    return tuple(events)


def referee(
    surroundings: FakeSurroundings,
    bag: FakeBag,
    spec: RunSpec = SPEC,
    account: Account | None = None,
) -> Referee:
    return Referee(
        spec, COURSE, bag, surroundings, account or Account(), monotonic=surroundings.monotonic
    )


def play(
    events: Iterable[tuple[str, Any]], spec: RunSpec = SPEC
) -> tuple[Ending, FakeBag, FakeSurroundings]:
    bag, surroundings = FakeBag(), FakeSurroundings(events)
    return ended(referee(surroundings, bag, spec).run), bag, surroundings


def test_a_run_goes_when_both_are_ready_and_ends_by_its_outcome() -> None:
    account, bag = Account(), FakeBag()
    surroundings = FakeSurroundings(drive())
    ending = referee(surroundings, bag, account=account).run()
    assert ending.outcome == "timeout"
    assert surroundings.went_after == 1
    assert account.proof == {"engine": "litert"}
    assert set(account.timings) == {"start_s", "load_s"}
    assert [entry["event"] for entry in bag.events()] == ["go", "finish"]
    assert bag.events()[1]["outcome"] == "timeout"
    assert any("lap 1/1" in line for line in surroundings.said)


def test_after_the_finish_as_before_every_answer_has_its_frame() -> None:
    spec = SPEC.model_copy(update={"record_camera": True})
    signs, answers, pictures = zip(*(frame(sim_s) for sim_s in (1.05, 1.1, 1.15)), strict=True)
    # The brain drives on, and the frames come so late that whole seconds pass between them.
    silence: list[tuple[str, Any]] = [(QUIET, None)] * 4
    late = [event for picture in pictures for event in (*silence, picture)]
    ending, bag, surroundings = play([*drive(), *signs, *answers, *late], spec)
    assert ending.outcome == "timeout"
    answered = bag.stamps(topics.ITERATIONS)
    assert answered[-1] == 1.05  # the first answer beyond the end, and no further
    assert bag.stamps(topics.COMPRESSED_CAMERA) == answered
    assert set(answered) <= set(bag.stamps(topics.CAMERA_INFO))
    assert surroundings.events == late[5:]


def test_without_the_camera_asked_for_no_frame_is_kept() -> None:
    events = [(topic, message) for topic, message in drive() if topic != topics.CAMERA]
    _, bag, _ = play([*events, *frame(1.05)[:2]])
    assert bag.stamps(topics.ITERATIONS)[-1] == 1.05
    kept = {topic for topic, _ in bag.held}
    assert kept.isdisjoint({topics.CAMERA, topics.COMPRESSED_CAMERA, topics.CAMERA_INFO})
    assert bag.stamps(topics.TRANSFORMS) == bag.stamps(topics.ODOMETRY)


def test_after_the_finish_a_silent_brain_is_not_waited_for_long() -> None:
    before = FakeSurroundings(drive())
    ending, _, surroundings = play(drive())
    assert ending.outcome == "timeout"
    drive_s = 0.001 * len(before.events)
    silence_s = Supervision().silence_s
    assert surroundings.now_s - 100.0 == pytest.approx(drive_s + silence_s, abs=2 * TICK_S)


def test_after_the_finish_a_camera_that_runs_on_does_not_hide_a_silent_brain() -> None:
    spec = SPEC.model_copy(update={"record_camera": True})
    frames = [
        event
        for index in range(21, 2000)
        for event in frame(index / 20.0)
        if event[0] != topics.ITERATIONS
    ]
    slow = [event for sent in frames for event in (sent, (QUIET, None))]
    ending, _, surroundings = play([*drive(), *slow], spec)
    assert ending.outcome == "timeout"
    assert len(slow) - len(surroundings.events) < 20


@pytest.mark.parametrize(
    "late",
    [
        (Sign.DEATH, BRAIN),
        (Sign.DEATH, SIMULATOR),
        (Sign.SHUTDOWN, None),
        status(BrainFailed(error="out of memory", exit_code=6).to_json()),
        status("{"),
    ],
)
def test_what_happens_after_the_finish_changes_no_outcome(late: tuple[str, Any]) -> None:
    ending, bag, surroundings = play([*drive(), late, *frame(1.05)])
    assert ending.outcome == "timeout"
    # There is nothing to wait for any more.
    assert bag.stamps(topics.ITERATIONS)[-1] < 1.05
    assert len(surroundings.events) == 3


@pytest.mark.parametrize(
    ("event", "outcome", "said"),
    [
        ((Sign.DEATH, BRAIN), "brain_error", "the brain died"),
        ((Sign.DEATH, SIMULATOR), "harness_error", "the simulator died"),
        ((Sign.DEATH, MASTER), "harness_error", "the ROS master died"),
        ((Sign.SHUTDOWN, None), "harness_error", "interrupted before the run was over"),
        (
            status(BrainFailed(error="ValueError: shapes\ndiffer", exit_code=6).to_json()),
            "brain_error",
            "ValueError: shapes differ",
        ),
    ],
)
@pytest.mark.parametrize("at", [0, 60])
def test_who_fails_before_the_finish_ends_the_run(
    event: tuple[str, Any], outcome: str, said: str, at: int
) -> None:
    events = drive()
    ending, _, _ = play([*events[:at], event, *events[at:]])
    assert (ending.outcome, ending.reason[: len(said)]) == (outcome, said)
    assert "\n" not in ending.reason


@pytest.mark.parametrize(("text", "said"), FAULTS)
@pytest.mark.parametrize("at", [0, 60])
def test_a_status_that_makes_no_sense_is_the_brain_s_error(text: str, said: str, at: int) -> None:
    events = drive()
    ending, _, _ = play([*events[:at], status(text), *events[at:]])
    assert ending.outcome == "brain_error"
    assert said in ending.reason
    assert "\n" not in ending.reason


def test_a_hanging_brain_and_a_hanging_simulator_are_told_apart() -> None:
    events = drive(until_s=0.5)
    ending, _, _ = play([*events, *frame(0.55)[:1]])
    assert (ending.outcome, "answered no frame" in ending.reason) == ("brain_error", True)
    ending, _, _ = play(events)
    assert (ending.outcome, "stood still" in ending.reason) == ("harness_error", True)


def test_who_never_starts_is_named() -> None:
    surroundings = FakeSurroundings([status(READY.to_json())])
    surroundings.ready = False
    with pytest.raises(HarnessError, match="the simulator did not start within 90"):
        referee(surroundings, FakeBag()).run()
    with pytest.raises(BrainError, match="the brain did not get ready within 600"):
        referee(FakeSurroundings([]), FakeBag()).run()
    surroundings = FakeSurroundings([])
    surroundings.failure = BrainError("model file broken")
    with pytest.raises(BrainError, match="model file broken"):
        referee(surroundings, FakeBag()).run()


def breaks_the_bag(error: Exception) -> Callable[[FakeBag, FakeSurroundings], None]:
    def break_it(bag: FakeBag, surroundings: FakeSurroundings) -> None:
        bag.failure = error

    return break_it


def breaks_go(bag: FakeBag, surroundings: FakeSurroundings) -> None:
    surroundings.go_fails = RuntimeError("the service\nsays nothing")


def breaks_a_message(bag: FakeBag, surroundings: FakeSurroundings) -> None:
    surroundings.events.insert(60, (topics.ODOMETRY, object()))


@pytest.mark.parametrize(
    ("break_it", "reason", "foreseen"),
    [
        (breaks_the_bag(StorageError("the disk is full")), "the disk is full", True),
        (breaks_the_bag(KeyError("pose")), "KeyError: 'pose'", False),
        (breaks_the_bag(AssertionError()), "AssertionError", False),
        (breaks_go, "RuntimeError: the service says nothing", False),
        (breaks_a_message, "AttributeError: 'object' object has no attribute", False),
    ],
)
def test_an_error_that_nobody_foresaw_is_one_line_and_a_traceback_in_the_log(
    break_it: Callable[[FakeBag, FakeSurroundings], None],
    reason: str,
    foreseen: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bag, surroundings, account = FakeBag(), FakeSurroundings(drive()), Account()
    break_it(bag, surroundings)
    with caplog.at_level(logging.ERROR):
        ending = ended(referee(surroundings, bag, account=account).run)
    assert ending.outcome == "harness_error"
    assert ending.reason.startswith(reason)
    assert ending.reason.endswith("(see logs/)") != foreseen
    assert "\n" not in ending.reason
    assert ("Traceback" in caplog.text) != foreseen
