"""A SavedModel of a Keras network."""

from brains.recipes.tf_source import tf_source
from brains.tf_network import save
from brains.workshop import Workshop


def savedmodel(workshop: Workshop) -> None:
    """A SavedModel folder with the network of one sample as its only signature."""
    source = tf_source(workshop)
    save(source.function, source.variables, workshop.target)
