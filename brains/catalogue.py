"""The models that can be chosen by name, and a user's own by ``module:Class``."""

import os
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from brains import availability, environment, loading
from brains.card import CARD_ENDINGS
from brains.interface import Brain
from brains.methods import ORIGINAL
from brains.model import ModelSpec
from brains.new_card import card_path
from brains.source import NETWORK_ENDINGS, kind_of
from brains.versions import BUILT_IN, Network, built_in_networks
from harness.errors import DataError, UnavailableError, UsageError

CATALOGUE_FILE = Path(__file__).parent / "models.yaml"


OWN_MODELS = "PITWALL_MODELS"
"""Variable that names a user's own models: a folder of cards, or a file of rows as the
catalogue's. They stand beside the catalogue's."""

NETWORK_FILES = {
    *(".tflite", ".onnx", ".h5", ".hdf5", ".keras", ".pb", ".pt", ".pth", ".pt2", ".ckpt"),
    *(".torchscript", ".safetensors", ".engine", ".plan", ".xml", ".npz"),
}
"""How files of networks end."""

ALL = "all"
"""Stands for all models; behind a network's name for all its versions."""


class OwnModels(BaseModel):
    """Content of a user's file of models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: list[ModelSpec]


class Catalogue(OwnModels):
    """Content of ``models.yaml``."""

    default: str


_Content = TypeVar("_Content", bound=OwnModels)


def read_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """All models: those of a catalogue file, of the built-in networks, and the user's own.

    Raises:
        DataError: A file is no such file, or a name stands in both.
    """
    catalogue = _read_catalogue(path)
    own = _own_models()
    names = {model.name for model in catalogue.models}
    if twice := [model.name for model in own if model.name in names]:
        raise DataError(
            f"{os.environ[OWN_MODELS]}: {', '.join(twice)}: such a model is in the catalogue "
            "already"
        )
    return catalogue.model_copy(update={"models": [*catalogue.models, *own]})


def _own_models() -> list[ModelSpec]:
    own = os.environ.get(OWN_MODELS)
    if not own:
        return []
    path = Path(own)
    if not path.is_dir():
        return _read_own(path).models
    cards = sorted(file for file in path.iterdir() if file.suffix in CARD_ENDINGS)
    return [model for card in cards for model in Network(card).models()]


@cache
def _read_catalogue(path: Path) -> Catalogue:
    catalogue = _read(path, Catalogue)
    networks = [model for network in built_in_networks() for model in network.models()]
    return catalogue.model_copy(update={"models": [*catalogue.models, *networks]})


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
    """The model that ``name`` chooses.

    Args:
        name: A model of the catalogue (``tflite_dynamic``), a network or a version of one
            (``pilotnet/onnx_int8``), a card (``my_net.yaml``, ``my_net.yaml/onnx_int8``), a card
            in the current folder or in that of ``$PITWALL_MODELS`` by its name (``my_net``), or
            the brain ``my_module:MyBrain``.

    Raises:
        UsageError: No such model; the message lists the known ones, or says how to describe a
            network's file.
        DataError: The card or its network's file is missing, broken or refused.
    """
    if ":" in name:
        return ModelSpec(name=name, title=name, family="user", backend="python", brain=name)
    for model in read_catalogue().models:
        if model.name == name:
            return model
    network, version = find_network(name)
    if version == ALL:
        raise UsageError(f"{name} is many models: name one, or use it where many are taken")
    return network.model(version)


def find_models(name: str) -> list[ModelSpec]:
    """The models that ``name`` chooses: one, or with ``/all`` behind a network's all versions.

    Raises:
        UsageError: As of ``find_model``.
        DataError: Likewise.
    """
    head, _, version = name.rpartition("/")
    if head and version == ALL:
        return find_network(name)[0].models()
    return [find_model(name)]


def chosen_models(names: list[str]) -> tuple[list[ModelSpec], list[ModelSpec]]:
    """What names choose: models named one by one, and all versions of networks named as such.

    A card, and ``my_net/all``, choose all versions, the network as it came first.

    Raises:
        UsageError: As of ``find_model``.
        DataError: Likewise.
    """
    one_by_one: list[ModelSpec] = []
    versions: list[ModelSpec] = []
    for name in dict.fromkeys(names):
        if Path(name).suffix in CARD_ENDINGS:
            versions += find_models(f"{name}/{ALL}")
        elif name.endswith(f"/{ALL}"):
            versions += find_models(name)
        else:
            one_by_one.append(find_model(name))
    return one_by_one, versions


def find_network(name: str) -> tuple[Network, str]:
    """The network, and the name of the version, that ``name`` chooses.

    Raises:
        UsageError: There is none.
        DataError: Its card or file is missing, broken or refused.
    """
    for head, version in ((name, ORIGINAL), _split(name)):
        if (card := _card_called(head)) is not None:
            return card, version
    file = next((part for part in (name, _split(name)[0]) if _is_file(part)), None)
    if file is not None:
        if Path(file).exists():
            kind_of(Path(file))  # What is refused is refused, before it is asked to have a card.
        raise UsageError(
            f"{file} is a network's file: what it sees and says stands in its card, which "
            f"`harness model add {file}` writes (docs/guides/models.md, A network of your own)"
        )
    if Path(name).suffix in CARD_ENDINGS or Path(_split(name)[0]).suffix in CARD_ENDINGS:
        raise DataError(f"{name}: no such card: `harness model add FILE` writes one")
    known = ", ".join(model_names())
    raise UsageError(
        f"unknown model {name!r}: choose one of {known}, a network's card (my_net.yaml), or "
        "my_module:MyBrain"
    )


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() in NETWORK_ENDINGS


def _of_file(path: Path) -> Network | None:
    """The network of a file whose card lies beside it."""
    card = card_path(path)
    if not path.exists() or not card.is_file():
        return None
    network = Network(card)
    if (card.parent / network.card.network).resolve() != path.resolve():
        raise DataError(f"{card} is the card of {network.card.network}, not of {path}")
    return network


def _split(name: str) -> tuple[str, str]:
    head, _, version = name.rpartition("/")
    return head, version


def _card_called(name: str) -> Network | None:
    """The network of a card's path, of a built-in card's name, or of a user's card's name."""
    path = Path(name)
    if path.suffix in CARD_ENDINGS:
        built_in = path.resolve().parent == BUILT_IN
        return Network(path, weights_folder=built_in) if path.is_file() else None
    if _is_file(name) or (path / "saved_model.pb").is_file():
        return _of_file(path)
    if (built_in_card := BUILT_IN / f"{name}.yaml").parent == BUILT_IN and built_in_card.is_file():
        return Network(built_in_card, weights_folder=True)
    own = os.environ.get(OWN_MODELS, "")
    folders = [Path(), *([Path(own)] if own and Path(own).is_dir() else [])]
    cards = (folder / f"{name}{ending}" for folder in folders for ending in CARD_ENDINGS)
    found = next((card for card in cards if name and card.is_file()), None)
    return None if found is None else Network(found)


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
