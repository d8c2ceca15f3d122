#!/usr/bin/env python3
"""Plays the frames of a bag to the brain, one after the other: the next when one is answered.

No frame can be lost or overtaken, for there is never more than one on its way, and none waits for
wall time.
"""

import queue
import time
import xmlrpc.client
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rosgraph
import rospy
from harness_msgs.msg import BrainIteration
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Image
from std_msgs.msg import String

from brains.interface import Command, Frame
from harness import topics
from harness.errors import BrainError, HarnessError, error_of
from harness.nodes.frame_loop import as_time
from harness.nodes.node import (
    BRAIN_FAILURE,
    exit_with,
    note_command,
    refuse_second_run,
    say,
    start_node,
)
from harness.nodes.node_watch import NodeWatch
from harness.paths import recordings_root
from harness.recording.messages import bag_of
from harness.replay.answers import Answer
from harness.replay.progress import ReplayProgress
from harness.replay.result import claim_replay, finish_replay
from harness.replay.source import RecordedFrame, Source, frames_as_seen, open_source
from harness.run.brain_status import BrainFailed, BrainReady, read_status
from harness.run.supervision import BRAIN, MASTER
from harness.spec.launch import model_name
from harness.spec.replay import ReplaySpec
from worlds.car.sdf import CAMERA_NAME

_BRAIN_START_S = 600.0
_TICK_S = 0.1


class ReplayNode:
    """One thread takes all events from one queue, so that nothing needs a lock."""

    def __init__(self, spec: ReplaySpec, source: Source) -> None:
        self._spec = spec
        self._source = source
        self._answered = 0
        self._events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._ready: BrainReady | None = None
        self._images = rospy.Publisher(topics.CAMERA, Image, queue_size=1, tcp_nodelay=True)
        # Goes to brains alone that are told the car's speed.
        self._odometry = rospy.Publisher(topics.ODOMETRY, Odometry, queue_size=1, tcp_nodelay=True)
        self._subscribers = [
            rospy.Subscriber(
                topic,
                kind,
                lambda message, topic=topic: self._events.put((topic, message)),
                tcp_nodelay=True,
            )
            for topic, kind in ((topics.ITERATIONS, BrainIteration), (topics.STATUS, String))
        ]
        self._watch = NodeWatch((BRAIN,), lambda name: self._events.put(("death", name)))
        rospy.on_shutdown(lambda: self._events.put(("shutdown", None)))

    @property
    def proof(self) -> dict[str, Any]:
        """What the brain said of itself."""
        return self._ready.proof if self._ready else {}

    def run(self) -> tuple[list[Answer], float]:
        """Plays all frames.

        Returns:
            One answer a frame, in order, and the wall time from the first to the last, seconds.

        Raises:
            PitwallError: the brain failed, died or hung, the bag is damaged, or an interrupt.
        """
        self._watch.start()
        try:
            self._wait_until_ready()
            return self._play()
        finally:
            self._watch.stop()

    def _wait_until_ready(self) -> None:
        """Waits until the model is loaded, and no frame or answer would be lost."""
        say("loading the model ...")
        started_s = time.monotonic()
        while not (self._ready and self._is_connected()):
            self._take(_TICK_S)
            if reason := rospy.get_param(BRAIN_FAILURE):
                raise BrainError(reason)
            if time.monotonic() - started_s > _BRAIN_START_S:
                raise BrainError(f"the brain did not get ready within {_BRAIN_START_S:.0f} s")
        self._watch.lives(BRAIN)
        say(f"ready after {time.monotonic() - started_s:.1f} s")

    def _is_connected(self) -> bool:
        """Whether frames reach the brain and its answers this node, as the senders know it.

        Others may listen too (rqt, rviz), so that a count of connections would say nothing.
        """
        here = rospy.get_name()
        return sends(here, topics.CAMERA, BRAIN) and sends(BRAIN, topics.ITERATIONS, here)

    def _play(self) -> tuple[list[Answer], float]:
        answers: list[Answer] = []
        period_s = 1.0 / self._spec.rate if self._spec.rate else 0.0
        started_s = time.monotonic()
        progress = ReplayProgress(self._source.frames, started_s)
        for frame, seen in frames_as_seen(self._source):
            self._pass_time_until(started_s + len(answers) * period_s)
            answers.append(self._answer_to(frame, seen))
            self._answered = len(answers)
            if line := progress.line(self._answered, time.monotonic()):
                say(line)
        return answers, time.monotonic() - started_s

    def _pass_time_until(self, due_s: float) -> None:
        while (left_s := due_s - time.monotonic()) > 0.0:
            self._take(left_s)

    def _answer_to(self, frame: RecordedFrame, seen: Frame) -> Answer:
        if self._odometry.get_num_connections():
            self._odometry.publish(as_odometry(frame, self._source.speed_at(frame.stamp_ns)))
        self._images.publish(as_image(frame, seen))
        deadline_s = time.monotonic() + self._spec.patience
        while (iteration := self._take(max(deadline_s - time.monotonic(), 0.0))) is None:
            if time.monotonic() >= deadline_s:
                raise BrainError(
                    f"the brain did not answer {self._place()} within {self._spec.patience:g} s"
                    " (patience:=SECONDS lets it think longer)"
                )
        if iteration.header.stamp.to_nsec() != frame.stamp_ns:
            raise HarnessError(
                f"the brain answered a frame of {iteration.header.stamp.to_sec():.3f} s, not"
                f" {self._place()} of {frame.stamp_ns / 1e9:.3f} s: does another camera publish?"
            )
        return Answer(
            stamp_ns=frame.stamp_ns,
            frame_crc32=zlib.crc32(frame.pixels.tobytes()),
            command=Command(iteration.v_m_s, iteration.w_rad_s),
            recorded=self._source.commands.get(frame.stamp_ns),
            inference_s=iteration.infer_end_s - iteration.infer_start_s,
        )

    def _take(self, timeout_s: float) -> BrainIteration | None:
        """Waits for an event; gives an answer of the brain, acts on anything else."""
        try:
            topic, message = self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None
        match topic:
            case "shutdown":
                raise HarnessError(f"interrupted at {self._place()}")
            case "death" if message == MASTER:
                raise HarnessError("the ROS master died (see logs/)")
            case "death":
                raise BrainError(f"the brain died at {self._place()} (see logs/)")
            case _ if topic == topics.ITERATIONS:
                return message
        status = read_status(message.data)
        if isinstance(status, BrainFailed):
            raise error_of(status.exit_code, status.error)
        self._ready = status
        return None

    def _place(self) -> str:
        return f"frame {self._answered + 1} of {self._source.frames}"


