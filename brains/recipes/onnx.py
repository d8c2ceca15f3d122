"""PilotNet as ONNX files, drawn straight from the weights: no TensorFlow takes part.

The graph takes images as every engine here gets them, (1, 66, 200, 3), and turns them itself, so
that an engine's time holds all that its layout costs.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)

from brains.pilotnet import CONVOLUTIONS, EPSILON, read_weights
from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH
from brains.workshop import Workshop

INPUT, OUTPUT = "image", "command"
OPSET, IR_VERSION = 21, 10

PRODUCTS = ["Conv", "Gemm"]
LAST_PRODUCTS = ("dense2", "dense3", "dense4")
"""The last three layers: 0.03 % of the weights, kept in float; docs/guides/models.md says why."""


class _Chain:
    """Nodes and weights of a graph in which each operator takes the last one's output."""

    def __init__(self, start: str) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._last = start

    def add(self, kind: str, name: str, *weights: NDArray[Any], **attributes: Any) -> None:
        """Append an operator ``kind`` that takes ``weights`` as its further inputs."""
        names = [f"{name}/{index}" for index in range(len(weights))]
        self.weights += map(numpy_helper.from_array, weights, names)
        self.nodes.append(helper.make_node(kind, [self._last, *names], [name], name, **attributes))
        self._last = name


def pilotnet_graph(weights: list[NDArray[np.float32]], *, half: bool = False) -> Any:
    """PilotNet as an ONNX model that takes and gives float32.

    Args:
        weights: In Keras' order: gamma, beta, mean and variance of the leading
            BatchNormalization, then kernel and bias of each layer.
        half: All from the first convolution to the last product is float16.
    """
    kind = np.float16 if half else np.float32
    gamma, beta, mean, variance = weights[:4]
    layers = list(zip(weights[4::2], weights[5::2], strict=True))
    chain = _Chain(INPUT)
    gain = gamma / np.sqrt(variance + EPSILON)
    # Repeated over a row: engines are slow to broadcast three values.
    chain.add("Mul", "gain", np.tile(gain, (INPUT_WIDTH, 1)))
    chain.add("Add", "offset", np.tile(beta - mean * gain, (INPUT_WIDTH, 1)))
    if half:
        chain.add("Cast", "halved", to=TensorProto.FLOAT16)
    chain.add("Transpose", "channels_first", perm=[0, 3, 1, 2])
    for index, (_, _, stride) in enumerate(CONVOLUTIONS):
        kernel, bias = (values.astype(kind) for values in layers[index])
        kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        chain.add("Conv", f"conv{index}", kernel, bias, auto_pad="SAME_UPPER", strides=[stride] * 2)
        chain.add("Relu", f"conv{index}/relu")
    # Keras flattens with the channels last.
    chain.add("Transpose", "channels_last", perm=[0, 2, 3, 1])
    chain.add("Reshape", "flat", np.array([1, -1], np.int64))
    dense = layers[len(CONVOLUTIONS) :]
    for index, (kernel, bias) in enumerate(dense):
        chain.add("Gemm", f"dense{index}", kernel.astype(kind), bias.astype(kind))
        if index + 1 < len(dense):
            chain.add("Relu", f"dense{index}/relu")
    if half:
        chain.add("Cast", "whole", to=TensorProto.FLOAT)
    chain.nodes[-1].output[0] = OUTPUT
    image = helper.make_tensor_value_info(
        INPUT, TensorProto.FLOAT, (1, INPUT_HEIGHT, INPUT_WIDTH, 3)
    )
    command = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, (1, 2))
    model = helper.make_model(
        helper.make_graph(chain.nodes, "pilotnet", [image], [command], chain.weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model)
    return model


def float32(workshop: Workshop) -> None:
    """Weights and arithmetic in float32."""
    onnx.save(pilotnet_graph(read_weights(workshop.weights())), workshop.target)


def static_int8(workshop: Workshop) -> None:
    """Static quantisation: int8 weights for each channel, uint8 activations.

    Input and output stay in float; so do the last products, and with them the answer's fineness.
    """
    _quantise(workshop, workshop.target, QuantType.QUInt8)


def symmetric_int8(workshop: Workshop, target: Path) -> None:
    """The same as TensorRT takes it: activations are int8 about zero, biases float.

    Only what products take is rounded, not what they give: there TensorRT adds bias and ReLU.
    """
    settings: dict[str, Any] = {"ActivationSymmetric": True, "WeightSymmetric": True}
    settings |= {"QuantizeBias": False, "OpTypesToExcludeOutputQuantization": PRODUCTS}
    _quantise(workshop, target, QuantType.QInt8, PRODUCTS, settings)


def _quantise(
    workshop: Workshop,
    target: Path,
    activations: QuantType,
    operators: list[str] | None = None,
    settings: dict[str, Any] | None = None,
) -> None:
    graph, prepared = (workshop.scratch / name for name in ("graph.onnx", "prepared.onnx"))
    onnx.save(pilotnet_graph(read_weights(workshop.weights())), graph)
    quant_pre_process(graph, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        target,
        _Frames(workshop.calibration()),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=activations,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=operators,
        nodes_to_exclude=["gain", "offset", *LAST_PRODUCTS],
        extra_options=settings,
    )


class _Frames(CalibrationDataReader):  # type: ignore[misc]
    """Calibration frames one by one, as ONNX Runtime asks for them."""

    def __init__(self, frames: NDArray[np.float32]) -> None:
        self._frames: Iterator[NDArray[np.float32]] = iter(frames)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        frame = next(self._frames, None)
        return None if frame is None else {INPUT: frame[np.newaxis]}
