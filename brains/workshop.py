"""What a recipe is given to make a model's file with."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from brains.artifacts import checked_sha256, source_folder
from brains.card import NetworkCard, read_card
from brains.layouts import Inputs
from brains.model import ModelSpec
from brains.samples import calibration_samples
from brains.source import SourceKind
from brains.view import View
from harness.errors import DataError, UsageError


class Progress(Protocol):
    """Is told how far a recipe is."""

    def __call__(self, text: str, done: int = 0, total: int = 0) -> None:
        """Says what is being done, and how much of it is; a total of 0 means unknown."""


@dataclass(frozen=True)
class Workshop:
    """One model's bench.

    Attributes:
        model: What is made.
        target: Where it goes: a file, or a folder where its name ends in ``/``. Who calls the
            recipe takes care that nothing half made is ever found under its final name.
        folder: Weights folder.
        scratch: Folder for what lets a killed recipe go on; gone after success.
        data: Data set; only for trainings.
        progress: Is told how far it is.
        hub_of: The model's network as an ONNX graph, made where it is missing.
    """

    model: ModelSpec
    target: Path
    folder: Path
    scratch: Path
    data: Path | None
    progress: Progress
    hub_of: Callable[[ModelSpec], Path]

    @cached_property
    def card(self) -> NetworkCard:
        """The card of the model's network.

        Raises:
            DataError: It is broken.
            UsageError: The model has none.
        """
        if self.model.card is None:
            raise UsageError(f"model {self.model.name} has no card: its recipe can't use one")
        return read_card(Path(self.model.card))

    @property
    def card_folder(self) -> Path:
        """Where the card lies."""
        return Path(str(self.model.card)).parent

    @cached_property
    def view(self) -> View:
        """What the network sees."""
        return View(self.card.sees)

    @property
    def kind(self) -> SourceKind:
        """What kind of file the network is in.

        Raises:
            UsageError: The model has none.
        """
        if self.model.kind is None:
            raise UsageError(f"model {self.model.name} has no network's file")
        return self.model.kind

    @property
    def source(self) -> Path:
        """The network's file: in the weights folder unbroken, a user's own as it is."""
        if self.model.folder is None:
            return self.weights()
        path = source_folder(self.model) / self.model.weights
        if not path.exists():
            raise DataError(f"{path} is missing: the card {self.model.card} names it")
        return path

    @property
    def own_hub(self) -> str | None:
        """``module:function`` of the card's own ONNX graph; None: it is converted."""
        return self.model.hub

    @property
    def options(self) -> dict[str, Any]:
        """Settings of the recipe."""
        return self.model.recipe_options

    @property
    def title(self) -> str:
        """The network's file, for messages."""
        return self.model.weights

    def hub(self) -> Path:
        """The network as an ONNX graph (``brains.recipes.hub``), in a file."""
        return self.hub_of(self.model)

    def weights(self) -> Path:
        """The weights that the model's artifact is made from, unbroken."""
        return self.weights_file(self.model.weights)

    def weights_file(self, name: str) -> Path:
        """A file of the weights folder, unbroken.

        Raises:
            DataError: It is missing, broken or swapped.
        """
        path = self.folder / name
        checked_sha256(path)
        return path

    def data_set(self) -> Path:
        """The data set of a training.

        Raises:
            UsageError: None was given.
        """
        if self.data is None:
            raise UsageError(f"training {self.model.name} needs a data set: add --data DIR")
        return self.data

    def calibration(self) -> list[Inputs]:
        """Inputs of frames to calibrate with, in sequences; never frames of the evaluation."""
        return calibration_samples(self.model, self.view).inputs

    def calibration_sequences(self) -> list[list[Inputs]]:
        """The same by sequences: a network that keeps a state starts anew with each."""
        return list(calibration_samples(self.model, self.view).sequences())

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the inputs that are outputs fed back; the file must tell them.

        Raises:
            DataError: The card feeds outputs back, and the kind of file tells no shapes.
        """
        if isinstance(self.card.keeps, dict):
            raise DataError(
                f"{self.title} feeds outputs back ({', '.join(self.card.keeps)}), and a "
                f"{self.kind.value} file does not tell their shapes: give the network as ONNX"
            )
        return {}


Recipe = Callable[[Workshop], None]


def find_recipe(target: str) -> Recipe:
    """Import the function that ``module:function`` names."""
    module, _, function = target.partition(":")
    recipe: Recipe = getattr(importlib.import_module(module), function)
    return recipe
