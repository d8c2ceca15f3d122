"""TFLite files from the Keras network, by the converter's post-training methods."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.pilotnet import concrete_function, load_network, tensorflow
from brains.workshop import Workshop

Configure = Callable[[Any], None]
"""Sets what a ``tf.lite.TFLiteConverter`` is to do."""


def convert(network: Any, configure: Configure | None = None) -> bytes:
    """The network as a TFLite file for one frame at a time.

    Args:
        network: Keras model.
        configure: Chooses the method; plain float32 by default.
    """
    tf, _ = tensorflow()
    function = concrete_function(network)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], network)
    if configure is not None:
        configure(converter)
    return bytes(converter.convert())


def optimise(converter: Any) -> None:
    """Int8 weights; int8 activations too where the network brings their ranges."""
    tf, _ = tensorflow()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def float32(workshop: Workshop) -> None:
    """Weights and arithmetic in float32."""
    _write(workshop, None)


def dynamic_range(workshop: Workshop) -> None:
    """Weights as int8, activations in float32 between the layers."""
    _write(workshop, optimise)


def halve(converter: Any) -> None:
    """Weights stored as float16; arithmetic in float32."""
    optimise(converter)
    converter.target_spec.supported_types = [tensorflow()[0].float16]


def float16(workshop: Workshop) -> None:
    """Weights stored as float16; arithmetic in float32."""
    _write(workshop, halve)


def integer(workshop: Workshop) -> None:
    """Weights, activations, input and output as int8: no float operator is left."""
    tf, _ = tensorflow()

    def configure(converter: Any) -> None:
        _calibrate(converter, workshop.calibration())
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8

    _write(workshop, configure)


def integer_float_fallback(workshop: Workshop) -> None:
    """Weights and activations as int8, float where an operator has no integer version."""
    _write(workshop, lambda converter: _calibrate(converter, workshop.calibration()))


def _calibrate(converter: Any, images: NDArray[np.float32]) -> None:
    """Take the ranges of activations from normalised frames, (n, 66, 200, 3)."""

    def samples() -> Iterator[list[NDArray[np.float32]]]:
        for image in images:
            yield [image[np.newaxis]]

    optimise(converter)
    converter.representative_dataset = samples


def _write(workshop: Workshop, configure: Configure | None) -> None:
    network = load_network(workshop.weights())
    workshop.target.write_bytes(convert(network, configure))
