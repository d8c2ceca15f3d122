"""Which frames arrive, and which show what went before. Simulated time is in nanoseconds."""

import numpy as np

from harness.conditions.draws import generator

_BURST_FRAMES = 5.0
# Two seconds of the camera: a brain that is sent nothing for longer would be taken for a dead one.
_LONGEST = 40
_FREEZE_EVERY_NS = 5_000_000_000


class FrameLoss:
    """Frames lost in bursts: a channel that is good or bad, for times without memory (Gilbert)."""

    def __init__(self, seed: int, share: float) -> None:
        """Begins a run.

        Args:
            seed: Of the run.
            share: Of the frames that are lost in the long run, above 0.
        """
        self._random = generator(seed, "frame_drop")
        odds = share / (1.0 - share)
        # A good time lasts a frame at least: where much is lost, the bad ones are longer.
        self._bad_frames = max(_BURST_FRAMES, 1.1 * odds)
        lost = self._bad_frames * (1.0 - (1.0 - 1.0 / self._bad_frames) ** _LONGEST)
        self._good_frames = max(lost / odds, 1.0)
        self._lost: list[bool] = []

    def loses(self, number: int) -> bool:
        """Whether the frame of this number is lost, whichever were asked for before."""
        while len(self._lost) <= number:
            good = int(self._random.geometric(1.0 / self._good_frames))
            bad = min(int(self._random.geometric(1.0 / self._bad_frames)), _LONGEST)
            self._lost += [False] * good + [True] * bad
        return self._lost[number]


class Freezes:
    """Times in which the picture stands still: one in every five seconds, at a drawn moment."""

    def __init__(self, seed: int, length_s: float) -> None:
        """Begins a run; the length in simulated seconds, below 5."""
        self._seed = seed
        self._length_ns = round(length_s * 1e9)
        self._starts: dict[int, int] = {}

    def holds(self, stamp_ns: int) -> bool:
        """Whether the picture stands still at this time."""
        number, within_ns = divmod(stamp_ns, _FREEZE_EVERY_NS)
        if number not in self._starts:
            free_ns = _FREEZE_EVERY_NS - self._length_ns
            random = generator(self._seed, "camera_freeze", number)
            self._starts[number] = int(random.integers(0, free_ns, endpoint=True))
        start_ns = self._starts[number]
        return start_ns <= within_ns < start_ns + self._length_ns


def frame_number(stamp_ns: int, period_ns: int) -> int:
    """Which frame of the camera it is."""
    return int(np.rint(stamp_ns / period_ns))
