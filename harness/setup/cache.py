"""The cache outside the clone: slow results, keyed by what they were made from, built whole."""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.errors import StorageError
from harness.files import lock

_COMPLETE = ".complete"


def cache_root() -> Path:
    """Folder of all caches: $PITWALL_CACHE, by default ~/.cache/pitwall.

    Raises:
        StorageError: this user has no home, and the variable is not set.
    """
    if given := os.environ.get("PITWALL_CACHE"):
        return Path(given).absolute()
    try:
        return Path.home() / ".cache" / "pitwall"
    except RuntimeError:
        raise StorageError(
            "this user has no home folder to keep a cache in: set PITWALL_CACHE to a folder that"
            " can be written"
        ) from None


def key_of(*parts: str | bytes) -> str:
    """Short hexadecimal key of the parts something is made from."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:16]


def key_of_tree(folder: Path) -> str:
    """Key of all files below a folder: their relative names and contents."""
    parts: list[str | bytes] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            parts += [str(path.relative_to(folder)), path.read_bytes()]
    return key_of(*parts)


def is_complete(target: Path) -> bool:
    """Whether a cached folder was built to its end."""
    return (target / _COMPLETE).is_file()


def mark_complete(target: Path) -> None:
    """Lets a cached folder count as built."""
    (target / _COMPLETE).touch()


def forget(target: Path) -> None:
    """Lets a cached folder count as unbuilt: the next `build_once` makes it anew."""
    (target / _COMPLETE).unlink(missing_ok=True)


def remove_tree(target: Path, as_root: Sequence[str] = ()) -> None:
    """Deletes a folder, but nothing that a killed build left mounted there.

    Args:
        target: folder to delete.
        as_root: prefix that runs the command as root, where the files are not this user's.
    """
    subprocess.run([*as_root, "rm", "-rf", "--one-file-system", target], check=True)


def build_once(
    target: Path, build: Callable[[], None], remove: Callable[[Path], None] = remove_tree
) -> None:
    """Builds a cached folder unless it stands already.

    The folder counts only once its marker is written, last: virtual environments and catkin
    workspaces hold absolute paths, so they can't be built elsewhere and renamed. A lock lets two
    set-ups at once wait for each other.

    Args:
        target: folder to build.
        build: makes it; called with no folder at `target`.
        remove: deletes half a build, where its files are not this user's.
    """
    if is_complete(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_name(target.name + ".lock")):
        if is_complete(target):
            return
        if target.exists():
            remove(target)
        build()
        mark_complete(target)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        lock(handle, fcntl.LOCK_EX)
        yield
