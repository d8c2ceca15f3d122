"""TensorRT engines on an NVIDIA GPU; PyTorch holds their memory and captures their calls.

The two share a process: TensorRT has no memory or streams of its own. TensorRT is imported first.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import tensorrt
import torch
from numpy.typing import NDArray

from brains.cuda import GpuCall, cuda
from brains.model import ModelSpec
from brains.network import EngineProof, NetworkBrain
from brains.pilotnet_file import PARAMETERS
from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH
from harness.errors import BrainError, DataError

IMAGE_SHAPE, ANSWER_SHAPE = (1, INPUT_HEIGHT, INPUT_WIDTH, 3), (1, 2)


class TensorRtBrain(NetworkBrain):
    """An engine file with one float32 image as input and one float32 answer."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        cuda()
        # The runtime must outlive its engine, the engine its context.
        self._runtime = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.WARNING))
        self._engine = self._runtime.deserialize_cuda_engine(artifact.read_bytes())
        if self._engine is None:
            raise DataError(
                f"{artifact} is no engine that runs here: remove its folder and run "
                f"`harness optimize {model.name}`"
            )
        self._context = self._engine.create_execution_context()
        self._image, self._answer = _ends(self._engine)
        self._output = torch.zeros(ANSWER_SHAPE, device="cuda")
        self._call = GpuCall(self._enqueue, IMAGE_SHAPE)

    def predict(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled outputs, shape (1, 2), overwritten by the next call."""
        return self._call(data)

    def engine(self) -> EngineProof:
        """TensorRT, the engine's layers with the format of what they make, parameters."""
        inspector = self._engine.create_engine_inspector()
        told = inspector.get_engine_information(tensorrt.LayerInformationFormat.JSON)
        return {
            "engine": "tensorrt (CUDA graph)",
            "engine_version": tensorrt.__version__,
            "device": self._call.device,
            "operators": {"tensorrt": layers_of(json.loads(told))},
            "parameters": PARAMETERS,
        }

    def proof(self) -> dict[str, Any]:
        """As of every network, with the parts of an inference."""
        return {**super().proof(), **self._call.parts()}

    def _enqueue(self, image: Any) -> Any:
        self._context.set_tensor_address(self._image, image.data_ptr())
        self._context.set_tensor_address(self._answer, self._output.data_ptr())
        if not self._context.execute_async_v3(torch.cuda.current_stream().cuda_stream):
            raise BrainError(f"TensorRT could not run {self.artifact.name}")
        return self._output


def _ends(engine: Any) -> tuple[str, str]:
    """Names of the engine's input and output.

    Raises:
        DataError: They are not one image and one answer.
    """
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    modes = {name: engine.get_tensor_mode(name) for name in names}
    inputs = [name for name in names if modes[name] == tensorrt.TensorIOMode.INPUT]
    outputs = [name for name in names if name not in inputs]
    shapes = [tuple(engine.get_tensor_shape(name)) for name in (*inputs, *outputs)]
    kinds = {engine.get_tensor_dtype(name) for name in names}
    if shapes != [IMAGE_SHAPE, ANSWER_SHAPE] or kinds != {tensorrt.DataType.FLOAT}:
        raise DataError(f"the engine takes and gives {shapes} of {kinds}: no image, no command")
    return inputs[0], outputs[0]


def layers_of(told: dict[str, Any]) -> dict[str, int]:
    """Count of an engine's layers by type and number format, as its inspector tells them."""
    counts: Counter[str] = Counter()
    for layer in told["Layers"]:
        # Built without details, an engine only tells names.
        if isinstance(layer, str):
            counts["layer"] += 1
            continue
        formats = [str(output.get("Format/Datatype", "")) for output in layer.get("Outputs", [])]
        counts[" ".join([layer.get("LayerType", "layer"), *formats[:1]]).strip()] += 1
    return dict(counts)
