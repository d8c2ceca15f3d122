"""A SavedModel of PilotNet."""

from brains.pilotnet import concrete_function, load_network, tensorflow
from brains.workshop import Workshop


def savedmodel(workshop: Workshop) -> None:
    """A SavedModel folder with the network as its only signature."""
    tf, _ = tensorflow()
    module = tf.Module()
    network = load_network(workshop.weights())
    module.variables_of_network = network.variables
    tf.saved_model.save(module, str(workshop.target), signatures=concrete_function(network))
