import pytest

from harness.errors import BrainError, HarnessError
from harness.run.supervision import Supervision


def test_nothing_counts_before_go() -> None:
    Supervision().check(1e6)


def test_a_running_pair_is_left_alone() -> None:
    watch = Supervision()
    watch.go(0.0)
    for tick in range(1, 400):
        now_s = tick * 0.05
        watch.clock_moved(now_s)
        watch.image_came(now_s)
        watch.brain_answered(now_s + 0.01)
        watch.check(now_s + 0.02)


def test_a_simulator_that_stands_still() -> None:
    watch = Supervision(stall_s=5.0)
    watch.go(0.0)
    watch.image_came(1.0)
    watch.brain_answered(1.1)
    watch.check(5.9)
    with pytest.raises(HarnessError, match=r"stood still for 5\.1 s"):
        watch.check(6.1)


@pytest.mark.parametrize("in_lockstep", [False, True])
def test_a_heavy_world_may_take_long_for_its_first_frame(in_lockstep: bool) -> None:
    watch = Supervision(first_frame_s=60.0, in_lockstep=in_lockstep)
    watch.image_came(0.0)  # before go
    watch.go(10.0)
    watch.clock_moved(10.1)
    watch.check(69.9)
    with pytest.raises(HarnessError, match=r"the camera gave no frame for 60\.1 s"):
        watch.check(70.1)
    # From the first one on silence counts.
    watch.image_came(70.2)
    watch.check(73.1)
    with pytest.raises(BrainError, match=r"no frame for 3\.1 s"):
        watch.check(73.3)


def test_a_silent_brain_is_blamed_though_lockstep_holds_the_clock_too() -> None:
    watch = Supervision(stall_s=5.0, silence_s=5.0)
    watch.go(0.0)
    watch.image_came(0.95)
    watch.clock_moved(1.0)
    watch.brain_answered(1.0)
    watch.image_came(1.05)
    watch.check(5.9)
    with pytest.raises(BrainError, match="no frame"):
        watch.check(6.2)


def test_the_dead_are_told_apart() -> None:
    with pytest.raises(HarnessError, match="simulator died"):
        Supervision(simulator_is_dead=True).check(0.0)
    with pytest.raises(BrainError, match="brain died"):
        Supervision(brain_is_dead=True).check(0.0)


def test_a_dead_master_is_nobody_elses_fault() -> None:
    watch = Supervision(master_is_dead=True, brain_is_dead=True)
    with pytest.raises(HarnessError, match="ROS master"):
        watch.check(0.0)


def test_in_lockstep_time_stands_still_while_a_slow_brain_thinks() -> None:
    watch = Supervision(stall_s=5.0, silence_s=20.0, in_lockstep=True)
    watch.go(0.0)
    watch.image_came(0.1)
    watch.check(19.0)
    with pytest.raises(BrainError, match="answered no frame"):
        watch.check(21.0)
    watch.brain_answered(21.0)
    with pytest.raises(HarnessError, match="stood still"):
        watch.check(21.1)
