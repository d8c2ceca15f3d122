"""The checker of the contract that every brain keeps, a user's own included."""

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brains.catalogue import load_brain
from brains.expert import V_LIMITS_M_S, W_LIMIT_RAD_S
from brains.failures import ANYTHING
from brains.interface import Brain, CarState, Command
from brains.view import FRAME_PERIOD_S
from harness.errors import BrainError, PitwallError, one_line

FRAME_SHAPE = (480, 640, 3)
OTHER_SHAPES = [(240, 320, 3), (120, 160, 3), (720, 1280, 3)]
PROOF_KEYS = {"engine", "engine_version", "device"}
NETWORK_PROOF_KEYS = {"parameters", "artifact_sha256", "operators", "reference_difference"}
TIMED_CALLS = 50
SEQUENCE = 6


@dataclass(frozen=True, slots=True)
class Check:
    """One checked promise."""

    name: str
    passed: bool
    detail: str


class _Broken(Exception):  # noqa: N818 - a finding, not an error of the program
    """A promise that the brain does not keep."""


def check_brain(name: str) -> Iterator[Check]:
    """Check a model or ``module:Class`` against the contract, one promise after the other.

    Ends after a failed load: there is nothing to check then.

    Raises:
        PitwallError: The model is unknown, or can't run on this machine.
    """
    try:
        brain = load_brain(name)
    except BrainError as error:
        yield Check("loads", False, str(error))
        return
    yield Check("loads", True, type(brain).__qualname__)
    frame = road_frame(FRAME_SHAPE)
    promises: list[tuple[str, Callable[[], str]]] = [
        ("warms up", lambda: _warms_up(brain, frame)),
        ("answers a Command of finite numbers", lambda: _answers(brain, frame)),
        ("stays in the car's range", lambda: _in_range(brain, frame)),
        _repeats(brain, frame),
        ("leaves the frame as it is", lambda: _frame_kept(brain, frame)),
        ("takes any image size", lambda: _any_size(brain)),
        ("times the engine's call", lambda: _timed(brain, frame)),
        ("proof says what runs", lambda: _proof(brain)),
    ]
    for promise, test in promises:
        try:
            yield Check(promise, True, test())
        except _Broken as broken:
            yield Check(promise, False, str(broken))
        except PitwallError as error:
            yield Check(promise, False, str(error))
        except ANYTHING as error:
            yield Check(promise, False, one_line(error))


def road_frame(shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A frame with sky above, grey road below and a red line in its middle."""
    height, width, _ = shape
    frame = np.full(shape, (120, 170, 230), np.uint8)
    frame[height // 2 :] = (60, 60, 62)
    for row in range(height // 2 + 1, height):
        half = max(1, (row - height // 2) * width // (4 * height))
        frame[row, width // 2 - half : width // 2 + half] = (210, 20, 20)
    return frame


def _warms_up(brain: Brain, frame: NDArray[np.uint8]) -> str:
    brain.warm_up(frame)
    return ""


def _answers(brain: Brain, frame: NDArray[np.uint8]) -> str:
    command = brain.infer(frame)
    if type(command.v_m_s) is not float or type(command.w_rad_s) is not float:
        raise _Broken(f"{command} must hold plain floats")
    return _text(command)


def _in_range(brain: Brain, frame: NDArray[np.uint8]) -> str:
    command = brain.infer(frame)
    if not -1e-9 <= command.v_m_s <= V_LIMITS_M_S[1]:
        raise _Broken(f"{_text(command)}: v must be within 0 and {V_LIMITS_M_S[1]} m/s")
    if abs(command.w_rad_s) > W_LIMIT_RAD_S:
        raise _Broken(f"{_text(command)}: |w| must be at most {W_LIMIT_RAD_S} rad/s")
    return f"0 to {V_LIMITS_M_S[1]} m/s, +-{W_LIMIT_RAD_S} rad/s"


def _repeats(brain: Brain, frame: NDArray[np.uint8]) -> tuple[str, Callable[[], str]]:
    """What must come out equal: a frame's answer; of a brain with a past a sequence's answers."""
    if brain.stateful:
        return "same sequence, same commands", lambda: _same_sequence(brain, frame)
    return "same frame, same command", lambda: _deterministic(brain, frame)


def _same_sequence(brain: Brain, frame: NDArray[np.uint8]) -> str:
    frames = [np.roll(frame, 16 * shift, axis=1) for shift in range(SEQUENCE)]
    answered = []
    for _ in range(3):
        brain.reset()
        previous, commands = Command(0.0, 0.0), []
        for number, shown in enumerate(frames):
            previous = brain.infer(shown, CarState(5.0, previous, number * FRAME_PERIOD_S))
            commands.append(previous)
        answered.append(commands)
    brain.reset()
    if any(commands != answered[0] for commands in answered):
        raise _Broken(f"{SEQUENCE} frames answered otherwise after reset(): it must forget them")
    return f"{SEQUENCE} frames after reset()"


def _deterministic(brain: Brain, frame: NDArray[np.uint8]) -> str:
    commands = {brain.infer(frame.copy()) for _ in range(5)}
    if len(commands) > 1:
        raise _Broken(
            f"{len(commands)} different commands for 5 times the same frame: a "
            "brain with a past says `stateful = True` and defines reset()"
        )
    return ""


def _frame_kept(brain: Brain, frame: NDArray[np.uint8]) -> str:
    given = frame.copy()
    brain.infer(given)
    if not np.array_equal(given, frame):
        raise _Broken("the frame was changed in place: work on a copy")
    # The node hands over a view of the message's bytes, which can't be written to.
    given.flags.writeable = False
    brain.infer(given)
    return ""


def _any_size(brain: Brain) -> str:
    for shape in OTHER_SHAPES:
        brain.infer(road_frame(shape))
    return ", ".join(f"{width}x{height}" for height, width, _ in OTHER_SHAPES)


def _timed(brain: Brain, frame: NDArray[np.uint8]) -> str:
    times_ms = []
    for _ in range(TIMED_CALLS):
        timed = brain.timed_infer(frame)
        times_ms.append((timed.infer_end_s - timed.infer_start_s) * 1e3)
    if min(times_ms) < 0:
        raise _Broken("the engine's call ended before it began")
    return f"inference median {statistics.median(times_ms):.2f} ms of {TIMED_CALLS}"


def _proof(brain: Brain) -> str:
    proof = brain.proof()
    wanted = PROOF_KEYS | (NETWORK_PROOF_KEYS if "artifact" in proof else set())
    lacking = sorted(wanted - proof.keys())
    if lacking:
        raise _Broken(f"proof() lacks {', '.join(lacking)}")
    difference = proof.get("reference_difference")
    if difference is not None and not math.isfinite(difference):
        raise _Broken(f"reference_difference is {difference}")
    return f"{proof['engine']} {proof['engine_version'] or ''}".strip()


def _text(command: Command) -> str:
    return f"v {command.v_m_s:.3f} m/s, w {command.w_rad_s:.3f} rad/s"
