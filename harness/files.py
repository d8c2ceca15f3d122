"""Files that commands leave for their user: texts, and tables as CSV."""

import csv
import fcntl
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from harness.errors import DataError, StorageError

_TEXT_BYTES = 64 << 20


def read_text(path: Path, what: str) -> str:
    """Read a text that a person or a command of ours wrote.

    Args:
        path: The file.
        what: What it should be, in words.

    Raises:
        DataError: It can't be read, is no UTF-8, or larger than any such file.
    """
    try:
        if path.stat().st_size > _TEXT_BYTES:
            raise DataError(f"{path}: too large for a {what}")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: can't read the {what}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: no {what}: not a text in UTF-8") from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Makes the file's folder; what goes wrong while the file is written is one line.

    Raises:
        StorageError: It can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise StorageError(f"can't write {path}: {error.strerror}") from error


def write_text(path: Path, text: str) -> Path:
    """Write a file, its folder too.

    Raises:
        StorageError: It can't be written.
    """
    with writing(path):
        path.write_text(text, encoding="utf-8")
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a text so that its file is either whole or not there, even after a power cut.

    Args:
        path: The file; replaced if it exists.
        text: Its content.

    Raises:
        StorageError: The disk is full, the folder missing or not writable.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise StorageError(f"can't write {path}: {error.strerror}") from error


def lock(file: IO[Any], how: int) -> bool:
    """Locks an open file as `flock` does.

    Args:
        file: The file.
        how: `fcntl.LOCK_EX` or `LOCK_SH`, with `LOCK_NB` if it must not wait.

    Returns:
        False where it must not wait and somebody else holds the lock.

    Raises:
        StorageError: The file system has no locks, as Lustre without `-o flock`.
    """
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError as error:
        folder = Path(file.name).parent
        raise StorageError(
            f"{folder}: its file system takes no locks (flock: {error.strerror}): have it mounted"
            " with them, or choose a folder on another one"
        ) from None
    return True


def as_csv(fields: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """Rows of values as CSV; fields that a row lacks stay empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
