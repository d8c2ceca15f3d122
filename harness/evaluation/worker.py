"""The process that one model is evaluated in: does what it is asked, one line of JSON at a time.

Engines in one process disturb each other (thread pools, spin-waiting OpenMP threads, one
allocator), so every model has a process of its own. It reads requests from stdin and answers on
what was its stdout; what the engine prints goes to stderr.

Run as ``python -m harness.evaluation.worker MODEL``.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from brains.artifacts import asked_by
from brains.catalogue import find_model, load_brain
from brains.network import Inputs, NetworkBrain
from brains.samples import Samples, evaluation_samples
from harness.errors import PitwallError, UsageError
from harness.evaluation.accuracy import errors, errors_by_circuit
from harness.evaluation.bare import bare_loop
from harness.evaluation.priority import take_priority
from harness.evaluation.profile import noise_frames
from harness.run.processes import die_with_parent

WARM_UP = 20
BLOCK_WARM_UP = 3
FRAME_SIZE_PX = (640, 480)


class Session:
    """One model and what can be asked of it."""

    def __init__(self, name: str) -> None:
        self._model = find_model(name)
        self._calls: dict[str, Callable[[int], Callable[[], float]]] = {"predict": self._predict}

    @cached_property
    def _brain(self) -> NetworkBrain:
        brain = load_brain(asked_by(self._model))
        if not isinstance(brain, NetworkBrain):
            raise UsageError(f"{self._model.name} is no network: it has no outputs to evaluate")
        return brain

    @cached_property
    def _evaluation(self) -> Samples:
        return evaluation_samples(self._model, self._brain.view)

    def judge(self, bare: bool) -> dict[str, Any]:
        """Errors on the held-out frames, the proof of what executed, and what can be timed.

        Args:
            bare: Whether the engine's own loop and whole answers are to be timed too.
        """
        return {
            **self._errors(),
            "proof": self._brain.proof(),
            **(self._open_bare() if bare else {}),
        }

    def _errors(self) -> dict[str, Any]:
        """Errors by the labels; none where nobody knows what was right."""
        found, brain = self._evaluation, self._brain
        sequences = found.sequences() if brain.stateful_engine else [found.inputs]
        commands = brain.says.commands(np.concatenate([brain.answers(one) for one in sequences]))
        if found.labels is None or found.circuits is None:
            return {"errors": None, "circuits": {}}
        by_circuit = errors_by_circuit(commands, found.labels, found.circuits)
        return {
            "errors": errors(commands, found.labels).model_dump(),
            "circuits": {name: value.model_dump() for name, value in by_circuit.items()},
        }

    def _open_bare(self) -> dict[str, Any]:
        """From now on the engine's own loop, if there is one, and whole answers are timed too."""
        self._calls["in_loop"] = self._in_loop
        try:
            loop = bare_loop(self._model, self._brain)
        except UsageError as error:
            return {"bare_reason": str(error)}
        self._calls["bare"] = lambda block: _timed(loop(self._sample(block))[0])
        return {}

    def prioritise(self) -> dict[str, Any]:
        """Take real-time priority from now on."""
        take_priority()
        return {}

    def measure(self, count: int, block: int) -> dict[str, Any]:
        """Time a block of inferences of one frame, of each thing that is to be timed.

        ``predict`` is the brain's engine call alone, back to back; ``in_loop`` the same call
        inside whole answers to camera frames; ``bare`` the engine's own loop.

        Args:
            count: How many to time, after a few that are not.
            block: Number of the block; chooses the frame and what comes first.

        Returns:
            For each of them ``times_ms``, and the ``cpu_ms`` and ``wall_ms`` of all together.
        """
        names = list(self._calls)
        first = block % len(names)
        return {name: self._block(name, count, block) for name in names[first:] + names[:first]}

    def _block(self, name: str, count: int, block: int) -> dict[str, Any]:
        answer = self._calls[name](block)
        for _ in range(WARM_UP if block == 0 else BLOCK_WARM_UP):
            answer()
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        times_s = [answer() for _ in range(count)]
        return {
            "times_ms": [1e3 * value for value in times_s],
            "cpu_ms": 1e3 * (time.process_time() - cpu_s),
            "wall_ms": 1e3 * (time.perf_counter() - wall_s),
        }

    def _sample(self, block: int) -> Inputs:
        """Inputs of a held-out frame, another for each block, of all circuits in turn."""
        inputs = self._evaluation.inputs
        return inputs[block * 307 % len(inputs)]

    def _predict(self, block: int) -> Callable[[], float]:
        predict, data = self._brain.predict, self._brain.encoded(self._sample(block))
        return _timed(lambda: predict(data))

    def _in_loop(self, block: int) -> Callable[[], float]:
        (frame,) = noise_frames(*FRAME_SIZE_PX, count=1, seed=block)

        def answer() -> float:
            timed = self._brain.timed_infer(frame)
            return timed.infer_end_s - timed.infer_start_s

        return answer


def _timed(call: Callable[[], object]) -> Callable[[], float]:
    """The call, which then answers how many seconds it took."""

    def answer() -> float:
        started_s = time.perf_counter()
        call()
        return time.perf_counter() - started_s

    return answer


def pin(threads: int | None) -> None:
    """Keep a single-threaded model on one core, before its engine sees how many there are."""
    if threads == 1:
        # The highest: interrupts prefer the lowest.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    """Answers requests until there are no more."""
    # A stopped process ignores every other signal.
    die_with_parent(signal.SIGKILL)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    name = sys.argv[1]
    pin(find_model(name).options.get("threads"))
    session = Session(name)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(session, request.pop("do"))(**request)
        except PitwallError as error:
            answer = {"error": str(error)}
        except Exception as error:
            # An engine may raise anything; the other models must go on.
            text = " ".join(str(error).split())
            answer = {"error": f"{type(error).__name__}: {text}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
