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

from brains.artifacts import asked_by
from brains.cuda import GpuCall, Packed, cuda
from brains.model import ModelSpec
from brains.network import EngineProof, Inputs, NetworkBrain
from harness.errors import BrainError, DataError


class TensorRtBrain(NetworkBrain):
    """An engine file with float32 inputs and outputs, all handed over as one piece of memory."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        cuda()
        # The runtime must outlive its engine, the engine its context.
        self._runtime = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.WARNING))
        self._engine = self._runtime.deserialize_cuda_engine(artifact.read_bytes())
        if self._engine is None:
            raise DataError(
                f"{artifact} is no engine that runs here: remove its folder and run "
                f"`harness optimize {asked_by(model)}`"
            )
        self._context = self._engine.create_execution_context()
        inputs, outputs = ends(self._engine)
        self.takes(dict(inputs))
        self._inputs, self._outputs = Packed(self.engine_shapes()), Packed(outputs)
        self._output = torch.zeros(self._outputs.size, device="cuda")
        self._call = GpuCall(self._enqueue, (self._inputs.size,))

    def encode(self, inputs: Inputs) -> NDArray[np.float32]:
        """The inputs one behind the other."""
        return self._inputs.packed(inputs)

    def predict(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """The outputs one behind the other, overwritten by the next call."""
        return self._call(data)

    def decode(self, output: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name."""
        parts: dict[str, NDArray[np.float32]] = self._outputs.parts(output)
        return parts

    def engine(self) -> EngineProof:
        """TensorRT, the engine's layers with the format of what they make, parameters."""
        inspector = self._engine.create_engine_inspector()
        told = inspector.get_engine_information(tensorrt.LayerInformationFormat.JSON)
        return {
            "engine": "tensorrt (CUDA graph)",
            "engine_version": tensorrt.__version__,
            "device": self._call.device,
            "operators": {"tensorrt": layers_of(json.loads(told))},
            "parameters": self.model.options.get("parameters"),
        }

    def proof(self) -> dict[str, Any]:
        """As of every network, with the parts of an inference."""
        return {**super().proof(), **self._call.parts()}

    def _enqueue(self, given: Any) -> Any:
        for packed, memory in ((self._inputs, given), (self._outputs, self._output)):
            for name, begin in packed.begins.items():
                address = memory.data_ptr() + begin * memory.element_size()
                self._context.set_tensor_address(name, address)
        if not self._context.execute_async_v3(torch.cuda.current_stream().cuda_stream):
            raise BrainError(f"TensorRT could not run {self.artifact.name}")
        return self._output


def ends(engine: Any) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """Shapes of the engine's inputs and outputs, by name.

    Raises:
        DataError: They are no float32 numbers of fixed shape.
    """
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    shapes = {name: tuple(int(n) for n in engine.get_tensor_shape(name)) for name in names}
    kinds = {engine.get_tensor_dtype(name) for name in names}
    if kinds != {tensorrt.DataType.FLOAT} or any(n < 1 for s in shapes.values() for n in s):
        raise DataError(f"the engine takes and gives {shapes} of {kinds}: fixed float32 is wanted")
    inputs = [n for n in names if engine.get_tensor_mode(n) == tensorrt.TensorIOMode.INPUT]
    return (
        {name: shapes[name] for name in inputs},
        {name: shapes[name] for name in names if name not in inputs},
    )


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
