"""What a recipe is given to make a model's file with."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import checked_sha256
from brains.card import NetworkCard, read_card
from brains.model import ModelSpec
from brains.preprocess import normalise
from brains.training.calibration import read_calibration
from harness.errors import UsageError


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
        artifact_of: Artifact of another model, by name, built where it is missing.
    """

    model: ModelSpec
    target: Path
    folder: Path
    scratch: Path
    data: Path | None
    progress: Progress
    artifact_of: Callable[[str], Path]

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

    @cached_property
    def card(self) -> NetworkCard:
        """What the network sees and says."""
        name = "torch_pilotnet" if self.model.backend.startswith("torch") else "pilotnet"
        return read_card(Path(__file__).parent / "networks" / f"{name}.yaml")

    def data_set(self) -> Path:
        """The data set of a training.

        Raises:
            UsageError: None was given.
        """
        if self.data is None:
            raise UsageError(f"training {self.model.name} needs a data set: add --data DIR")
        return self.data

    def calibration(self) -> NDArray[np.float32]:
        """Normalised training frames, float32 (n, 66, 200, 3); never frames of the evaluation."""
        return normalise(read_calibration().crops)


Recipe = Callable[[Workshop], None]


def find_recipe(target: str) -> Recipe:
    """Import the function that ``module:function`` names."""
    module, _, function = target.partition(":")
    recipe: Recipe = getattr(importlib.import_module(module), function)
    return recipe
