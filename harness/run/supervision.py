"""Decides, from what is seen of simulator and brain, whether a run still lives. No ROS."""

from dataclasses import dataclass

from harness.errors import BrainError, HarnessError

LOCKSTEP_SILENCE_S = 20.0
"""In lockstep all wait for a brain that an overloaded machine makes slow, and nothing is lost."""


@dataclass
class Supervision:
    """Tells a hung or dead simulator from a hung or dead brain.

    All times are wall clock (monotonic). `clock_moved`, `image_came` and `brain_answered` are
    called as it happens; `check` is called now and then.

    Attributes:
        stall_s: simulated time standing still for longer is a failure.
        silence_s: a brain that answers no frame for longer, while frames come, has failed; shorter
            than what makes a car count as stuck, for it is the command's time-out that stops it.
        in_lockstep: simulated time stands still while the brain thinks.
    """

    stall_s: float = 5.0
    silence_s: float = 3.0
    in_lockstep: bool = False
    master_is_dead: bool = False
    simulator_is_dead: bool = False
    brain_is_dead: bool = False
    _clock_s: float | None = None
    _answer_s: float | None = None
    _image_s: float | None = None

    def go(self, now_s: float) -> None:
        """Driving begins: from now on silence counts."""
        self._clock_s = self._answer_s = self._image_s = now_s

    def clock_moved(self, now_s: float) -> None:
        """Simulated time went on."""
        self._clock_s = now_s

    def image_came(self, now_s: float) -> None:
        """The camera published a frame."""
        self._image_s = now_s

    def brain_answered(self, now_s: float) -> None:
        """The brain published an iteration."""
        self._answer_s = now_s

    def check(self, now_s: float) -> None:
        """Raises what is wrong, if anything.

        A frame newer than the last answer means that it is the brain the others wait for: in
        lockstep a hung brain holds the simulator too.

        Raises:
            HarnessError: ROS or the simulator died, or the simulator hangs.
            BrainError: the brain died or hangs.
        """
        if self.master_is_dead:
            raise HarnessError("the ROS master died (see logs/)")
        if self.simulator_is_dead:
            raise HarnessError("the simulator died (see logs/)")
        if self.brain_is_dead:
            raise BrainError("the brain died (see logs/)")
        if self._clock_s is None or self._answer_s is None or self._image_s is None:
            return
        waits_for_brain = self._image_s > self._answer_s
        if waits_for_brain and now_s - self._answer_s > self.silence_s:
            raise BrainError(f"the brain answered no frame for {now_s - self._answer_s:.1f} s")
        if waits_for_brain and self.in_lockstep:
            return
        if now_s - self._clock_s > self.stall_s:
            raise HarnessError(f"simulated time stood still for {now_s - self._clock_s:.1f} s")
