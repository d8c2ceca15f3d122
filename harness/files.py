"""Files that commands leave for their user: texts, and tables as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import StorageError


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


def as_csv(fields: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """Rows of values as CSV; fields that a row lacks stay empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
