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

from brains.pilotnet_file import CONVOLUTIONS, EPSILON, read_weights
from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH
from brains.workshop import Workshop

INPUT, OUTPUT = "image", "command"
OPSET, IR_VERSION = 21, 10

PRODUCTS = ["Conv", "Gemm"]
LAST_PRODUCTS = ("dense2", "dense3", "dense4")
"""The last three layers: 0.03 % of the weights, kept in float; docs/guides/models.md says why."""
LARGEST_PRODUCT = "dense0"
"""The layer of 99 % of the weights, whose time is that of reading them."""
INT8_LEVEL = 4
"""``accuracy_level`` by which ``MatMulNBits`` takes its input as int8."""
BLOCK = 64
"""Weights that share a scale where they have 4 bits; the layer's inputs are 225 blocks."""


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


def blockwise_int4(workshop: Workshop) -> None:
    """As ``static_int8``, but the largest layer has 4-bit weights with a scale for each block.

    Half the memory to read. Its activations become int8 as the engine goes.
    """
    whole = workshop.scratch / "whole.onnx"
    _quantise(workshop, whole, QuantType.QUInt8, excluded=(*LAST_PRODUCTS, LARGEST_PRODUCT))
    model = onnx.load(whole)
    _pack(model.graph, LARGEST_PRODUCT)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, workshop.target)


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
    excluded: tuple[str, ...] = LAST_PRODUCTS,
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
        nodes_to_exclude=["gain", "offset", *excluded],
        extra_options=settings,
    )


def _pack(graph: Any, name: str) -> None:
    """Replace a float ``Gemm`` by ONNX Runtime's ``MatMulNBits``."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    (gemm,) = (node for node in graph.node if node.name == name)
    given, kernel, bias = gemm.input
    values = numpy_helper.to_array(tensors[kernel])
    graph.initializer.remove(tensors[kernel])
    names = [f"{name}/packed", f"{name}/scales"]
    packed, scales = block_int4(values)
    graph.initializer.append(numpy_helper.from_array(packed, names[0]))
    graph.initializer.append(numpy_helper.from_array(scales, names[1]))
    inputs, units = values.shape
    # Zero points and group indices are not given.
    product = helper.make_node(
        *("MatMulNBits", [given, *names, "", "", bias], list(gemm.output), name),
        domain="com.microsoft",
        **{"K": inputs, "N": units, "bits": 4, "block_size": BLOCK, "accuracy_level": INT8_LEVEL},
    )
    gemm.CopyFrom(product)


def block_int4(kernel: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Weights in 4 bits, symmetric about 8, as ``MatMulNBits`` takes them.

    Args:
        kernel: (inputs, units); the inputs are whole blocks.

    Returns:
        Packed weights (units, blocks, BLOCK / 2), the earlier weight in the lower half of a byte;
        scales (units * blocks,).
    """
    rows = kernel.T.reshape(kernel.shape[1], -1, BLOCK)
    extreme = np.take_along_axis(rows, np.abs(rows).argmax(-1, keepdims=True), -1)
    # The value farthest from zero becomes -8, of which there is no positive counterpart.
    scales = np.asarray(extreme / -8, np.float32)
    steps = np.divide(rows, scales, out=np.zeros_like(rows), where=scales != 0)
    codes = np.clip(np.rint(steps) + 8, 0, 15).astype(np.uint8)
    return codes[..., ::2] | codes[..., 1::2] << 4, scales.ravel()


class _Frames(CalibrationDataReader):  # type: ignore[misc]
    """Calibration frames one by one, as ONNX Runtime asks for them."""

    def __init__(self, frames: NDArray[np.float32]) -> None:
        self._frames: Iterator[NDArray[np.float32]] = iter(frames)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        frame = next(self._frames, None)
        return None if frame is None else {INPUT: frame[np.newaxis]}
