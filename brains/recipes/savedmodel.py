"""A SavedModel of PilotNet."""

from pathlib import Path
from typing import Any

from brains.pilotnet import concrete_function, load_network, tensorflow
from brains.workshop import Workshop


def savedmodel(workshop: Workshop) -> None:
    """A SavedModel folder with the network as its only signature."""
    save(load_network(workshop.weights()), workshop.target)


def save(network: Any, folder: Path) -> None:
    """Write a Keras network as a SavedModel that takes one image."""
    tf, _ = tensorflow()
    module = tf.Module()
    module.variables_of_network = network.variables
    tf.saved_model.save(module, str(folder), signatures=concrete_function(network))
