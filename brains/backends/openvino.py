"""OpenVINO networks, run on the CPU."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from brains.model import ModelSpec
from brains.network import EngineProof, Inputs, NetworkBrain
from harness.errors import DataError, UnavailableError

NETWORK_FILE = "network.xml"
DEVICE = "CPU"
NOT_EXECUTED = ("Input", "Output", "Const")


class OpenVinoBrain(NetworkBrain):
    """A network in a folder of network.xml and network.bin.

    The option ``precision`` (``f32`` or ``bf16``) is what the engine uses for the operators that
    are not quantised; it is stated because OpenVINO's own choice depends on the machine.
    """

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        core = openvino.Core()
        precision = str(model.options["precision"])
        if precision == "bf16" and "BF16" not in core.get_property(
            DEVICE, "OPTIMIZATION_CAPABILITIES"
        ):
            raise UnavailableError(f"model {model.name} needs a CPU with bfloat16 (avx512_bf16)")
        try:
            self._network = core.read_model(artifact / NETWORK_FILE)
            self._settle_shapes()
            self._compiled = core.compile_model(
                self._network,
                DEVICE,
                {
                    "INFERENCE_PRECISION_HINT": precision,
                    "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_NUM_THREADS": self.threads or 0,
                },
            )
        except RuntimeError as error:
            line = " ".join(str(error).split())
            raise DataError(f"{artifact} is no OpenVINO network that runs here: {line}") from error
        self._request = self._compiled.create_infer_request()
        self._answers: dict[str, NDArray[Any]] = {
            port.any_name: self._request.get_output_tensor(index).data
            for index, port in enumerate(self._compiled.outputs)
        }

    def encode(self, inputs: Inputs) -> Any:
        """The engine's view of the inputs; nothing is copied."""
        return {
            name: openvino.Tensor(np.ascontiguousarray(values), shared_memory=True)
            for name, values in inputs.items()
        }

    def predict(self, data: Any) -> dict[str, NDArray[Any]]:
        """Run one request; its answers by name, overwritten by the next call."""
        for name, tensor in data.items():
            self._request.set_tensor(name, tensor)
        self._request.infer()
        return self._answers

    def decode(self, output: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """As floats."""
        return {name: np.asarray(values, np.float32) for name, values in output.items()}

    def _settle_shapes(self) -> None:
        """Decide what goes where; give free sizes of the inputs what the card gives."""
        ports = {port.any_name: port for port in self._network.inputs}
        self.takes(
            {
                name: tuple(
                    None if size.is_dynamic else int(size.get_length())
                    for size in port.get_partial_shape()
                )
                for name, port in ports.items()
            }
        )
        if any(port.get_partial_shape().is_dynamic for port in ports.values()):
            shapes = self.engine_shapes()
            self._network.reshape({ports[name]: list(shape) for name, shape in shapes.items()})

    def engine(self) -> EngineProof:
        """Device, executed operators by their precision, parameters."""
        return {
            "engine": "openvino",
            "engine_version": str(openvino.get_version()),
            "device": str(openvino.Core().get_property(DEVICE, "FULL_DEVICE_NAME")),
            "operators": self._operators(),
            "parameters": sum(values.size for _, values in self.weights()),
        }

    def weights(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """The file's tensors, less indices, scales and limits of quantisation."""
        for node in self._network.get_ordered_ops():
            if node.get_type_name() == "Constant" and not _is_auxiliary(node):
                yield node.get_friendly_name(), node.data

    def _operators(self) -> dict[str, dict[str, int]]:
        """Operators of the compiled network, by kernel family and precision of arithmetic."""
        counts: dict[str, Counter[str]] = {}
        for node in self._compiled.get_runtime_model().get_ordered_ops():
            facts = node.get_rt_info()
            kind, kernel = (facts[name].astype(str) for name in ("layerType", "primitiveType"))
            if kind not in NOT_EXECUTED:
                counts.setdefault(kernel, Counter())[kind] += 1
        return {kernel: dict(count) for kernel, count in counts.items()}


def _is_auxiliary(constant: Any) -> bool:
    """Whether a constant only says how others are reshaped, scaled or quantised."""
    kind = constant.get_element_type()
    if constant.data.size == 1 or (kind.is_integral_number() and kind.size > 1):
        return True
    (user, *_) = (port.get_node() for port in constant.output(0).get_target_inputs())
    if user.get_type_name() == "FakeQuantize":
        return True
    # The scale of int8 weights: constant -> Convert -> Multiply <- scale.
    return user.get_type_name() == "Multiply" and any(
        value.get_node().get_type_name() == "Convert" for value in user.input_values()
    )
