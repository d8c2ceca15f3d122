"""Makes the artifacts that are not kept in git from the weights, into the cache folder."""

import os
from pathlib import Path

from brains import pilotnet
from brains.artifacts import (
    WEIGHTS_FILE,
    artifact_path,
    checked_sha256,
    weights_dir,
    write_sums,
)
from brains.model import ModelSpec
from harness.errors import DataError, UsageError


def build_artifact(model: ModelSpec) -> Path:
    """Make the model's artifact unless it is there and unbroken; return where it is.

    Raises:
        UsageError: The model's artifact is kept in git or it has none.
        UnavailableError: TensorFlow is not installed.
        DataError: The weights are missing or broken.
    """
    path = artifact_path(model)
    if path is None or not model.built:
        raise UsageError(f"model {model.name} needs no building")
    if _is_unbroken(path):
        return path
    network = pilotnet.load_network(weights_dir() / WEIGHTS_FILE)
    write_artifact(path, pilotnet.to_tflite(network))
    return path


def write_artifact(path: Path, content: bytes) -> None:
    """Write a file atomically and state its SHA-256 beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own, so that two processes building at once do not mix.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    write_sums(path.parent)


def _is_unbroken(path: Path) -> bool:
    try:
        checked_sha256(path)
    except DataError:
        return False
    return True
