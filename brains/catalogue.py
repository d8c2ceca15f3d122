"""The models that can be chosen by name, and a user's own by ``module:Class``."""

import importlib
import os
import sys
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from brains import environment
from brains.artifacts import artifact_path, missing
from brains.cpu import cpu_flags
from brains.gpu import nvidia_gpu
from brains.interface import Brain
from brains.model import ModelSpec
from harness.errors import DataError, UnavailableError, UsageError

CATALOGUE_FILE = Path(__file__).parent / "models.yaml"


OWN_MODELS = "PITWALL_MODELS"
"""Variable that names a user's own file of models, which then stand beside the catalogue's."""


class OwnModels(BaseModel):
    """Content of a user's file of models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: list[ModelSpec]


class Catalogue(OwnModels):
    """Content of ``models.yaml``."""

    default: str


_Content = TypeVar("_Content", bound=OwnModels)


def read_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """Read a catalogue file, and the file that ``$PITWALL_MODELS`` names.

    Raises:
        DataError: A file is no such file, or a name stands in both.
    """
    catalogue = _read_catalogue(path)
    if not (own_file := os.environ.get(OWN_MODELS)):
        return catalogue
    own = _read_own(Path(own_file)).models
    names = {model.name for model in catalogue.models}
    if twice := [model.name for model in own if model.name in names]:
        raise DataError(f"{own_file}: {', '.join(twice)}: such a model is in the catalogue already")
    return catalogue.model_copy(update={"models": [*catalogue.models, *own]})


@cache
def _read_catalogue(path: Path) -> Catalogue:
    return _read(path, Catalogue)


@cache
def _read_own(path: Path) -> OwnModels:
    return _read(path, OwnModels)


def _read(path: Path, kind: type[_Content]) -> _Content:
    try:
        return kind.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        line = " ".join(str(error).split())
        raise DataError(f"{path} is not a model catalogue: {line}") from error


def model_names() -> list[str]:
    """Names of all models, in the catalogue's order."""
    return [model.name for model in read_catalogue().models]


def default_model() -> str:
    """Name of the model that drives when none is chosen."""
    return read_catalogue().default


def find_model(name: str) -> ModelSpec:
    """The model called ``name``, or one made for a user's ``my_module:MyBrain``.

    Raises:
        UsageError: No such model; the message lists the known ones.
    """
    if ":" in name:
        return ModelSpec(name=name, title=name, family="user", backend="python", brain=name)
    for model in read_catalogue().models:
        if model.name == name:
            return model
    known = ", ".join(model_names())
    raise UsageError(f"unknown model {name!r}: choose one of {known}, or my_module:MyBrain")


def brain_class(target: str) -> type[Brain]:
    """Import the class that ``module:Class`` names, from the current folder or PYTHONPATH.

    Raises:
        UsageError: No such module or class, the module fails to import, or no Brain.
    """
    module_name, _, class_name = target.partition(":")
    if not module_name or not class_name.isidentifier():
        raise UsageError(f"{target!r} names no brain: write my_module:MyBrain")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        # A user's module may raise anything at all while it is imported.
        line = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(
            f"cannot import {module_name!r} (from {here} or PYTHONPATH): {line}"
        ) from error
    found = getattr(module, class_name, None)
    if found is None:
        raise UsageError(f"{module.__file__} has no class {class_name!r}")
    if not (isinstance(found, type) and issubclass(found, Brain)):
        raise UsageError(f"{target} is not a Brain: derive it from brains.interface.Brain")
    if found.__abstractmethods__:
        lacking = ", ".join(sorted(found.__abstractmethods__))
        raise UsageError(f"{target} is not finished: it must define {lacking}")
    return found


def absent_modules(model: ModelSpec) -> str | None:
    """Which of the model's engine is not installed, in one line; None where all is."""
    return _absent(model, "", model.needs, model.extra)


def absent_build_modules(model: ModelSpec) -> str | None:
    """Which of what builds or trains the model is not installed, in one line; None: all is."""
    return _absent(model, ": building it", model.build_needs, model.build_extra)


def _absent(model: ModelSpec, what: str, needs: list[str], extra: str | None) -> str | None:
    absent = environment.absent(model, needs)
    if not absent:
        return None
    how = f"run `make setup EXTRAS={extra}`" if extra else "run `make setup`"
    return f"model {model.name}{what} needs {', '.join(absent)}: {how}"


def why_not(model: ModelSpec) -> str | None:
    """Why the model can't run here, in one line; None where nothing is known to be missing.

    Cheap: looks for modules and files, imports no framework and loads nothing.
    """
    if (unavailable := _why_unavailable(model)) is not None:
        return unavailable
    try:
        path = artifact_path(model)
    except DataError as error:
        return f"model {model.name}: {error}"
    if path is not None and not path.exists():
        return missing(model, path)
    return None


def why_not_this_machine(model: ModelSpec) -> str | None:
    """What machine or Pitwall lack for the model: GPU, CPU, backend, environment; None: nothing."""
    if model.nvidia is not None and nvidia_gpu() is None:
        return f"model {model.name} needs an NVIDIA GPU, and here is none; with one: {model.nvidia}"
    if (lacking := why_not_this_cpu(model)) is not None:
        return lacking
    if model.brain is None:
        return f"model {model.name} has no backend in this version of Pitwall: {model.nvidia}"
    return environment.why_no_environment(model)


def why_not_this_cpu(model: ModelSpec) -> str | None:
    """What the processor lacks for the model; None: nothing."""
    if not model.cpu or cpu_flags().intersection(model.cpu):
        return None
    return f"model {model.name} needs a CPU with {' or '.join(model.cpu)}, and this has none"


def _why_unavailable(model: ModelSpec) -> str | None:
    """What the machine, the installation or Pitwall lacks for the model."""
    return why_not_this_machine(model) or absent_modules(model)


def enter_environment(name: str) -> None:
    """Go on under the interpreter that the model called ``name`` runs under.

    Raises:
        UsageError: No such model.
        UnavailableError: This machine lacks what the model needs.
    """
    model = find_model(name)
    if (unavailable := _why_unavailable(model)) is not None:
        raise UnavailableError(unavailable)
    environment.enter(model)


def load_brain(name: str) -> Brain:
    """Load the brain of the model called ``name``; its engine is imported only now.

    Raises:
        UsageError: No such model or class.
        UnavailableError: This machine lacks what the model needs, or another interpreter runs it.
        DataError: The artifact is missing, broken or swapped.
    """
    model = find_model(name)
    if (unavailable := _why_unavailable(model)) is not None:
        raise UnavailableError(unavailable)
    if (python := environment.interpreter(model)) is not None:
        raise UnavailableError(f"model {name} runs under {python}: start that, here is another")
    return brain_class(str(model.brain)).load(model)
