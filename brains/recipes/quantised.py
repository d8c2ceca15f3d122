"""Networks that learn with the rounding of their int8 version (quantisation-aware training)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.tf_network import keras_2
from harness.errors import DataError, one_line

MARGIN = 0.1
"""Share of its range by which an output may leave what the calibration frames showed."""
_ACTIVATIONS = {"linear", "relu", "softmax"}
"""What tfmot can round together with the layer that ends in it."""

Range = tuple[float, float]


def quantisation_aware(
    network: Any,
    inputs: Sequence[NDArray[np.float32]],
    *,
    output_range: Range | None = None,
    one_scale_per_kernel: bool = False,
) -> Any:
    """The network with rounding of weights and activations, as tfmot inserts it.

    Layers that tfmot does not know stay float. tfmot starts all ranges of activations at +-6 and
    lets them follow by 0.1 % a step: a short training would end with outputs in coarse steps.
    Here they start where calibration frames put them.

    Args:
        network: A Keras 2 model; its normalisations no longer learn.
        inputs: All calibration frames of each input.
        output_range: Lowest and highest output; None: what the calibration frames show, and a
            tenth more.
        one_scale_per_kernel: Also convolutions get one scale instead of one a filter, so that
            what is equal in a kernel stays equal as an integer.

    Raises:
        DataError: No layer's rounding can be trained.
    """
    tf_keras = keras_2()
    import tensorflow_model_optimization as tfmot  # noqa: PLC0415 - imports tensorflow
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (  # noqa: PLC0415
        default_8bit_quantize_configs as configs,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (  # noqa: PLC0415
        default_8bit_quantize_registry as registry,
    )

    quantization = tfmot.quantization.keras
    layers = tf_keras.layers
    known = registry.Default8BitQuantizeRegistry()
    leading = _leading_normalisation(network)
    # The normalisation is settled: it must not follow the few batches of a fine-tuning.
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
    rounded = []

    def annotated(layer: Any) -> Any:
        if layer.name == leading:
            config = configs.Default8BitOutputQuantizeConfig()
            return quantization.quantize_annotate_layer(layer, quantize_config=config)
        if not layer.weights or not known.supports(layer) or not _rounds(layer):
            return layer
        rounded.append(layer.name)
        if isinstance(layer, layers.Conv2D) and one_scale_per_kernel:
            config = registry.Default8BitQuantizeConfig(["kernel"], ["activation"], False)
            return quantization.quantize_annotate_layer(layer, quantize_config=config)
        return quantization.quantize_annotate_layer(layer)

    with quantization.quantize_scope(
        {
            "Default8BitOutputQuantizeConfig": configs.Default8BitOutputQuantizeConfig,
            "Default8BitQuantizeConfig": registry.Default8BitQuantizeConfig,
        }
    ):
        try:
            marked = tf_keras.models.clone_model(network, clone_function=annotated)
            if not rounded:
                raise DataError("no layer of the network can be trained with its rounding")
            aware = quantization.quantize_apply(marked)
        except (ValueError, TypeError, AttributeError, RuntimeError) as error:
            text = f"the network can't be trained with its rounding: {one_line(error)}"
            raise DataError(text) from error
    _set_ranges(network, aware, inputs, output_range)
    return aware


def _rounds(layer: Any) -> bool:
    """Whether tfmot can round what a layer ends in."""
    activation = getattr(layer, "activation", None)
    return activation is None or getattr(activation, "__name__", "") in _ACTIVATIONS


def _leading_normalisation(network: Any) -> str | None:
    """Name of the BatchNormalization that takes the network's input, if there is one."""
    tf_keras = keras_2()
    for layer in network.layers:
        if isinstance(layer, tf_keras.layers.InputLayer):
            continue
        return layer.name if isinstance(layer, tf_keras.layers.BatchNormalization) else None
    return None


def _set_ranges(
    network: Any, aware: Any, inputs: Sequence[NDArray[np.float32]], output_range: Range | None
) -> None:
    """Put the ranges of all activations where the network's own are on calibration frames."""
    tf_keras = keras_2()
    every_layer = tf_keras.Model(network.inputs, [layer.output for layer in network.layers])
    given = inputs[0] if len(inputs) == 1 else list(inputs)
    answers = every_layer.predict(given, batch_size=64, verbose=0)
    answers = answers if isinstance(answers, list) else [answers]
    ranges = {
        layer.name: (float(np.min(answer)), float(np.max(answer)))
        for layer, answer in zip(network.layers, answers, strict=True)
    }
    lows, highs = zip(*((one.min(), one.max()) for one in inputs), strict=True)
    of_inputs = (float(min(lows)), float(max(highs)))
    last = set(network.output_names)
    for layer in aware.layers:
        name = layer.name.removeprefix("quant_")
        found = ranges.get(name, of_inputs if layer.name.startswith("quantize_layer") else None)
        if found is None:
            continue
        low, high = (output_range or _widened(found)) if name in last else found
        for variable in layer.weights:
            if variable.name.endswith(("layer_min:0", "output_min:0", "activation_min:0")):
                variable.assign(low)
            if variable.name.endswith(("layer_max:0", "output_max:0", "activation_max:0")):
                variable.assign(high)


def _widened(found: Range) -> Range:
    low, high = min(0.0, found[0]), max(0.0, found[1])
    margin = MARGIN * (high - low)
    return low - margin, high + margin
