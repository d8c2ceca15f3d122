"""The network of ``pitwall_fast``: what PilotNet knows, in a fiftieth of its weights.

PilotNet keeps 99 % of its weights in one dense layer behind 14,400 activations. Here a fourth
stride of two leaves 4,160 activations and 64 units take them; a BatchNormalization after each
convolution helps so small a network to learn, and costs nothing, as converters fold it in.
Needs TensorFlow (extra ``tf``), imported inside the function.
"""

from typing import Any

from brains.pilotnet import tensorflow
from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH

FAST_CONVOLUTIONS = ((16, 5), (32, 3), (64, 3), (64, 3))
"""Filters and size of each; all have a stride of two."""
DENSE_UNITS = (64, 32)


def build_fast_network() -> Any:
    """The network with random weights, a Keras model.

    Input float32 (n, 66, 200, 3), normalised; output (n, 2): speed and yaw rate in [0, 1].
    """
    _, tf_keras = tensorflow()
    layers = tf_keras.layers
    network = tf_keras.Sequential(name="pitwall_fast")
    network.add(layers.Input((INPUT_HEIGHT, INPUT_WIDTH, 3), name="image"))
    for filters, size in FAST_CONVOLUTIONS:
        network.add(layers.Conv2D(filters, size, strides=2, padding="same", use_bias=False))
        network.add(layers.BatchNormalization())
        network.add(layers.ReLU())
    network.add(layers.Flatten())
    for units in DENSE_UNITS:
        network.add(layers.Dense(units, activation="relu"))
    network.add(layers.Dense(2))
    return network
