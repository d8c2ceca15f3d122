"""TFLite files from the Keras network."""

from brains.pilotnet import load_network, to_tflite
from brains.workshop import Workshop


def float32(workshop: Workshop) -> None:
    """Weights and arithmetic in float32."""
    workshop.target.write_bytes(to_tflite(load_network(workshop.weights())))


def dynamic_range(workshop: Workshop) -> None:
    """Weights as int8, activations in float32 between the layers."""
    network = load_network(workshop.weights())
    workshop.target.write_bytes(to_tflite(network, dynamic_range=True))
