"""Decides, from what is seen of simulator and brain, whether a run still lives. No ROS."""

import math
from dataclasses import dataclass

from harness.errors import BrainError, HarnessError

# Nodes, by their names on the ROS master, and itself.
SIMULATOR = "/gazebo"
BRAIN = "/brain"
MASTER = "/rosmaster"

LOCKSTEP_SILENCE_S = 20.0
"""In lockstep all wait for a brain that an overloaded machine makes slow, and nothing is lost."""

FIRST_FRAME_S = 60.0
"""A heavy world's first frame may take many seconds: the simulator loads what it shows by then."""


@dataclass
class Supervision:
    """Tells a hung or dead simulator from a hung or dead brain.

    All times are wall clock (monotonic). `clock_moved`, `image_came` and `brain_answered` are
    called as it happens; `check` is called now and then.

    Attributes:
        first_frame_s: no frame for longer after go is a failure; all else counts from the first.
        stall_s: simulated time standing still for longer is a failure.
        silence_s: a brain that answers no frame for longer, while frames come, has failed; shorter
            than what makes a car count as stuck, for it is the command's time-out that stops it.
        in_lockstep: simulated time stands still while the brain thinks.
        interrupted: somebody ended the run.
        master_is_dead: of ROS.
        simulator_is_dead: its process ended.
        brain_is_dead: its process ended.
        brain_failure: the brain's own word that it can't go on; empty while it can.
    """

    first_frame_s: float = FIRST_FRAME_S
    stall_s: float = 5.0
    silence_s: float = 3.0
    in_lockstep: bool = False
    interrupted: bool = False
    master_is_dead: bool = False
    simulator_is_dead: bool = False
    brain_is_dead: bool = False
    brain_failure: str = ""
    _go_s: float | None = None
    _clock_s: float = -math.inf
    _answer_s: float = -math.inf
    _image_s: float | None = None
    _waits_for_brain: bool = False

    def go(self, now_s: float) -> None:
        """Driving begins: from now on the first frame is waited for."""
        self._go_s = now_s

    def clock_moved(self, now_s: float) -> None:
        """Simulated time went on."""
        self._clock_s = now_s

    def image_came(self, now_s: float) -> None:
        """The camera published a frame; from the first one after go on silence counts."""
        if self._go_s is None:
            return
        if self._image_s is None:
            self._clock_s = max(self._clock_s, now_s)
            self._answer_s = max(self._answer_s, now_s)
        self._image_s = now_s
        self._waits_for_brain = True

    def brain_answered(self, now_s: float) -> None:
        """The brain published an iteration."""
        self._answer_s = now_s
        self._waits_for_brain = False

    def died(self, name: str) -> None:
        """A node's process ended, or the master's."""
        self.master_is_dead |= name == MASTER
        self.brain_is_dead |= name == BRAIN
        self.simulator_is_dead |= name == SIMULATOR

    @property
    def somebody_is_lost(self) -> bool:
        """Whether anybody is gone for good."""
        dead = self.master_is_dead or self.simulator_is_dead or self.brain_is_dead
        return dead or self.interrupted or bool(self.brain_failure)

    def check(self, now_s: float) -> None:
        """Raises what is wrong, if anything.

        A frame newer than the last answer means that it is the brain the others wait for: in
        lockstep a hung brain holds the simulator too.

        Raises:
            HarnessError: ROS or the simulator died, the simulator hangs, or the run is interrupted.
            BrainError: the brain failed, died or hangs.
        """
        if self.interrupted:
            raise HarnessError("interrupted before the run was over")
        if self.master_is_dead:
            raise HarnessError("the ROS master died (see logs/)")
        if self.simulator_is_dead:
            raise HarnessError("the simulator died (see logs/)")
        if self.brain_failure:
            raise BrainError(self.brain_failure)
        if self.brain_is_dead:
            raise BrainError("the brain died (see logs/)")
        if self._go_s is None:
            return
        if self._image_s is None:
            if now_s - self._go_s > self.first_frame_s:
                raise HarnessError(f"the camera gave no frame for {now_s - self._go_s:.1f} s")
            return
        if self._waits_for_brain and now_s - self._answer_s > self.silence_s:
            raise BrainError(f"the brain answered no frame for {now_s - self._answer_s:.1f} s")
        if self._waits_for_brain and self.in_lockstep:
            return
        if now_s - self._clock_s > self.stall_s:
            raise HarnessError(f"simulated time stood still for {now_s - self._clock_s:.1f} s")
