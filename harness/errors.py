"""The one exception family of the project. Every error is one clear line and an exit code."""

from typing import ClassVar


class PitwallError(Exception):
    """An error a user can act on: says what is wrong and what to do, in one line."""

    exit_code: ClassVar[int] = 1


class UsageError(PitwallError):
    """An unknown name or a value that makes no sense."""

    exit_code = 2


class DataError(PitwallError):
    """A file that is missing, broken, truncated or of the wrong kind."""

    exit_code = 3


class UnavailableError(PitwallError):
    """Something this machine lacks (an extra, a GPU, the simulator); says how to get it."""

    exit_code = 4


class HarnessError(PitwallError):
    """The harness or the simulator failed: the run is not a result of driving."""

    exit_code = 5


class BrainError(PitwallError):
    """The brain failed (died, hung, answered nonsense): not a result of driving."""

    exit_code = 6


class StorageError(PitwallError):
    """A recording could not be written (disk full, no permission)."""

    exit_code = 7


def error_of(exit_code: int, reason: str) -> PitwallError:
    """The error of an exit code, as another process told it."""
    kinds = {kind.exit_code: kind for kind in PitwallError.__subclasses__()}
    return kinds.get(exit_code, PitwallError)(reason)


def one_line(error: BaseException) -> str:
    """What an error says, on one line: of one that nobody foresaw with its kind."""
    text = " ".join(str(error).split())
    if isinstance(error, PitwallError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
