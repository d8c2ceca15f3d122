"""What a brain sees of a camera, under the conditions of its run."""

from collections.abc import Callable

from harness.conditions.arrivals import FrameLoss, Freezes, frame_number
from harness.conditions.asked import Conditions
from harness.conditions.draws import generator
from harness.conditions.pictures import (
    Dirt,
    Frame,
    blurred,
    exposed,
    noise_field,
    noisy,
    repacked,
)

Step = Callable[[Frame, int], Frame]
"""What changes a frame; its second argument is the frame's number."""


class Sight:
    """The way from the camera to the brain: lens, sensor, cable.

    The same seed and the same frames give the same sight, bit for bit, whenever it is asked.
    """

    def __init__(self, conditions: Conditions, seed: int, period_ns: int) -> None:
        """Begins a run.

        Args:
            conditions: Of the run.
            seed: Of the run.
            period_ns: Of the camera, simulated.
        """
        self._conditions = conditions
        self._seed = seed
        self._period_ns = period_ns
        drop, freeze = conditions.level("frame_drop"), conditions.level("camera_freeze")
        self._loss = None if drop is None else FrameLoss(seed, drop)
        self._freezes = None if freeze is None else Freezes(seed, freeze)
        self._steps: list[Step] | None = None
        self._last: Frame | None = None

    def loses(self, stamp_ns: int) -> bool:
        """Whether the frame of this simulated time never arrives."""
        if self._loss is None:
            return False
        return self._loss.loses(frame_number(stamp_ns, self._period_ns))

    def of(self, frame: Frame, stamp_ns: int, taken: bool = True) -> Frame:
        """What the brain sees of a frame that arrives.

        Args:
            frame: As the camera took it; is not changed.
            stamp_ns: Its simulated time.
            taken: The brain answers it, so that a picture that freezes next is this one.
        """
        if self._freezes and self._last is not None and self._freezes.holds(stamp_ns):
            return self._last
        if self._steps is None:
            self._steps = self._way(frame)
        seen, number = frame, frame_number(stamp_ns, self._period_ns)
        for step in self._steps:
            seen = step(seen, number)
        if self._freezes and taken:
            # The camera's memory may hold another frame soon.
            self._last = seen.copy() if seen is frame else seen
        return seen

    def _way(self, frame: Frame) -> list[Step]:
        """Dirt on the lens, its focus, the sensor's light and noise, the cable."""
        level, steps = self._conditions.level, list[Step]()
        height, width, _ = frame.shape
        if (share := level("camera_dirt")) is not None:
            dirt = Dirt.drawn(generator(self._seed, "camera_dirt"), height, width, share)
            steps.append(lambda seen, _: dirt.on(seen))
        if (sigma_px := level("camera_blur")) is not None:
            steps.append(lambda seen, _: blurred(seen, sigma_px))
        if (stops := level("camera_exposure")) is not None:
            steps.append(lambda seen, _: exposed(seen, stops))
        if (sigma := level("camera_noise")) is not None:
            field = noise_field(generator(self._seed, "camera_noise"), frame.size, sigma)
            steps.append(lambda seen, number: noisy(seen, field, self._noise_at(number, seen)))
        if (quality := level("camera_jpeg")) is not None:
            steps.append(lambda seen, _: repacked(seen, int(quality)))
        return steps

    def _noise_at(self, number: int, frame: Frame) -> int:
        random = generator(self._seed, "camera_noise", number)
        return int(random.integers(0, frame.size, endpoint=True))
