"""Where a driving node's camera frames come from: shared memory, or the camera's topic.

The node's parameter `frames` says which: `segment` (circuit.launch: the simulator is ours and on
this machine) or `topic`, as from any other camera (replay.launch, and where nothing is said). It
is one or the other from start to end: times measured by one never stand for the other's.
"""

import threading
import time
from typing import Protocol

import numpy as np
import rospy
from sensor_msgs.msg import Image
from std_msgs.msg import String

from brains.interface import Frame
from harness import topics
from harness.errors import BrainError, UsageError
from harness.run.frame_segment import CameraFrame, FrameSegment

# Lets a wait notice a shutdown; frames are waited for as events.
_LOOK_S = 0.5


class Frames(Protocol):
    """A source of frames, of which the newest counts: a slow taker misses some."""

    def connect(self) -> None:
        """Waits until no frame would be lost, or for the shutdown.

        Raises:
            HarnessError: there is no way to the frames.
        """

    def next(self) -> CameraFrame | None:
        """Waits for a new frame; None at the shutdown."""


class TopicFrames:
    """Frames of the camera's topic."""

    def __init__(self) -> None:
        """Subscribes."""
        self._arrived = threading.Condition()
        self._newest: Image | None = None
        self._images = rospy.Subscriber(
            topics.CAMERA, Image, self._on_image, queue_size=1, buff_size=2**24, tcp_nodelay=True
        )

    def connect(self) -> None:
        """As in `Frames`."""
        while not rospy.is_shutdown() and not self._images.get_num_connections():
            time.sleep(0.01)

    def next(self) -> CameraFrame | None:
        """As in `Frames`.

        Raises:
            BrainError: the camera's format is not rgb8.
        """
        with self._arrived:
            while self._newest is None:
                if rospy.is_shutdown():
                    return None
                self._arrived.wait(timeout=_LOOK_S)
            image, self._newest = self._newest, None
        return CameraFrame(image.header.stamp.to_nsec(), image.header.frame_id, as_frame(image))

    def _on_image(self, image: Image) -> None:
        with self._arrived:
            self._newest = image
            self._arrived.notify()


class SegmentFrames:
    """Frames of the simulator's shared memory."""

    def __init__(self) -> None:
        """Listens for where it is."""
        self._offered = threading.Event()
        self._address = ""
        self._segment: FrameSegment | None = None
        self._subscriber = rospy.Subscriber(topics.SEGMENT, String, self._on_offer)
        rospy.on_shutdown(self._on_shutdown)

    def connect(self) -> None:
        """As in `Frames`."""
        while not self._offered.wait(_LOOK_S):
            if rospy.is_shutdown():
                return
        self._segment = FrameSegment.connect(self._address)

    def next(self) -> CameraFrame | None:
        """As in `Frames`."""
        while self._segment is not None and not rospy.is_shutdown():
            try:
                if (frame := self._segment.next(_LOOK_S)) is not None:
                    return frame
            except ConnectionError:
                # Who watches over the run tells why, and ends it.
                self._segment = None
                rospy.spin()
        return None

    def _on_offer(self, message: String) -> None:
        self._address = message.data
        self._offered.set()

    def _on_shutdown(self) -> None:
        self._offered.set()
        if self._segment is not None:
            self._segment.close()


_SOURCES: dict[str, type[TopicFrames] | type[SegmentFrames]] = {
    "topic": TopicFrames,
    "segment": SegmentFrames,
}


def frames_of_node() -> Frames:
    """The source that this node's parameter asks for.

    Raises:
        UsageError: there is none of this name.
    """
    name = rospy.get_param("~frames", "topic")
    if name not in _SOURCES:
        raise UsageError(f"frames: {name!r} is none of {', '.join(_SOURCES)}")
    return _SOURCES[name]()


def as_frame(image: Image) -> Frame:
    """View of an image message as uint8 (height, width, 3), without a copy.

    Raises:
        BrainError: not an rgb8 image.
    """
    if image.encoding != "rgb8":
        raise BrainError(f"camera sends {image.encoding}, expected rgb8")
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
