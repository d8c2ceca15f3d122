"""ONNX networks, run by ONNX Runtime on the CPU or on an NVIDIA GPU."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from brains.gpu import nvidia_gpu
from brains.model import ModelSpec
from brains.network import EngineProof, Inputs, NetworkBrain
from brains.timing import median_ms
from harness.errors import DataError, UnavailableError

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
QUANTISERS = ("QuantizeLinear", "DequantizeLinear")
PACKED, PACKED_WEIGHTS, PACKED_BIAS = "MatMulNBits", 1, 5
PACKED_ZERO = np.int8(8)
"""Operator that takes 4-bit weights, two in a byte, two of its inputs, and the code of zero."""


NUMBERS = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}
"""Types of inputs as ONNX Runtime names them."""


class OnnxRuntimeBrain(NetworkBrain):
    """A network in an .onnx file."""

    provider = CPU
    device = "cpu"

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        self._session = self._new_session(onnxruntime.SessionOptions())
        inputs = self._session.get_inputs()
        self._types = {tensor.name: NUMBERS.get(tensor.type, np.float32) for tensor in inputs}
        self.takes({tensor.name: _shape(tensor.shape) for tensor in inputs})
        self._binding = self._session.io_binding()
        self._answers: dict[str, NDArray[Any]] = {}
        # A file may lie of its outputs' shapes: what comes for zeros tells.
        names = [output.name for output in self._session.get_outputs()]
        for name, answer in zip(names, self._session.run(names, self.zeros()), strict=True):
            self._answers[name] = buffer = np.empty_like(answer)
            self._binding.bind_output(
                name, "cpu", 0, answer.dtype, answer.shape, buffer.ctypes.data
            )

    def zeros(self) -> dict[str, NDArray[Any]]:
        """Inputs of zeros, in the types and shapes of one frame."""
        shapes = self.engine_shapes()
        return {name: np.zeros(shape, self._types[name]) for name, shape in shapes.items()}

    def encode(self, inputs: Inputs) -> dict[str, NDArray[Any]]:
        """The inputs in the network's types; float32 ones are not copied."""
        return {
            name: values if (kind := self._types[name]) is np.float32 else values.astype(kind)
            for name, values in inputs.items()
        }

    def predict(self, data: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the session once; its answers by name, overwritten by the next call."""
        for name, values in data.items():
            self._binding.bind_cpu_input(name, values)
        self._session.run_with_iobinding(self._binding)
        return self._answers

    def decode(self, output: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """As floats."""
        return {name: np.asarray(values, np.float32) for name, values in output.items()}

    def engine(self) -> EngineProof:
        """Session, executed operators by provider, parameters."""
        return {
            "engine": "onnxruntime",
            "engine_version": onnxruntime.__version__,
            "device": self.device,
            "operators": self._operators(),
            "parameters": sum(values.size for _, values in self.weights()),
        }

    def weights(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """The file's tensors, less scales, zero points and shapes."""
        graph = onnx.load(self.artifact).graph
        kinds = {
            name: (node.op_type, index)
            for node in graph.node
            for index, name in enumerate(node.input)
        }
        for tensor in graph.initializer:
            kind, index = kinds[tensor.name]
            if kind == "Reshape" or (kind in QUANTISERS and index > 0):
                continue
            values = onnx.numpy_helper.to_array(tensor)
            if kind != PACKED:
                yield tensor.name, values
            elif index == PACKED_WEIGHTS:
                codes = np.stack([values & 15, values >> 4], axis=-1)
                yield tensor.name, codes.astype(np.int8) - PACKED_ZERO
            elif index == PACKED_BIAS:
                yield tensor.name, values

    def _new_session(self, options: Any) -> Any:
        """A session with the model's threads.

        Raises:
            DataError: The file is no network that runs here.
        """
        options.intra_op_num_threads = self.threads or 0
        options.inter_op_num_threads = 1
        # Threads that wait for work spin, also between frames, and take a core from the simulator.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            return onnxruntime.InferenceSession(self.artifact, options, providers=[self.provider])
        except Exception as error:
            # The engine's errors share no class but Exception.
            line = " ".join(str(error).split())
            raise DataError(
                f"{self.artifact} is not an ONNX network that runs here: {line}"
            ) from error

    def _operators(self) -> dict[str, dict[str, int]]:
        """Operators and the type they work on, as the engine's own profile of one call shows."""
        with tempfile.TemporaryDirectory() as folder:
            options = onnxruntime.SessionOptions()
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            session = self._new_session(options)
            session.run(None, self.zeros())
            events = json.loads(Path(session.end_profiling()).read_text())
        counts: dict[str, Counter[str]] = {}
        for event in events:
            if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
                details = event["args"]
                (number_type,) = details["input_type_shape"][0]
                operator = f"{details['op_name']} {number_type}"
                counts.setdefault(details["provider"], Counter())[operator] += 1
        return {provider: dict(count) for provider, count in counts.items()}


class OnnxCudaBrain(OnnxRuntimeBrain):
    """The same on an NVIDIA GPU: images and answers are in the host's memory, as on the CPU.

    ONNX Runtime copies them inside the call, and returns when all is done. Left to itself it would
    run on the CPU whatever the GPU can't, the whole network even, and say so in a log; here both
    are errors.
    """

    provider = CUDA

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        if CUDA not in onnxruntime.get_available_providers():
            raise UnavailableError(
                f"onnxruntime {onnxruntime.__version__} is a build for CPUs: "
                f"run `make setup EXTRAS={model.extra}`"
            )
        gpu = nvidia_gpu()
        if gpu is None:
            raise UnavailableError(f"model {model.name} finds no NVIDIA GPU")
        self.device = gpu.partition(",")[0]
        # CUDA's libraries come as wheels, where the dynamic linker does not look.
        onnxruntime.preload_dlls()
        super().__init__(model, artifact)

    def proof(self) -> dict[str, Any]:
        """As of every network, with the time that the image takes to the GPU."""
        return {**super().proof(), "host_to_device_ms": self._host_to_device_ms()}

    def _new_session(self, options: Any) -> Any:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        try:
            return super()._new_session(options)
        except DataError as error:
            if "fallback" not in str(error):
                raise
            # So it also ends where CUDA could not be started at all.
            raise UnavailableError(
                f"ONNX Runtime can't run all of model {self.model.name} on the GPU: "
                "`harness doctor` looks at driver, device and libraries"
            ) from error

    def _host_to_device_ms(self) -> float:
        """Median time to copy the inputs; the copies are finished when the call returns."""
        host = list(self.zeros().values())
        there = [onnxruntime.OrtValue.ortvalue_from_numpy(values, "cuda", 0) for values in host]

        def copy() -> None:
            for values, place in zip(host, there, strict=True):
                place.update_inplace(values)

        return median_ms(copy)


def _shape(told: list[Any]) -> tuple[int | None, ...]:
    """A shape as ONNX Runtime tells it; a free size has a name, or none."""
    return tuple(size if isinstance(size, int) and size > 0 else None for size in told)
