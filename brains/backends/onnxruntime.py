"""ONNX networks, run by ONNX Runtime on the CPU."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from brains.model import ModelSpec
from brains.network import EngineProof, NetworkBrain
from harness.errors import DataError

PROVIDERS = ["CPUExecutionProvider"]
QUANTISERS = ("QuantizeLinear", "DequantizeLinear")


class OnnxRuntimeBrain(NetworkBrain):
    """A network in an .onnx file with float input and output."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        self._session = self._new_session(onnxruntime.SessionOptions())
        (self._input,) = (tensor.name for tensor in self._session.get_inputs())
        (output,) = self._session.get_outputs()
        self._answer = np.empty(output.shape, np.float32)
        self._binding = self._session.io_binding()
        self._binding.bind_output(
            output.name, "cpu", 0, np.float32, output.shape, self._answer.ctypes.data
        )

    def predict(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the session once; its answer, shape (1, 2), overwritten by the next call."""
        self._binding.bind_cpu_input(self._input, data)
        self._session.run_with_iobinding(self._binding)
        return self._answer

    def engine(self) -> EngineProof:
        """Session, executed operators by provider, parameters."""
        return {
            "engine": "onnxruntime",
            "engine_version": onnxruntime.__version__,
            "device": "cpu",
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
            if kind != "Reshape" and not (kind in QUANTISERS and index > 0):
                yield tensor.name, onnx.numpy_helper.to_array(tensor)

    def _new_session(self, options: Any) -> Any:
        """A session with the model's threads.

        Raises:
            DataError: The file is no network that runs here.
        """
        options.intra_op_num_threads = self.threads or 0
        options.inter_op_num_threads = 1
        try:
            return onnxruntime.InferenceSession(self.artifact, options, providers=PROVIDERS)
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
            (image,) = session.get_inputs()
            session.run(None, {image.name: np.zeros(image.shape, np.float32)})
            events = json.loads(Path(session.end_profiling()).read_text())
        counts: dict[str, Counter[str]] = {}
        for event in events:
            if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
                details = event["args"]
                (number_type,) = details["input_type_shape"][0]
                operator = f"{details['op_name']} {number_type}"
                counts.setdefault(details["provider"], Counter())[operator] += 1
        return {provider: dict(count) for provider, count in counts.items()}
