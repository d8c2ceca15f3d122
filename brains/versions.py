"""A network's versions: its card times the methods that take its kind of file."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from brains.card import NetworkCard, Versions, cached_card
from brains.methods import ORIGINAL, Method, methods_for
from brains.model import ModelSpec
from brains.source import SourceKind, kind_of
from harness.errors import DataError, UsageError

BUILT_IN = Path(__file__).parent / "networks"
"""Folder of the cards of Pitwall's own networks; their files lie in the weights folder."""
PILOTNET_CARD = BUILT_IN / "pilotnet.yaml"


class Network:
    """One network: its card, and all models that can be made of it."""

    def __init__(self, path: Path, *, weights_folder: bool = False) -> None:
        """Reads the card, and tells the kind of the network's file.

        Args:
            path: The card.
            weights_folder: The network's file lies in the weights folder, not beside the card.

        Raises:
            DataError: The card or the network's file is missing, broken or refused.
        """
        self.path = path.absolute()
        self.name = path.stem
        self.card = cached_card(path)
        self._folder = None if weights_folder else str(self.path.parent)
        self._differences = self.card.versions or Versions()
        self.kind = self._differences.kind or source_kind(self.card, self.path.parent)

    def models(self) -> list[ModelSpec]:
        """Those that the card lists, else one of each method that takes the file."""
        listed = self._differences.methods
        return [
            self._model(method)
            for method in methods_for(self.kind)
            if not listed or method.name in listed
        ]

    def model(self, version: str = ORIGINAL) -> ModelSpec:
        """The version called ``version``, whether the card lists it or not.

        Raises:
            UsageError: No method makes it of this kind of file.
        """
        methods = methods_for(self.kind)
        for method in methods:
            if method.name == version:
                return self._model(method)
        known = ", ".join(method.name for method in methods if method.name != ORIGINAL)
        raise UsageError(
            f"{self.name} has no version {version!r}: of a {self.kind.value} file there are "
            f"{known}, or all"
        )

    def _model(self, method: Method) -> ModelSpec:
        original = method.name == ORIGINAL
        difference = self._differences.methods.get(method.name, {})
        fields = {
            "name": self.name if original else f"{self.name}/{method.name}",
            "title": ", ".join([self.card.title or self.name, method.title]),
            "family": self._differences.family or self.name,
            "artifact": method.artifact or self.card.network,
            "weights": self.card.network,
            "recipe": method.make,
            "reference": self._differences.reference,
            "hub": self._differences.hub,
            "card": str(self.path),
            "kind": self.kind,
            "method": method.name,
            "folder": self._folder,
            **method.model_dump(include=_OF_METHOD),
            **difference,
        }
        try:
            return ModelSpec.model_validate(fields)
        except ValidationError as error:
            faults = "; ".join(
                f"versions.methods.{method.name}.{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
                for fault in error.errors(include_url=False)
            )
            raise DataError(f"{self.path}: {faults}") from error


_OF_METHOD = {
    *("backend", "brain", "environment", "nvidia", "cpu", "precision", "needs", "extra"),
    *("build_needs", "build_extra", "recipe_options", "options"),
}


def source_kind(card: NetworkCard, folder: Path) -> SourceKind:
    """Kind of a card's file, beside the card.

    Raises:
        DataError: The file is missing or refused, or holds weights and the card names no class.
    """
    path = folder / card.network
    kind = kind_of(path, drop_lambda=card.lambda_ == "drop")
    if kind in _NEED_A_CLASS and card.class_ is None:
        raise DataError(
            f"{path} holds weights without a network: name its class in the card "
            "(class: my_module:MyNet)"
        )
    return kind


_NEED_A_CLASS = (SourceKind.TORCH_WEIGHTS, SourceKind.KERAS_WEIGHTS)


def built_in_networks() -> Iterator[Network]:
    """Pitwall's own networks."""
    for name in ("pilotnet", "torch_pilotnet", "pitwall_fast"):
        yield Network(BUILT_IN / f"{name}.yaml", weights_folder=True)


def card_of_model(model: ModelSpec) -> NetworkCard:
    """The card of a model's network; of one that names none PilotNet's.

    Raises:
        DataError: The card is missing or broken.
    """
    return cached_card(Path(model.card) if model.card else PILOTNET_CARD)
