"""TensorRT engines from ONNX graphs, built on the GPU that runs them.

Networks are strongly typed: each number's format is the one that the graph states, and TensorRT
chooses kernels, not formats. (Letting it choose formats is deprecated, and gone in TensorRT 11.)

Three frameworks share the process of the conversion: ONNX draws the graph, TensorRT builds of it,
and PyTorch, which is imported last, tells what the driver lacks.
"""

from typing import Any

import onnx
import tensorrt

from brains.cuda import cuda
from brains.recipes.onnx import halved, symmetric_int8
from brains.workshop import Progress, Workshop
from harness.errors import DataError, UnavailableError


def float16(workshop: Workshop) -> None:
    """Weights and arithmetic in float16; inputs and answers are float32.

    ``float_nodes`` of ``recipe_options`` names nodes that stay float32.
    """
    graph = halved(onnx.load(workshop.hub()), workshop.options.get("float_nodes", []))
    _write(workshop, graph.SerializeToString())


def int8(workshop: Workshop) -> None:
    """Weights and activations as int8 with ranges from the calibration frames."""
    graph = workshop.scratch / "int8.onnx"
    symmetric_int8(workshop, graph)
    _write(workshop, onnx.load(graph).SerializeToString())


def build_engine(graph: bytes, monitor: Any | None = None) -> bytes:
    """An engine of a serialised ONNX graph, for the GPU of this machine.

    Args:
        graph: The graph.
        monitor: TensorRT's ``IProgressMonitor``.

    Raises:
        UnavailableError: There is no GPU, or TensorRT can't use it.
        DataError: TensorRT can't read the graph, or makes no engine of it.
    """
    cuda()
    logger = tensorrt.Logger(tensorrt.Logger.WARNING)
    try:
        builder = tensorrt.Builder(logger)
    except TypeError as error:  # what TensorRT's constructors raise where CUDA does not start
        raise UnavailableError(
            f"TensorRT {tensorrt.__version__} can't use the GPU: see `harness doctor`"
        ) from error
    flags = 1 << int(tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(flags)
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse(graph):
        errors = "; ".join(parser.get_error(index).desc() for index in range(parser.num_errors))
        raise DataError(f"TensorRT can't read the graph: {errors}")
    config = builder.create_builder_config()
    # So that the engine can tell the proof what it is made of.
    config.profiling_verbosity = tensorrt.ProfilingVerbosity.DETAILED
    if monitor is not None:
        config.progress_monitor = monitor
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise DataError(f"TensorRT {tensorrt.__version__} made no engine of the graph")
    return bytes(engine)


class Monitor(tensorrt.IProgressMonitor):  # type: ignore[misc]
    """Passes on how far the outermost phase of a build is."""

    def __init__(self, name: str, say: Progress) -> None:
        super().__init__()
        self._name, self._say = name, say
        self._steps: dict[str, int] = {}

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        """A phase begins; one with a parent is part of that."""
        if parent_phase is None:
            self._steps[phase_name] = num_steps

    def step_complete(self, phase_name: str, step: int) -> bool:
        """A step is done; the answer says to go on."""
        if phase_name in self._steps:
            text = f"{self._name}: {phase_name}"
            self._say(text, step + 1, self._steps[phase_name])
        return True

    def phase_finish(self, phase_name: str) -> None:
        """A phase is over."""
        self._steps.pop(phase_name, None)


def _write(workshop: Workshop, graph: bytes) -> None:
    monitor = Monitor(workshop.model.name, workshop.progress)
    workshop.target.write_bytes(build_engine(graph, monitor))
