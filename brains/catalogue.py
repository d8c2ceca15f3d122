"""The models that can be chosen by name, and a user's own by ``module:Class``."""

import os
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from brains import availability, environment, loading
from brains.interface import Brain
from brains.model import ModelSpec
from harness.errors import DataError, UnavailableError, UsageError

CATALOGUE_FILE = Path(__file__).parent / "models.yaml"


OWN_MODELS = "PITWALL_MODELS"
"""Variable that names a user's own file of models, which then stand beside the catalogue's."""

NETWORK_FILES = {
    *(".tflite", ".onnx", ".h5", ".hdf5", ".keras", ".pb", ".pt", ".pth", ".pt2", ".ckpt"),
    *(".torchscript", ".safetensors", ".engine", ".plan", ".xml", ".npz"),
}
"""How files of networks end."""


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
        UsageError: No such model; the message lists the known ones, or says how to describe a
            network's file.
    """
    if ":" in name:
        return ModelSpec(name=name, title=name, family="user", backend="python", brain=name)
    for model in read_catalogue().models:
        if model.name == name:
            return model
    if Path(name).suffix.lower() in NETWORK_FILES:
        raise UsageError(
            f"{name} is a file, not a model: describe it in a file of own models and name that by"
            f" {OWN_MODELS} (docs/guides/models.md, A network of your own)"
        )
    known = ", ".join(model_names())
    raise UsageError(f"unknown model {name!r}: choose one of {known}, or my_module:MyBrain")


def enter_environment(name: str) -> None:
    """Go on under the interpreter that the model called ``name`` runs under.

    Raises:
        UsageError: No such model.
        UnavailableError: This machine lacks what the model needs.
    """
    model = find_model(name)
    availability.to_load(model).require()
    environment.enter(model)


def load_brain(name: str) -> Brain:
    """Load the brain of the model called ``name``; its engine is imported only now.

    Raises:
        UsageError: No such model or class.
        UnavailableError: This machine lacks what the model needs, or another interpreter runs it.
        DataError: The artifact is missing, broken or swapped.
        BrainError: A user's own brain failed while it was loaded.
    """
    model = find_model(name)
    availability.to_load(model).require()
    if (python := environment.interpreter(model)) is not None:
        raise UnavailableError(f"model {name} runs under {python}: start that, here is another")
    return loading.load(model)
