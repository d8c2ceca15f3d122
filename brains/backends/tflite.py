"""TensorFlow Lite networks, run by ai-edge-litert on the CPU (XNNPACK)."""

from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from brains.model import ModelSpec
from brains.network import EngineProof, NetworkBrain
from harness.errors import DataError


class TfliteBrain(NetworkBrain):
    """A network in a .tflite file, with float or integer input and output."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        try:
            self._interpreter = Interpreter(model_path=str(artifact), num_threads=self.threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            line = " ".join(str(error).split())
            raise DataError(f"{artifact} is not a TFLite network that runs here: {line}") from error
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()
        self._placed: NDArray[Any] | None = None

    def predict(self, data: NDArray[Any]) -> NDArray[Any]:
        """Run the interpreter once; raw output, shape (1, 2)."""
        if data is not self._placed:
            self._place(data)
        self._interpreter.invoke()
        output: NDArray[Any] = self._interpreter.get_tensor(self._output["index"])
        return output

    def engine(self) -> EngineProof:
        """Interpreter, operators by delegate, parameters."""
        return {
            "engine": "ai-edge-litert",
            "engine_version": version("ai-edge-litert"),
            "device": "cpu",
            "operators": self._operators(),
            "parameters": sum(int(np.prod(tensor["shape"])) for tensor in self._constants()),
        }

    def output_step(self) -> float | None:
        """Scale of the output where it is an integer, or was one until the last DEQUANTIZE."""
        output = self._output
        for operator in self._interpreter._get_ops_details():
            if operator["op_name"] == "DEQUANTIZE" and output["index"] in operator["outputs"]:
                output = self._tensors()[int(operator["inputs"][0])]
        return None if output["dtype"] == np.float32 else float(output["quantization"][0])

    def weights(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Kernels as the file stores them, without biases and the normalisation."""
        for tensor in self._constants():
            if np.prod(tensor["shape"]) > max(tensor["shape"]):
                yield tensor["name"], self._interpreter.get_tensor(tensor["index"])

    def encode(self, images: NDArray[np.float32]) -> NDArray[Any]:
        """The images in the input's type; a single one also goes to the interpreter's input.

        The engine reads only from its own memory, so that the image must get there before the
        engine is called. ``predict`` does it again where another image came in between.
        """
        data = self._quantised(images)
        if len(data) == 1:
            self._place(data)
        return data

    def decode(self, output: NDArray[Any]) -> NDArray[np.float32]:
        """From the output's type; integers by x = (q - zero point) * scale."""
        if self._output["dtype"] == np.float32:
            return np.asarray(output, np.float32)
        scale, zero_point = self._output["quantization"]
        return np.asarray((output.astype(np.float32) - zero_point) * scale, np.float32)

    def _quantised(self, images: NDArray[np.float32]) -> NDArray[Any]:
        """To the input's type; integers by q = round(x / scale) + zero point, clipped."""
        kind = self._input["dtype"]
        if kind == np.float32:
            return images
        scale, zero_point = self._input["quantization"]
        limits = np.iinfo(kind)
        quantised = np.rint(images / scale) + zero_point
        return np.asarray(np.clip(quantised, limits.min, limits.max), kind)

    def _place(self, data: NDArray[Any]) -> None:
        """Copy an encoded image to the interpreter's input."""
        self._interpreter.set_tensor(self._input["index"], data)
        self._placed = data

    def _operators(self) -> dict[str, dict[str, int]]:
        """Count of executed operators by kind, for each delegate (``none``: TFLite's own)."""
        operators = self._interpreter._get_ops_details()
        delegated = _delegated(operators)
        counts: dict[str, Counter[str]] = {}
        for operator in operators:
            if operator["op_name"] != "DELEGATE":
                delegate = "xnnpack" if operator["index"] in delegated else "none"
                counts.setdefault(delegate, Counter())[operator["op_name"]] += 1
        return {delegate: dict(count) for delegate, count in counts.items()}

    def _tensors(self) -> dict[int, dict[str, Any]]:
        """Details of every tensor by its index."""
        return {tensor["index"]: tensor for tensor in self._interpreter.get_tensor_details()}

    def _constants(self) -> list[dict[str, Any]]:
        """Details of the tensors of weights: what no operator makes, less shapes of RESHAPE."""
        operators = self._interpreter._get_ops_details()
        made = {int(self._input["index"])}
        made.update(int(index) for operator in operators for index in operator["outputs"])
        used = {
            int(index)
            for operator in operators
            if operator["op_name"] not in ("DELEGATE", "RESHAPE")
            for index in operator["inputs"]
        }
        return [tensor for index, tensor in self._tensors().items() if index in used - made]


def _delegated(operators: list[dict[str, Any]]) -> set[int]:
    """Indices of the operators that a delegate executes.

    A delegate's node names the tensors at its border, so its operators are those met going back
    from its outputs until its inputs.
    """
    producers = {
        int(tensor): operator
        for operator in operators
        if operator["op_name"] != "DELEGATE"
        for tensor in operator["outputs"]
    }
    found: set[int] = set()
    for delegate in (op for op in operators if op["op_name"] == "DELEGATE"):
        border = {int(tensor) for tensor in delegate["inputs"]}
        pending = [int(tensor) for tensor in delegate["outputs"]]
        while pending:
            operator = producers.get(pending.pop())
            if operator is not None and operator["index"] not in found:
                found.add(operator["index"])
                pending.extend(int(t) for t in operator["inputs"] if int(t) not in border)
    return found
