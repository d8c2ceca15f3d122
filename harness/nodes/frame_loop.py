"""The loop of every driving node: newest camera frame in, command out, times published."""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import genpy
import rospy
from geometry_msgs.msg import Twist
from harness_msgs.msg import Advance, BrainIteration, ScheduledTwist
from std_msgs.msg import Header, String

from brains.failures import ANYTHING
from brains.interface import Command, Frame, TimedCommand
from harness import topics
from harness.conditions.sight import Sight
from harness.errors import BrainError, PitwallError, one_line
from harness.nodes.frames import frames_of_node
from harness.run.brain_status import BrainFailed, BrainReady, BrainStatus
from harness.run.frame_segment import CameraFrame
from harness.run.lockstep import CAMERA_PERIOD_NS, LockstepClock, latency_of
from harness.run.process_cost import Cost, CostMeter
from harness.run.processor_energy import EnergyMeter
from harness.spec.run import RunSpec


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer to a frame, and the command that the car gets (an expert disturbs its own)."""

    answer: TimedCommand
    executed: Command


Decide = Callable[[Frame, int], Decision]
"""Answers a frame; its second argument is the frame's simulated time in nanoseconds."""


class FrameLoop:
    """Connects a deciding function to the car. A slow decider misses frames, as on a real car."""

    def __init__(self, spec: RunSpec) -> None:
        """Connects the topics.

        Raises:
            DataError: the run's latency profile is missing or broken.
        """
        self._latency = latency_of(spec)
        self._sight = Sight(spec.asked_conditions(), spec.seed, CAMERA_PERIOD_NS)
        self._energy = EnergyMeter.of_machine()
        self._cost = CostMeter(self._energy)
        self._frames = frames_of_node()
        self._status = rospy.Publisher(topics.STATUS, String, queue_size=1, latch=True)
        self._iterations = rospy.Publisher(topics.ITERATIONS, BrainIteration, queue_size=100)
        self._commands = rospy.Publisher(topics.COMMANDS, Twist, queue_size=1, tcp_nodelay=True)
        self._advance = rospy.Publisher(topics.ADVANCE, Advance, queue_size=10, tcp_nodelay=True)

    def connect(self) -> None:
        """Waits until no frame would be lost, or for the shutdown.

        Raises:
            HarnessError: there is no way to the frames.
        """
        self._frames.connect()

    @property
    def energy(self) -> str:
        """Where the energy of a frame is from; why there is none, where there is none."""
        return self._energy.why_none or "RAPL, all packages"

    def announce(self, status: BrainStatus) -> None:
        """Publishes (latched) how the brain stands.

        Raises:
            BrainError: its proof holds what JSON can't.
        """
        self._status.publish(String(data=status.to_json()))

    def run(self, decide: Decide) -> None:
        """Answers frames until shutdown.

        Raises:
            BrainError: the decider failed.
        """
        if self._latency is None:
            self._run_in_real_time(decide)
        else:
            self._run_in_lockstep(decide, LockstepClock(CAMERA_PERIOD_NS, self._latency))

    def _run_in_real_time(self, decide: Decide) -> None:
        last_ns: int | None = None
        while (frame := self._frames.next()) is not None:
            if self._sight.loses(frame.stamp_ns):
                continue
            # What conditions make of a frame is not the brain's time.
            seen = self._sight.of(frame.pixels, frame.stamp_ns)
            self._cost.begin()
            receive_s = time.monotonic()
            decision = decide(seen, frame.stamp_ns)
            self._commands.publish(as_twist(decision.executed))
            passed_ns = 0 if last_ns is None else frame.stamp_ns - last_ns
            missed = max(round(passed_ns / CAMERA_PERIOD_NS) - 1, 0)
            last_ns = frame.stamp_ns
            cost = self._cost.read()
            self._iterations.publish(as_iteration(frame, receive_s, decision, missed, cost))

    def _run_in_lockstep(self, decide: Decide, clock: LockstepClock) -> None:
        self._wait_for_simulator()
        self._advance.publish(Advance(until=as_time(clock.horizon_ns)))
        while (frame := self._frames.next()) is not None:
            if clock.is_busy(frame.stamp_ns):
                continue
            if self._sight.loses(frame.stamp_ns):
                clock.lose(frame.stamp_ns)
                self._advance.publish(Advance(until=as_time(clock.horizon_ns)))
                continue
            if (known_ns := clock.begin(frame.stamp_ns)) is not None:
                self._advance.publish(Advance(until=as_time(known_ns)))
            seen = self._sight.of(frame.pixels, frame.stamp_ns)
            self._cost.begin()
            receive_s = time.monotonic()
            decision = decide(seen, frame.stamp_ns)
            effective_ns, missed = clock.answer(frame.stamp_ns, time.monotonic() - receive_s)
            scheduled = ScheduledTwist(as_time(effective_ns), as_twist(decision.executed))
            self._advance.publish(Advance(until=as_time(clock.horizon_ns), commands=[scheduled]))
            iteration = as_iteration(frame, receive_s, decision, missed, self._cost.read())
            iteration.latency_s = (effective_ns - frame.stamp_ns) / 1e9
            iteration.effective = as_time(effective_ns)
            iteration.frame_crc32 = zlib.crc32(frame.pixels.data)
            self._iterations.publish(iteration)

    def _wait_for_simulator(self) -> None:
        """An Advance that nobody listens to would be lost, and all would wait."""
        while not rospy.is_shutdown() and not self._advance.get_num_connections():
            time.sleep(0.01)


