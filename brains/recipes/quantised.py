"""Networks that learn with the rounding of their int8 version (quantisation-aware training)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.pilotnet import tensorflow

# A margin about the scale of [0, 1] that holds for all commands: whatever the calibration frames
# show, the full steering range stays within reach, in steps of 0.08 m/s and 0.06 rad/s.
OUTPUT_RANGE = (-0.1, 1.0)


def quantisation_aware(
    network: Any, images: NDArray[np.float32], *, one_scale_per_kernel: bool = False
) -> Any:
    """The network with rounding of weights and activations, as tfmot inserts it.

    tfmot starts all ranges of activations at +-6 and lets them follow by 0.1 % a step: a short
    training would end with outputs in steps of 0.8 m/s. Here they start where calibration
    frames put them.

    Args:
        network: PilotNet.
        images: Normalised calibration frames, (n, 66, 200, 3).
        one_scale_per_kernel: Also convolutions get one scale instead of one a filter, so that
            what is equal in a kernel stays equal as an integer.
    """
    _, tf_keras = tensorflow()
    import tensorflow_model_optimization as tfmot  # noqa: PLC0415 - imports tensorflow
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (  # noqa: PLC0415
        default_8bit_quantize_configs as configs,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (  # noqa: PLC0415
        default_8bit_quantize_registry as registry,
    )

    quantization = tfmot.quantization.keras
    # The normalisation is settled: it must not follow the few batches of a fine-tuning.
    network.layers[0].trainable = False

    def annotated(layer: Any) -> Any:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            config = configs.Default8BitOutputQuantizeConfig()
            return quantization.quantize_annotate_layer(layer, quantize_config=config)
        if isinstance(layer, tf_keras.layers.Conv2D) and one_scale_per_kernel:
            config = registry.Default8BitQuantizeConfig(["kernel"], ["activation"], False)
            return quantization.quantize_annotate_layer(layer, quantize_config=config)
        if layer.weights:
            return quantization.quantize_annotate_layer(layer)
        return layer

    with quantization.quantize_scope(
        {
            "Default8BitOutputQuantizeConfig": configs.Default8BitOutputQuantizeConfig,
            "Default8BitQuantizeConfig": registry.Default8BitQuantizeConfig,
        }
    ):
        aware = quantization.quantize_apply(
            tf_keras.models.clone_model(network, clone_function=annotated)
        )
    _set_ranges(network, aware, images)
    return aware


def _set_ranges(network: Any, aware: Any, images: NDArray[np.float32]) -> None:
    """Put the ranges of all activations where the network's own are on calibration frames."""
    _, tf_keras = tensorflow()
    every_layer = tf_keras.Model(network.inputs, [layer.output for layer in network.layers])
    activations = every_layer.predict(images, batch_size=64, verbose=0)
    ranges = [(images.min(), images.max()), *((a.min(), a.max()) for a in activations[:-1])]
    for layer, (low, high) in zip(aware.layers, [*ranges, OUTPUT_RANGE], strict=True):
        for variable in layer.weights:
            if variable.name.endswith(("layer_min:0", "output_min:0", "activation_min:0")):
                variable.assign(low)
            if variable.name.endswith(("layer_max:0", "output_max:0", "activation_max:0")):
                variable.assign(high)
