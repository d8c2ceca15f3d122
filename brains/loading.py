"""Loads the brain that ``module:Class`` names: one of Pitwall's, or a user's own.

A user's own is looked for in the current folder too, and in those of the user's PYTHONPATH. They
may hold anything (a ``random.py``, another project's ``brains/``): they stand last on Python's
path, and only while an own brain loads.
"""

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from brains.failures import ANYTHING
from brains.interface import Brain
from brains.model import ModelSpec
from harness.errors import BrainError, PitwallError, UsageError, one_line
from harness.paths import OWN_PATH

_OURS = __name__.partition(".")[0]


def load(model: ModelSpec) -> Brain:
    """Load the brain of a model; its module is imported only now.

    What a user's module imports must be imported by the time this returns.

    Raises:
        UsageError: No such module or class, no finished Brain, or another module has its name.
        BrainError: The brain's own code failed.
        PitwallError: What the brain itself says is missing or broken.
    """
    target = str(model.brain)
    folders = [] if _is_ours(target) else _own_folders()
    with _last_on_path(folders):
        kind = brain_class(target)
        with _failures(folders):
            brain: object = kind.load(model)
    if not isinstance(brain, Brain):
        raise BrainError(f"{target}.load answered {brain!r}: it must return the brain")
    return brain


def brain_class(target: str) -> type[Brain]:
    """Import the class that ``module:Class`` names, as Python's path finds it.

    Raises:
        UsageError: No such module or class, no finished Brain, or another module has its name.
        BrainError: The module fails while it is imported.
    """
    module_name, _, class_name = target.partition(":")
    if not all(part.isidentifier() for part in [*module_name.split("."), class_name]):
        raise UsageError(f"{target!r} names no brain: write my_module:MyBrain")
    module = _module(module_name)
    found = getattr(module, class_name, None)
    if found is None:
        raise UsageError(f"{module.__file__} has no class {class_name!r}")
    if not (isinstance(found, type) and issubclass(found, Brain)):
        raise UsageError(f"{target} is not a Brain: derive it from brains.interface.Brain")
    if found.__abstractmethods__:
        lacking = ", ".join(sorted(found.__abstractmethods__))
        raise UsageError(f"{target} is not finished: it must define {lacking}")
    return found


def function_of(target: str, folder: Path) -> Callable[..., Any]:
    """Import what ``module:callable`` names, looked for in a folder too: what builds a network.

    Raises:
        UsageError: There is no such module, or nothing in it that can be called so.
        BrainError: The module fails while it is imported.
    """
    module_name, _, name = target.partition(":")
    if not all(part.isidentifier() for part in [*module_name.split("."), name]):
        raise UsageError(f"{target!r} names no function: write my_module:build")
    folders = [] if _is_ours(target) else [folder, *_own_folders()]
    with _last_on_path(folders):
        module = _module(module_name)
    found = getattr(module, name, None)
    if not callable(found):
        raise UsageError(f"{module.__file__} has nothing called {name!r} that builds a network")
    return found  # type: ignore[no-any-return]


def called(target: Callable[[], Any], name: str) -> Any:
    """What a user's function returns.

    Args:
        target: Called without arguments.
        name: Its ``module:name``, for what is said of it.

    Raises:
        BrainError: It failed.
    """
    folders = _own_folders()
    with _last_on_path(folders):
        try:
            with _failures(folders):
                return target()
        except BrainError as error:
            raise BrainError(f"{name} failed: {error}") from error


def _is_ours(target: str) -> bool:
    return target.partition(":")[0].partition(".")[0] == _OURS


def _own_folders() -> list[Path]:
    given = os.environ.get(OWN_PATH, "").split(os.pathsep)
    return [Path.cwd(), *(Path(entry) for entry in given if entry)]


def _module(name: str) -> ModuleType:
    folders = _own_folders()
    if not _is_ours(name) and (collision := _collision(folders, name.partition(".")[0])):
        raise UsageError(f"cannot import {name!r}: {collision}")
    try:
        with _failures(folders):
            return importlib.import_module(name)
    except BrainError as error:
        cause = error.__cause__
        # Not a module that the user's imports: this one, or the package it should be in.
        if isinstance(cause, ModuleNotFoundError) and f"{name}.".startswith(f"{cause.name}."):
            text = f"cannot import {name!r} (from {folders[0]} or PYTHONPATH): {error}"
            raise UsageError(text) from cause
        raise


@contextmanager
def _last_on_path(folders: Sequence[Path]) -> Iterator[None]:
    """The folders last on Python's path: nothing there can hide a module of Python's or ours."""
    added = [entry for entry in map(str, folders) if entry not in sys.path]
    sys.path.extend(added)
    try:
        yield
    finally:
        for entry in added:
            if entry in sys.path:
                sys.path.remove(entry)


@contextmanager
def _failures(folders: Sequence[Path]) -> Iterator[None]:
    """As ``as_brain_error``; names a file of the folders that was meant and can't be seen."""
    try:
        yield
    except PitwallError:
        raise
    except ANYTHING as error:
        text = one_line(error)
        # Python quotes the module that lacks something: 'utils', 'brains.f1'.
        named = dict.fromkeys(re.findall(r"'(\w+)[\w.]*'", text))
        collisions = (_collision(folders, name) for name in named)
        raise BrainError("; ".join([text, *filter(None, collisions)])) from error


def _collision(folders: Sequence[Path], name: str) -> str | None:
    """What hides a module of the folders, in one line; None where nothing does."""
    files = (folder / end for folder in folders for end in (f"{name}.py", name))
    own = next((path for path in files if path.exists()), None)
    spec = None if own is None else importlib.util.find_spec(name)
    if own is None or spec is None:
        return None
    places = [Path(place) for place in spec.submodule_search_locations or [str(spec.origin)]]
    tops = [folder.resolve() for folder in folders]
    if any(place.resolve().is_relative_to(top) for place in places for top in tops):
        return None
    if name in sys.stdlib_module_names:
        return f"{own} is hidden by Python's own module {name!r}: rename it"
    return f"{own} is hidden by the module {name!r} in {places[0]}: rename it"
