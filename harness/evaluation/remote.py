"""A model's process, seen from the evaluation: runs only while it is asked something."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from brains.catalogue import find_model
from brains.environment import interpreter
from harness.errors import BrainError

_CLOSING_S = 5.0


class Remote:
    """One model's process.

    Between two questions it is stopped (SIGSTOP), with all its threads and children: nothing of
    it, no spin-waiting thread pool either, can disturb the model that is being timed.
    """

    def __init__(self, name: str, worker: tuple[str, ...] | None = None) -> None:
        """Starts it, under the model's own interpreter.

        Args:
            name: Of the model.
            worker: Another command to start.

        Raises:
            UnavailableError: The model's environment is not there.
        """
        if worker is None:
            python = interpreter(find_model(name)) or sys.executable
            worker = (str(python), "-P", "-m", "harness.evaluation.worker")
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  (`close` closes it)
        self._unread = b""
        self._process = subprocess.Popen(
            [*worker, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            process_group=0,
        )

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, timeout_s: float, do: str, **arguments: object) -> dict[str, Any]:
        """Let the process run until it has answered.

        Args:
            timeout_s: How long it may take.
            do: Method of the worker's session.
            **arguments: For the method.

        Raises:
            BrainError: It answered with an error, died, or hung.
        """
        assert self._process.stdin is not None
        request = json.dumps({"do": do, **arguments}).encode() + b"\n"
        self._signal(signal.SIGCONT)
        try:
            self._process.stdin.write(request)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise BrainError(self._death()) from None
        answer: dict[str, Any] = json.loads(self._line(timeout_s))
        self._signal(signal.SIGSTOP)
        if "error" in answer:
            raise BrainError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self._signal(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSING_S)
        for pipe in (self._process.stdin, self._process.stdout, self._messages):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _line(self, timeout_s: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline_s = time.monotonic() + timeout_s
        while b"\n" not in self._unread:
            left_s = max(deadline_s - time.monotonic(), 0.0)
            ready, _, _ = select.select([descriptor], [], [], left_s)
            if not ready:
                raise BrainError(f"its process did not answer within {timeout_s:g} s")
            content = os.read(descriptor, 65536)
            if not content:
                raise BrainError(self._death())
            self._unread += content
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _death(self) -> str:
        """How the process ended, with the last line that it printed."""
        try:
            code = self._process.wait(_CLOSING_S)
        except subprocess.TimeoutExpired:
            return "its process closed its output"
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        self._messages.seek(0)
        lines = self._messages.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"its process ended {how}" + (f": {last}" if last else "")

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
