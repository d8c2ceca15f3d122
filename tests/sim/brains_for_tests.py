"""Brains that misbehave on purpose, chosen as `tests.sim.brains_for_tests:Name`."""

import os
import time
import zlib
from typing import Any, Self

from brains.interface import Brain, CarState, Command, Frame
from brains.model import ModelSpec

FRAMES_BEFORE = 40


class Counting(Brain):
    """Drives straight on slowly, and counts its frames."""

    frames = 0

    def predict(self, data: Any) -> Any:
        self.frames += 1
        return Command(3.0, 0.0)


class Late(Counting):
    """Its node takes seconds to connect to the camera, as on a machine that is overloaded."""

    @classmethod
    def load(cls, model: ModelSpec) -> Self:
        from rospy.impl.tcpros_base import TCPROSTransport

        connect = TCPROSTransport.connect

        def slowly(transport: Any, *arguments: Any, **options: Any) -> Any:
            if transport.name == "/F1ROS/cameraL/image_raw":
                time.sleep(2.0)
            return connect(transport, *arguments, **options)

        TCPROSTransport.connect = slowly
        return cls()


class Dying(Counting):
    """Its process ends at once, in the middle of a lap, as after a segmentation fault."""

    def predict(self, data: Any) -> Any:
        if self.frames >= FRAMES_BEFORE:
            os._exit(139)
        return super().predict(data)


class Hanging(Counting):
    """Never answers again."""

    def predict(self, data: Any) -> Any:
        if self.frames >= FRAMES_BEFORE:
            time.sleep(600)
        return super().predict(data)


class Raising(Counting):
    """Raises what no harness expects."""

    def predict(self, data: Any) -> Any:
        if self.frames >= FRAMES_BEFORE:
            raise RuntimeError("tensor shapes do not match")
        return super().predict(data)


class Standing(Brain):
    """Stays where it is."""

    def predict(self, data: Any) -> Any:
        return Command(0.0, 0.0)


class Backwards(Brain):
    """Drives the wrong way."""

    def predict(self, data: Any) -> Any:
        return Command(-3.0, 0.0)


class Remembering(Brain):
    """Answers from all frames that it ever saw: one lost, doubled or overtaken changes the rest."""

    seen = 0

    def predict(self, data: Any) -> Any:
        self.seen = zlib.crc32(data.tobytes(), self.seen)
        return Command(self.seen / 2**28, self.seen / 2**30)


class RememberingSlowly(Remembering):
    """The same, sometimes slower than the camera by far."""

    def predict(self, data: Any) -> Any:
        answer = super().predict(data)
        if self.seen % 3 == 0:
            time.sleep(0.4)
        return answer


class ToldOfTheCar(Brain):
    """Answers with what it is told of the car, so that a recording holds it."""

    needs_speed = True
    state = CarState.standing()

    def observe(self, state: CarState | None) -> None:
        """Keeps it."""
        self.state = state or CarState.standing()

    def predict(self, data: Frame) -> Command:
        """Accelerates with the time; the yaw rate tells the speed."""
        del data
        return Command(1.0 + self.state.stamp_s, 1e-3 * self.state.speed_m_s)
