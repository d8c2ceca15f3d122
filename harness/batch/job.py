"""The program of one rule: `python -m harness.batch.job JOBS_FILE NAME` drives one run."""

import fcntl
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from harness.batch.attempt import carry_out
from harness.batch.jobs import JobFile
from harness.errors import PitwallError
from harness.files import lock
from harness.report.digest import digest_ahead

_ENDS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Drives the run; 0 once its result stands, whatever the outcome."""
    file, name = Path(sys.argv[1]), sys.argv[2]
    for number in _ENDS:
        signal.signal(number, _end)
    try:
        batch = JobFile.read(file)
        os.chdir(batch.folder)
        if batch.leash is not None:
            threading.Thread(target=_hold, args=(batch.leash,), daemon=True).start()
        carry_out(batch.job(name), lambda line: _say(f"{name}: {line}"))
        digest_ahead(batch.job(name).folder)
    except PitwallError as error:
        _say(f"error: {name}: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """Ends the run as Ctrl-C does, once: a second signal must not keep it from closing its bag."""
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _hold(leash: Path) -> None:
    """Ends this process when the batch ends, however it does: only then is its lock to be had."""
    with leash.open() as file:
        lock(file, fcntl.LOCK_SH)
    os.kill(os.getpid(), signal.SIGTERM)


def _say(line: str) -> None:
    with suppress(OSError):  # nobody reads any more: the batch was killed
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