def run_driver(loop: FrameLoop, load: Callable[[], tuple[Decide, dict[str, Any]]]) -> int:
    """Loads a driver, drives until shutdown, tells the stats node about any failure.

    Args:
        loop: connected loop.
        load: returns the deciding function and its proof.

    Returns:
        The exit code of the node.
    """
    try:
        started_s = time.monotonic()
        decide, proof = load()
        load_s = time.monotonic() - started_s
        loop.connect()
        loop.announce(BrainReady(proof={**proof, "energy": loop.energy}, load_s=load_s))
        loop.run(decide)
    except PitwallError as error:
        failure = error
    except ANYTHING as error:
        rospy.logerr(f"brain failed: {one_line(error)}", exc_info=True)
        failure = BrainError(one_line(error))
    else:
        return 0
    loop.announce(BrainFailed(error=one_line(failure), exit_code=failure.exit_code))
    rospy.spin()  # the latched word must outlive the failure until the stats node ends the run
    return failure.exit_code


def as_iteration(
    frame: CameraFrame, receive_s: float, decision: Decision, missed: int, cost: Cost
) -> BrainIteration:
    """What is told of one iteration, its command just published."""
    return BrainIteration(
        header=Header(stamp=as_time(frame.stamp_ns), frame_id=frame.frame_id),
        receive_s=receive_s,
        infer_start_s=decision.answer.infer_start_s,
        infer_end_s=decision.answer.infer_end_s,
        publish_s=time.monotonic(),
        v_m_s=decision.executed.v_m_s,
        w_rad_s=decision.executed.w_rad_s,
        frames_missed=missed,
        latency_s=float("nan"),
        cpu_s=cost.cpu_s,
        peak_rss_bytes=cost.peak_rss_bytes,
        energy_j=cost.energy_j,
    )


def as_twist(command: Command) -> Twist:
    """Command as the car's message."""
    twist = Twist()
    twist.linear.x, twist.angular.z = command.v_m_s, command.w_rad_s
    return twist


def as_time(nanoseconds: int) -> genpy.Time:
    """Simulated time as a ROS time, exactly."""
    return genpy.Time(nanoseconds // 1_000_000_000, nanoseconds % 1_000_000_000)
