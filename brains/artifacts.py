"""Where model files lie, and whether they are the ones they should be.

A folder of artifacts holds a ``SHA256SUMS`` (as ``sha256sum`` writes it) that names each file:
a file that is broken or swapped is refused by name.
"""

import hashlib
import os
from pathlib import Path

from brains.model import ModelSpec
from harness.errors import DataError

WEIGHTS_FILE = "pilotnet.npz"
REFERENCE_FILE = "reference.npz"
SUMS_FILE = "SHA256SUMS"


def weights_dir() -> Path:
    """Folder of the weights in use: ``$PITWALL_WEIGHTS``, or the ones kept in git."""
    return Path(os.environ.get("PITWALL_WEIGHTS") or Path(__file__).parent / "weights")


def cache_dir() -> Path:
    """Folder of what can be made again: ``$PITWALL_CACHE`` (default ``~/.cache/pitwall``)."""
    return Path(os.environ.get("PITWALL_CACHE") or Path.home() / ".cache" / "pitwall")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """File name to SHA-256 as the folder's ``SHA256SUMS`` states them; empty without one."""
    path = folder / SUMS_FILE
    if not path.is_file():
        return {}
    lines = (line.split(maxsplit=1) for line in path.read_text().splitlines() if line.strip())
    return {parts[-1].strip().lstrip("*"): parts[0] for parts in lines}


def write_sums(folder: Path) -> None:
    """State the SHA-256 of every file in ``folder`` (atomically)."""
    names = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.name != SUMS_FILE and not path.name.startswith(".")
    )
    text = "".join(f"{sha256_of(folder / name)}  {name}\n" for name in names)
    part = folder / f".{SUMS_FILE}.{os.getpid()}.part"
    part.write_text(text)
    part.replace(folder / SUMS_FILE)


def built_dir() -> Path:
    """Folder of the artifacts built from the weights in use; its name is the weights' hash.

    Raises:
        DataError: There are no weights, or not the stated ones.
    """
    return cache_dir() / "models" / checked_sha256(weights_dir() / WEIGHTS_FILE)[:16]


def artifact_path(model: ModelSpec) -> Path | None:
    """Where the model's artifact belongs (it may not be there yet); None where it has none."""
    if model.artifact is None:
        return None
    return (built_dir() if model.built else weights_dir()) / model.artifact


def checked_artifact(model: ModelSpec) -> Path:
    """The model's artifact, there and unbroken.

    Raises:
        DataError: It is missing, or its content is not what SHA256SUMS states.
    """
    path = artifact_path(model)
    if path is None:
        raise DataError(f"model {model.name} has no artifact to load")
    if not path.is_file():
        raise DataError(missing(model, path))
    checked_sha256(path)
    return path


def missing(model: ModelSpec, path: Path) -> str:
    """One line that says the model's artifact is missing and how to make it."""
    return f"model {model.name}: {path} is missing: {how_to_make(model)}"


def how_to_make(model: ModelSpec) -> str:
    """The command that brings the model's artifact."""
    if model.built:
        return f"run `harness models --build {model.name}`"
    return "restore it with `git checkout -- brains/weights`, or train: see `harness train --help`"


def checked_sha256(path: Path) -> str:
    """SHA-256 of a file, once it equals what the folder's SHA256SUMS states.

    Raises:
        DataError: The file is missing, not listed, or differs.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing: restore it or train, see `harness train --help`")
    stated = read_sums(path.parent).get(path.name)
    if stated is None:
        raise DataError(f"{path} is not listed in {path.parent / SUMS_FILE}: rebuild or restore it")
    actual = sha256_of(path)
    if actual != stated:
        raise DataError(
            f"{path} is broken or not the stated file: sha256 {actual[:12]}..., "
            f"{SUMS_FILE} says {stated[:12]}...: restore or rebuild it"
        )
    return actual
