"""TFLite files of Keras networks and SavedModels, by the converter's post-training methods."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.layouts import Inputs, arranged
from brains.recipes.tf_source import TfSource, tf_source
from brains.tf_network import SERVING, concrete, save, tensorflow
from brains.workshop import Workshop

Configure = Callable[[Any], None]
"""Sets what a ``tf.lite.TFLiteConverter`` is to do."""


def convert(source: TfSource, scratch: Path, configure: Configure | None = None) -> bytes:
    """A network as a TFLite file for one sample at a time.

    Args:
        source: The network.
        scratch: Folder for a SavedModel on the way.
        configure: Chooses the method; plain float32 by default.
    """
    tf = tensorflow()
    if source.keras is not None:
        converter = tf.lite.TFLiteConverter.from_concrete_functions([source.function], source.keras)
    else:
        # Of a Keras 3 model the other way makes a file without weights, and says nothing.
        folder = scratch / "saved"
        save(source.function, source.variables, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=[SERVING])
    if configure is not None:
        configure(converter)
    return bytes(converter.convert())


def convert_keras(network: Any, configure: Configure | None = None) -> bytes:
    """A Keras 2 model, whose shapes are known, as a TFLite file for one sample at a time."""
    source = TfSource(concrete(network, {}), network, network.variables, network)
    return convert(source, Path(), configure)


def optimise(converter: Any) -> None:
    """Int8 weights; int8 activations too where the network brings their ranges."""
    converter.optimizations = [tensorflow().lite.Optimize.DEFAULT]


def float32(workshop: Workshop) -> None:
    """Weights and arithmetic in float32."""
    _write(workshop, None)


def dynamic_range(workshop: Workshop) -> None:
    """Weights as int8, activations in float32 between the layers."""
    _write(workshop, optimise)


def halve(converter: Any) -> None:
    """Weights stored as float16; arithmetic in float32."""
    optimise(converter)
    converter.target_spec.supported_types = [tensorflow().float16]


def float16(workshop: Workshop) -> None:
    """Weights stored as float16; arithmetic in float32."""
    _write(workshop, halve)


def integer(workshop: Workshop) -> None:
    """Weights, activations, input and output as int8: no float operator is left."""
    tf = tensorflow()
    source = tf_source(workshop)

    def configure(converter: Any) -> None:
        _calibrate(converter, source, workshop.calibration())
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8

    workshop.target.write_bytes(convert(source, workshop.scratch, configure))


def integer_float_fallback(workshop: Workshop) -> None:
    """Weights and activations as int8, float where an operator has no integer version."""
    source = tf_source(workshop)
    samples = workshop.calibration()
    content = convert(source, workshop.scratch, lambda c: _calibrate(c, source, samples))
    workshop.target.write_bytes(content)


def _calibrate(converter: Any, source: TfSource, samples: Sequence[Inputs]) -> None:
    """Take the ranges of activations from calibration frames."""
    shapes = {spec.name: spec.shape.as_list() for spec in source.specs}

    def given() -> Iterator[list[NDArray[np.float32]] | Inputs]:
        for sample in samples:
            inputs = arranged(sample, shapes)
            # By name where there are several: their order in the file may be another.
            yield list(inputs.values()) if len(inputs) == 1 else inputs

    optimise(converter)
    converter.representative_dataset = given


def _write(workshop: Workshop, configure: Configure | None) -> None:
    source = tf_source(workshop)
    workshop.target.write_bytes(convert(source, workshop.scratch, configure))
