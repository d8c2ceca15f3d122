"""Which frames a user chose for a network's versions; kept in the cache, by the card's path."""

import json
from pathlib import Path

from brains.model import ModelSpec
from harness.errors import DataError
from harness.setup.cache import cache_root, key_of


def choose_frames(model: ModelSpec, path: Path | None) -> None:
    """From now on these frames calibrate and check the versions of the model's network.

    Args:
        model: The network, or one of its versions.
        path: Of the frames; None: those that are kept with the project.
    """
    note = _note(model)
    if path is None:
        note.unlink(missing_ok=True)
        return
    note.parent.mkdir(parents=True, exist_ok=True)
    part = note.with_suffix(".part")
    part.write_text(json.dumps({"card": model.card, "frames": str(path.absolute())}))
    part.replace(note)


def chosen_frames(model: ModelSpec) -> Path | None:
    """The chosen frames of the model's network; None: those that are kept with the project."""
    if model.card is None:
        return None
    try:
        return Path(json.loads(_note(model).read_text())["frames"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{_note(model)} is broken: give --frames again") from error


def fingerprint(path: Path) -> str:
    """Key of a file or folder by the names, sizes and times of what is in it."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    try:
        facts = [(str(file), file.stat()) for file in files]
    except OSError as error:
        raise DataError(f"the frames {path} can't be read: {error}: give --frames anew") from error
    return key_of(*(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in facts))


def _note(model: ModelSpec) -> Path:
    card = Path(str(model.card))
    return cache_root() / "frames" / f"{card.stem}-{key_of(str(card.absolute()))}.json"
