"""Running one set-up command with its progress shown and its whole output kept in a log."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError, PitwallError, StorageError, UnavailableError
from harness.setup.cache import cache_root

_HEARTBEAT_S = 20.0
_CLEAR_LINE = "\r\x1b[K"


def say(text: str) -> None:
    """Prints a line of progress."""
    # Another process's step may be showing its own line: the first step of two that run at once.
    clear = _CLEAR_LINE if sys.stderr.isatty() else ""
    sys.stderr.write(f"{clear}[setup] {text}\n")
    sys.stderr.flush()


def run_step(
    title: str,
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    progress: Callable[[str], str] = str.strip,
) -> Path:
    """Runs a command, showing how far it is while it works.

    Args:
        title: what it does, as shown; up to its colon also the name of the log.
        command: the command line.
        env: whole environment of the command; this process's own where None.
        progress: from a line of its output to what is shown; by default the line itself.

    Returns:
        The log with all that it printed.

    Raises:
        UnavailableError: if the command fails; names the log.
    """
    name = title.split(":", maxsplit=1)[0]
    log = cache_root() / "logs" / (name.replace(" ", "_") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    say(f"{title} ...")
    started = shown = time.monotonic()
    with (
        log.open("w") as sink,
        subprocess.Popen(
            [str(part) for part in command],
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                sink.write(line)
                now = time.monotonic()
                told = progress(line)
                if sys.stderr.isatty():
                    _show_on_one_line(f"{now - started:4.0f} s  {name}: {told}")
                elif now - shown > _HEARTBEAT_S:
                    shown = now
                    say(f"  {now - started:.0f} s  {name}: {told[:100]}")
        except KeyboardInterrupt:
            # A signal to this process alone: the command is not to go on by itself.
            process.terminate()
            process.wait()
            raise
    if sys.stderr.isatty():
        _show_on_one_line("")
    if process.returncode != 0:
        sys.stderr.write("".join(log.read_text(errors="replace").splitlines(keepends=True)[-15:]))
        raise UnavailableError(f"set-up failed: {title} (exit {process.returncode}); log: {log}")
    say(f"{title}: done in {time.monotonic() - started:.0f} s")
    return log


@contextmanager
def beside(command: Sequence[str | Path]) -> Iterator[None]:
    """Runs a set-up command, which shows its own steps, while the block does others.

    Two steps at once are two processes, not two threads: each ends what it started if it is
    interrupted. The block's end waits for the command; if the block fails, the command is ended.
    A failure of the command is no error here: it is left to the caller's own need of its work.

    Args:
        command: the command line.
    """
    with subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL) as process:
        try:
            yield
        except BaseException:
            process.terminate()
            raise


def check_step(title: str, command: Sequence[str | Path]) -> Path:
    """As ``run_step``, where the command is what is looked at, not what the looking needs.

    Raises:
        HarnessError: the command fails.
    """
    try:
        return run_step(title, command)
    except UnavailableError as error:
        raise HarnessError(str(error)) from None


def exit_code(work: Callable[[], None], folder: str) -> int:
    """Does a script's work; its failure is one line and an exit code.

    Args:
        work: says itself what it does.
        folder: where it writes, as an error of the disk names it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    try:
        work()
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: {folder}: {error}", file=sys.stderr)
        return StorageError.exit_code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    say(f"all is as it should be, {time.monotonic() - started:.0f} s")
    return 0


def _show_on_one_line(text: str) -> None:
    width = os.get_terminal_size(sys.stderr.fileno()).columns
    sys.stderr.write(_CLEAR_LINE + text[: width - 1])
    sys.stderr.flush()
