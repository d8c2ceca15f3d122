"""SavedModels with TensorRT engines, by TensorFlow's own converter (TF-TRT).

Made on the machine that runs them: an engine is made for one kind of GPU, by timing kernels on it.
"""

import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.layouts import Inputs, arranged
from brains.recipes.tf_source import tf_source
from brains.tf_network import save
from brains.tftrt import content_of, gpu_of_tensorflow, tensorrt_versions
from brains.workshop import Progress, Workshop
from harness.errors import DataError

CONVERTER = "tensorflow.python.compiler.tensorrt.trt_convert"
# The whole network becomes one engine. Its copy as TensorFlow operators is thrown away, so that
# there is nothing to fall back to.
FEATURES, WITHOUT_FALLBACK = "TF_TRT_EXPERIMENTAL_FEATURES", "remove_native_segments"


def savedmodel(workshop: Workshop) -> None:
    """A SavedModel folder whose engines work in ``precision`` of ``recipe_options``.

    FP32, FP16 or INT8; INT8 takes its ranges from the calibration frames.

    Raises:
        UnavailableError: There is no GPU, or no TensorRT.
        DataError: Nothing of the network became an engine, or not all of it.
    """
    name, say = workshop.model.name, workshop.progress
    versions, gpu = tensorrt_versions(), gpu_of_tensorflow()
    saved, network = workshop.scratch / "saved", tf_source(workshop)
    save(network.function, network.variables, saved)
    precision = str(workshop.options["precision"])
    shapes = {spec.name: spec.shape.as_list() for spec in network.specs}
    frames = [arranged(sample, shapes) for sample in workshop.calibration()]
    converter = new_converter(str(saved), precision)
    say(f"{name}: converting by TensorRT {versions.loaded} for {gpu}")
    with without_fallback():
        graph = convert(converter, precision, frames, say, name)
        check(graph, precision)
        say(f"{name}: building the engine (a minute or two)")
        converter.build(input_fn=lambda: iter([given(frames[0])]))
        converter.save(str(workshop.target))
    say(f"{name}: done", 1, 1)


def new_converter(source: str, precision: str) -> Any:
    """TensorFlow's converter of a SavedModel folder; engines are not built again at run time."""
    converter = importlib.import_module(CONVERTER)
    return converter.TrtGraphConverterV2(
        input_saved_model_dir=source,
        precision_mode=precision,
        use_calibration=precision == "INT8",
        maximum_cached_engines=1,
        allow_build_at_runtime=False,
    )


def convert(
    converter: Any, precision: str, frames: Sequence[Inputs], say: Progress, name: str
) -> Any:
    """Have the graph converted, and calibrated where it is INT8; its definition."""
    if precision != "INT8":
        return converter.convert().graph.as_graph_def()

    def one_by_one() -> Iterator[tuple[NDArray[np.float32], ...]]:
        for index, frame in enumerate(frames):
            say(f"{name}: calibrating", index + 1, len(frames))
            yield given(frame)

    return converter.convert(calibration_input_fn=one_by_one).graph.as_graph_def()


def given(frame: Inputs) -> tuple[NDArray[np.float32], ...]:
    """Inputs in the order in which TensorFlow flattens a signature's: that of their names."""
    return tuple(frame[name] for name in sorted(frame))


def check(graph: Any, precision: str) -> None:
    """See that the whole network became engines of the wanted precision.

    Raises:
        DataError: It did not.
    """
    content = content_of(graph)
    if set(content.engines) != {precision}:
        raise DataError(f"the engines have precision {', '.join(content.engines)}, not {precision}")
    if content.native_operators:
        left = ", ".join(f"{count} {kind}" for kind, count in content.native_operators.items())
        raise DataError(f"TF-TRT left operators outside of its engines: {left}")


@contextmanager
def without_fallback() -> Iterator[None]:
    """Meanwhile TF-TRT saves graphs without the native copies of what is in engines."""
    before = os.environ.get(FEATURES)
    os.environ[FEATURES] = WITHOUT_FALLBACK
    try:
        yield
    finally:
        os.environ.pop(FEATURES)
        if before is not None:
            os.environ[FEATURES] = before
