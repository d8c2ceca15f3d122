"""A user's brain may raise anything at all: it becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import BrainError, PitwallError, one_line

ANYTHING = (Exception, SystemExit)
"""What code of a user may end with. A script's `sys.exit` must not end the harness either."""


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
