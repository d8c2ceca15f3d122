"""PilotNet as the published study trained it, in Keras.

Everything here needs TensorFlow (extra ``tf``); it is imported inside the functions.
The weights' master is a float16 file: training ends by rounding, so that what is kept in git is
exactly what every version is built from.
"""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.pilotnet_file import CONVOLUTIONS, EPSILON, read_weights
from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH
from brains.weights_file import write_weights
from harness.errors import DataError, UnavailableError


def tensorflow() -> tuple[Any, Any]:
    """The modules ``tensorflow`` and ``tf_keras``.

    Raises:
        UnavailableError: They are not installed.
    """
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        tf = importlib.import_module("tensorflow")
        tf_keras = importlib.import_module("tf_keras")
    except ImportError as error:
        raise UnavailableError(
            f"TensorFlow is not installed ({error}): run `make setup EXTRAS=tf`"
        ) from error
    return tf, tf_keras


def build_network() -> Any:
    """PilotNet with random weights, a Keras model of 17,016,206 parameters.

    Input float32 (n, 66, 200, 3), normalised; output (n, 2): speed and yaw rate in [0, 1].
    """
    _, tf_keras = tensorflow()
    layers = tf_keras.layers
    return tf_keras.Sequential(
        [
            layers.Input((INPUT_HEIGHT, INPUT_WIDTH, 3), name="image"),
            layers.BatchNormalization(epsilon=EPSILON),
            *(
                layers.Conv2D(filters, size, strides=stride, padding="same", activation="relu")
                for filters, size, stride in CONVOLUTIONS
            ),
            layers.Flatten(),
            *(layers.Dense(units, activation="relu") for units in (1164, 100, 50, 10)),
            layers.Dense(2),
        ],
        name="pilotnet",
    )


def save_weights(
    weights: Sequence[NDArray[np.floating]], path: Path, *, compress: bool = False
) -> None:
    """Write a weights file: weights in Keras' order, rounded to float16 (atomically).

    Args:
        weights: Arrays as ``get_weights`` gives them.
        path: The file.
        compress: Whether to deflate it; worth its time where many weights are zero.

    Raises:
        DataError: A weight is not finite or too large for float16.
    """
    arrays = {f"w{index:02d}": weight for index, weight in enumerate(weights)}
    write_weights(path, arrays, compress=compress)


def load_network(path: Path) -> Any:
    """PilotNet with the weights of a weights file.

    Raises:
        DataError: The file is missing or holds no PilotNet.
    """
    return with_weights(build_network(), path)


def with_weights(network: Any, path: Path) -> Any:
    """A Keras network, given the weights of a weights file.

    Raises:
        DataError: The file is missing or holds another network's weights.
    """
    try:
        network.set_weights(read_weights(path))
    except ValueError as error:
        line = " ".join(str(error).split())
        raise DataError(f"{path} holds no {network.name} weights: {line}") from error
    return network


def concrete_function(network: Any) -> Any:
    """The Keras network as a function of one normalised image, float32 (1, 66, 200, 3)."""
    tf, _ = tensorflow()
    call = tf.function(lambda image: network(image, training=False), autograph=False)
    shape = tf.TensorSpec((1, INPUT_HEIGHT, INPUT_WIDTH, 3), tf.float32, name="image")
    return call.get_concrete_function(shape)
