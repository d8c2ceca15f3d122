"""TensorFlow Lite networks, run by ai-edge-litert on the CPU (XNNPACK)."""

from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from brains.artifacts import checked_artifact, sha256_of
from brains.interface import Brain, Command, Frame
from brains.model import ModelSpec
from brains.preprocess import preprocess, to_command
from brains.reference import greatest_difference
from harness.errors import DataError


class TfliteBrain(Brain):
    """A network in a .tflite file, with float or integer input and output."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            line = " ".join(str(error).split())
            raise DataError(f"{path} is not a TFLite network that runs here: {line}") from error
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()
        self._path = path
        self._threads = threads

    @classmethod
    def load(cls, model: ModelSpec) -> Self:
        """Load the artifact of ``model`` with the ``threads`` its options state."""
        return cls(checked_artifact(model), int(model.options["threads"]))

    def preprocess(self, frame: Frame) -> NDArray[Any]:
        """Network input, shape (1, 66, 200, 3), in the type that the network takes."""
        return self._encode(preprocess(frame))

    def predict(self, data: NDArray[Any]) -> NDArray[Any]:
        """Run the interpreter once; raw output, shape (1, 2)."""
        self._interpreter.set_tensor(self._input["index"], data)
        self._interpreter.invoke()
        output: NDArray[Any] = self._interpreter.get_tensor(self._output["index"])
        return output

    def postprocess(self, output: NDArray[Any]) -> Command:
        """Command from the raw output."""
        return to_command(self._decode(output))

    def outputs(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled outputs, shape (n, 2), for normalised images, shape (n, 66, 200, 3)."""
        answers = [self._decode(self.predict(self._encode(image[np.newaxis]))) for image in images]
        return np.concatenate(answers)

    def proof(self) -> dict[str, Any]:
        """Engine, operators by delegate, parameters, artifact and difference from the float net."""
        return {
            "engine": "ai-edge-litert",
            "engine_version": version("ai-edge-litert"),
            "device": "cpu",
            "threads": self._threads,
            "operators": self._operators(),
            "parameters": self._parameters(),
            "artifact": self._path.name,
            "artifact_bytes": self._path.stat().st_size,
            "artifact_sha256": sha256_of(self._path),
            "reference_difference": greatest_difference(self.outputs),
        }

    def _encode(self, images: NDArray[np.float32]) -> NDArray[Any]:
        """To the input's type; integers by q = round(x / scale) + zero point, clipped."""
        kind = self._input["dtype"]
        if kind == np.float32:
            return images
        scale, zero_point = self._input["quantization"]
        limits = np.iinfo(kind)
        quantised = np.rint(images / scale) + zero_point
        return np.asarray(np.clip(quantised, limits.min, limits.max), kind)

    def _decode(self, output: NDArray[Any]) -> NDArray[np.float32]:
        """From the output's type; integers by x = (q - zero point) * scale."""
        if self._output["dtype"] == np.float32:
            return np.asarray(output, np.float32)
        scale, zero_point = self._output["quantization"]
        return np.asarray((output.astype(np.float32) - zero_point) * scale, np.float32)

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

    def _parameters(self) -> int:
        """Number of weights: elements of the constant tensors, less the shapes of RESHAPE."""
        operators = [
            operator
            for operator in self._interpreter._get_ops_details()
            if operator["op_name"] not in ("DELEGATE", "RESHAPE")
        ]
        variable = {int(self._input["index"])}
        for operator in self._interpreter._get_ops_details():
            variable.update(int(index) for index in operator["outputs"])
        used = {int(index) for operator in operators for index in operator["inputs"]}
        details = {tensor["index"]: tensor for tensor in self._interpreter.get_tensor_details()}
        return sum(int(np.prod(details[i]["shape"])) for i in used - variable if i in details)


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
