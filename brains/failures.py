"""A user's brain may raise anything at all: it becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import BrainError, PitwallError

ANYTHING = (Exception, SystemExit)
"""What code of a user may end with. A script's `sys.exit` must not end the harness either."""


def one_line(error: BaseException) -> str:
    """Kind and text of an error, in one line: ``FileNotFoundError: no such file``."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextmanager
def as_brain_error() -> Iterator[None]:
    """Whatever a brain raises inside is a failure of the brain, in one line.

    Raises:
        BrainError: Something else than a PitwallError was raised.
    """
    try:
        yield
    except PitwallError:
        raise
    except ANYTHING as error:
        raise BrainError(one_line(error)) from error
