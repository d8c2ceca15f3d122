"""A network's file as a TensorFlow function of one sample, for the recipes that start from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from brains.source import SourceKind
from brains.tf_network import (
    concrete,
    concrete_signature,
    open_keras,
    open_savedmodel,
    tensorflow,
    variables_of,
)
from brains.workshop import Workshop

KERAS_2 = (SourceKind.KERAS2, SourceKind.KERAS_WEIGHTS)


@dataclass(frozen=True)
class TfSource:
    """A network in TensorFlow.

    Attributes:
        function: Concrete function of one sample; arguments and outputs by name.
        keeper: What holds the variables; a function does so weakly.
        variables: These.
        keras: The Keras 2 model, where it is one.
    """

    function: Any
    keeper: Any
    variables: Sequence[Any]
    keras: Any | None = None

    @property
    def specs(self) -> list[Any]:
        """Shape, type and name of each argument, in the function's order."""
        tf = tensorflow()
        return [
            tf.TensorSpec(spec.shape, spec.dtype, name=spec.name)
            for spec in tf.nest.flatten(self.function.structured_input_signature)
        ]


def tf_source(workshop: Workshop) -> TfSource:
    """Open the workshop's file, a Keras network's or a SavedModel.

    Raises:
        DataError: The file can't be loaded as such a network.
        UnavailableError: TensorFlow is not installed.
    """
    shapes = workshop.view.shapes()
    if workshop.kind is SourceKind.SAVEDMODEL:
        saved, signature = open_savedmodel(workshop.source)
        return TfSource(concrete_signature(signature, shapes), saved, signature.variables)
    network = open_keras(workshop.source, workshop.kind, workshop.card, workshop.card_folder)
    function = concrete(network, shapes)
    is_keras_2 = workshop.kind in KERAS_2
    return TfSource(function, network, variables_of(network), network if is_keras_2 else None)