def sends(node: str, topic: str, to: str) -> bool:
    """Whether a node has another among those it sends a topic to.

    It is the sender's word that counts: a message goes to those that it knows.
    """
    try:
        address = rosgraph.Master(rospy.get_name()).lookupNode(node)
        answer: Any = xmlrpc.client.ServerProxy(address).getBusInfo(rospy.get_name())
    except (OSError, rosgraph.MasterException):
        return False
    _, _, connections = answer
    return any(
        (direction, name, other) == ("o", topic, to)
        for _, other, direction, _, name, *_ in connections
    )


def as_image(frame: RecordedFrame, seen: Frame) -> Image:
    """What is seen of a recorded frame, as the camera publishes it."""
    height, width, _ = seen.shape
    image = Image(
        height=height,
        width=width,
        step=width * 3,
        encoding="rgb8",
        data=seen.tobytes(),
    )
    image.header.stamp = as_time(frame.stamp_ns)
    image.header.frame_id = CAMERA_NAME
    return image


def as_odometry(frame: RecordedFrame, speed_m_s: float) -> Odometry:
    """The car's speed at a frame, with the frame's own stamp."""
    odometry = Odometry()
    odometry.header.stamp = as_time(frame.stamp_ns)
    odometry.twist.twist.linear.x = speed_m_s
    return odometry


def main() -> int:
    """Replays and writes the result."""
    refuse_second_run("stats")
    start_node("replay")
    spec = ReplaySpec.parse(rospy.get_param("/replay"))
    spec.check_runnable()
    source = open_source(bag_of(Path(spec.bag)), spec.camera_topic or None)
    started_at = datetime.now(UTC)
    folder = spec.folder(recordings_root(), started_at.strftime("%Y%m%dT%H%M%S.%fZ"))
    claim_replay(folder)
    note_command(folder, "replay.launch", spec.launch_arguments())
    node = ReplayNode(spec, source)
    answers, duration_s = node.run()
    result = finish_replay(
        folder, model_name(spec.model), source, answers, node.proof, started_at, duration_s
    )
    say(
        f"{result.frames_answered} of {result.frames_recorded} frames replayed,"
        f" {result.commands_equal} of {result.frames_compared} commands equal; replay {folder}"
    )
    return 0


if __name__ == "__main__":
    exit_with(main)
