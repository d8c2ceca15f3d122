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
from brains.network import EngineProof, Inputs, NetworkBrain
from harness.errors import DataError

SIGNATURE = "serving_default"
KEEP_STATE = {
    *("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "LSTM", "SVDF", "RNN"),
    *("UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN", "VAR_HANDLE"),
}
"""Operators that keep a state from call to call."""


class TfliteBrain(NetworkBrain):
    """A network in a .tflite file, with float or integer inputs and outputs."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        try:
            self._interpreter = Interpreter(model_path=str(artifact), num_threads=self.threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            line = " ".join(str(error).split())
            raise DataError(f"{artifact} is not a TFLite network that runs here: {line}") from error
        names = refuse_flex(self._interpreter, artifact)
        self._inputs, self._outputs = ends(self._interpreter)
        self._indices = {name: int(output["index"]) for name, output in self._outputs.items()}
        self._placed: dict[str, NDArray[Any]] | None = None
        self._forgets = self.card.keeps != "engine" and bool(names & KEEP_STATE)
        self.takes(
            {
                name: tuple(None if size < 0 else int(size) for size in details["shape_signature"])
                for name, details in self._inputs.items()
            }
        )
        self._settle_shapes()

    def predict(self, data: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the interpreter once; raw outputs by name."""
        if data is not self._placed:
            self._place(data)
        self._interpreter.invoke()
        read = self._interpreter.get_tensor
        return {name: read(index) for name, index in self._indices.items()}

    def reset_engine(self) -> None:
        """Set the interpreter's variables to zero."""
        self._interpreter.reset_all_variables()

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
        if len(self._outputs) > 1:
            return None
        (output,) = self._outputs.values()
        for operator in self._interpreter._get_ops_details():
            if operator["op_name"] == "DEQUANTIZE" and output["index"] in operator["outputs"]:
                output = self._tensors()[int(operator["inputs"][0])]
        return None if output["dtype"] == np.float32 else float(output["quantization"][0])

    def weights(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Kernels as the file stores them, without biases and the normalisation."""
        for tensor in self._constants():
            if np.prod(tensor["shape"]) > max(tensor["shape"]):
                yield tensor["name"], self._interpreter.get_tensor(tensor["index"])

    def encode(self, inputs: Inputs) -> dict[str, NDArray[Any]]:
        """The inputs in the engine's types, and at their place in it.

        The engine reads only from its own memory, so that they must get there before the engine is
        called. ``predict`` does it again where others came in between.
        """
        if self._forgets:
            # Its recurrent layers go on from their last state, even those of a network that does
            # not: each frame would depend on all before.
            self._interpreter.reset_all_variables()
        data = {name: quantised(values, self._inputs[name]) for name, values in inputs.items()}
        self._place(data)
        return data

    def decode(self, output: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """From the outputs' types."""
        return {name: as_floats(values, self._outputs[name]) for name, values in output.items()}

    def _place(self, data: dict[str, NDArray[Any]]) -> None:
        """Copy encoded inputs to the interpreter's."""
        for name, values in data.items():
            self._interpreter.set_tensor(self._inputs[name]["index"], values)
        self._placed = data

    def _settle_shapes(self) -> None:
        """Give free sizes of the inputs what the card gives: a batch of 1, its picture's size."""
        seen = self.engine_shapes()
        resized = False
        for name, details in self._inputs.items():
            shape = seen.get(name, details["shape"])
            if tuple(details["shape"]) != tuple(shape):
                self._interpreter.resize_tensor_input(details["index"], shape)
                resized = True
        if resized:
            try:
                self._interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                line = " ".join(str(error).split())
                raise DataError(f"{self.artifact} takes no single frame: {line}") from error

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
        made = {int(details["index"]) for details in self._inputs.values()}
        made.update(int(index) for operator in operators for index in operator["outputs"])
        used = {
            int(index)
            for operator in operators
            if operator["op_name"] not in ("DELEGATE", "RESHAPE")
            for index in operator["inputs"]
        }
        return [tensor for index, tensor in self._tensors().items() if index in used - made]


def refuse_flex(interpreter: Any, file: Path) -> set[str]:
    """Names of a network's operators, none of which is TensorFlow's.

    Raises:
        DataError: It needs TensorFlow's own ("Flex"), which only its first call would tell.
    """
    names = {str(operator["op_name"]) for operator in interpreter._get_ops_details()}
    if strange := sorted(name for name in names if name.startswith("Flex")):
        raise DataError(
            f"{file} needs TensorFlow operators ({', '.join(strange)}): convert it anew from the "
            "network it was made from, without them"
        )
    return names


def ends(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Details of a network's inputs and outputs, by the names of its signature.

    Those survive a conversion, which may turn the outputs' order about; a file without a signature
    has the tensors' names.
    """
    details = interpreter.get_input_details(), interpreter.get_output_details()
    signatures = interpreter._get_full_signature_list()
    if not signatures:
        inputs, outputs = ({str(one["name"]): one for one in some} for some in details)
        return inputs, outputs
    signature = signatures.get(SIGNATURE) or next(iter(signatures.values()))
    inputs, outputs = (
        {name: by_index[index] for name, index in signature[kind].items() if index in by_index}
        for kind, some in zip(("inputs", "outputs"), details, strict=True)
        for by_index in [{int(one["index"]): one for one in some}]
    )
    return inputs, outputs


def quantised(values: NDArray[np.float32], details: dict[str, Any]) -> NDArray[Any]:
    """To an input's type; integers by q = round(x / scale) + zero point, clipped."""
    kind = details["dtype"]
    if kind == np.float32:
        return values
    if not np.issubdtype(kind, np.integer):
        return values.astype(kind)
    scale, zero_point = details["quantization"]
    limits = np.iinfo(kind)
    # An integer without a scale is one as it is: a picture of 0 to 255.
    numbers = np.rint(values / (scale or 1.0)) + zero_point
    return np.asarray(np.clip(numbers, limits.min, limits.max), kind)


def as_floats(values: NDArray[Any], details: dict[str, Any]) -> NDArray[np.float32]:
    """From an output's type; integers by x = (q - zero point) * scale."""
    if not np.issubdtype(details["dtype"], np.integer):
        return np.asarray(values, np.float32)
    scale, zero_point = details["quantization"]
    return np.asarray((values.astype(np.float32) - zero_point) * (scale or 1.0), np.float32)


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
