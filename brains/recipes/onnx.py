"""ONNX versions of any network: float, and quantised by ONNX Runtime's tools.

All start from the network's graph as ``brains.recipes.hub`` makes it.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_dynamic,
    quantize_static,
)

from brains.layouts import Inputs, arranged, with_states
from brains.recipes.hub import input_shapes
from brains.workshop import Workshop
from harness.errors import DataError

PRODUCTS = ["Conv", "Gemm"]
LARGE_SHARE = 0.1
"""A dense layer of this share of all weights or more is worth packing."""
INT8_LEVEL = 4
"""``accuracy_level`` by which ``MatMulNBits`` takes its input as int8."""
BLOCK = 64
"""Weights that share a scale where they have 4 bits."""


def float32(workshop: Workshop) -> None:
    """Weights and arithmetic in float32."""
    shutil.copyfile(workshop.hub(), workshop.target)


def dynamic_int8(workshop: Workshop) -> None:
    """Weights as int8, what products take quantised as it comes; no calibration."""
    prepared = _prepared(workshop)
    quantize_dynamic(prepared, workshop.target, weight_type=QuantType.QInt8, per_channel=True)


def static_int8(workshop: Workshop) -> None:
    """Static quantisation: int8 weights for each channel, uint8 activations.

    Input and output stay in float; so do the nodes that ``float_nodes`` of ``recipe_options``
    names.
    """
    _quantise(workshop, workshop.target, QuantType.QUInt8)


def blockwise_int4(workshop: Workshop) -> None:
    """As ``static_int8``, but large dense layers have 4-bit weights with a scale for each block.

    Half the memory to read. Their activations become int8 as the engine goes.

    Raises:
        DataError: The network has no such layer.
    """
    whole = workshop.scratch / "whole.onnx"
    large = large_products(onnx.load(workshop.hub()))
    if not large:
        raise DataError(
            f"{workshop.title} has no dense layer that holds {LARGE_SHARE:.0%} of its weights: "
            "there is nothing to pack into 4 bits"
        )
    _quantise(workshop, whole, QuantType.QUInt8, excluded=large)
    model = onnx.load(whole)
    for name in large:
        pack(model.graph, name)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, workshop.target)


def symmetric_int8(workshop: Workshop, target: Path) -> None:
    """The same as TensorRT takes it: activations are int8 about zero, biases float.

    Only what products take is rounded, not what they give: there TensorRT adds bias and ReLU.
    """
    settings: dict[str, Any] = {"ActivationSymmetric": True, "WeightSymmetric": True}
    settings |= {"QuantizeBias": False, "OpTypesToExcludeOutputQuantization": PRODUCTS}
    _quantise(workshop, target, QuantType.QInt8, PRODUCTS, settings)


def halved(model: Any, float_nodes: Sequence[str]) -> Any:
    """The graph in float16; inputs and answers, and the named nodes, stay float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16  # noqa: PLC0415 - slow

    return convert_float_to_float16(model, keep_io_types=True, node_block_list=list(float_nodes))


def _prepared(workshop: Workshop) -> Path:
    """The graph with its constants folded, as quantisers like it."""
    prepared = workshop.scratch / "prepared.onnx"
    quant_pre_process(workshop.hub(), prepared, skip_symbolic_shape=True)
    return prepared


def _quantise(
    workshop: Workshop,
    target: Path,
    activations: QuantType,
    operators: list[str] | None = None,
    settings: dict[str, Any] | None = None,
    excluded: Sequence[str] = (),
) -> None:
    prepared = _prepared(workshop)
    quantize_static(
        prepared,
        target,
        _Frames(_calibration(workshop, prepared)),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=activations,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=operators,
        nodes_to_exclude=[*workshop.options.get("float_nodes", []), *excluded],
        extra_options=settings,
    )


def _calibration(workshop: Workshop, graph: Path) -> Iterator[Inputs]:
    """Calibration frames as the graph takes them; with its state, where it has one."""
    shapes, keeps = input_shapes(graph), workshop.card.keeps
    if not isinstance(keeps, dict):
        return (arranged(sample, shapes) for sample in workshop.calibration())
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def answer(given: Inputs) -> Inputs:
        return dict(zip(names, session.run(None, given), strict=True))

    return iter(with_states(workshop.calibration_sequences(), shapes, keeps, answer))


def large_products(model: Any) -> list[str]:
    """Names of the dense layers that hold a tenth of the graph's weights or more."""
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in model.graph.initializer}
    total = sum(sizes.values())
    return [
        node.name
        for node in model.graph.node
        if _is_dense(node) and sizes.get(node.input[1], 0) >= LARGE_SHARE * total
    ]


def _is_dense(node: Any) -> bool:
    """Whether a node is a product that ``MatMulNBits`` can compute."""
    if node.op_type == "MatMul":
        return True
    settings = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    plain = settings.get("alpha", 1.0) == settings.get("beta", 1.0) == 1.0
    return node.op_type == "Gemm" and plain and not settings.get("transA", 0)


def pack(graph: Any, name: str) -> None:
    """Replace a float ``Gemm`` or ``MatMul`` by ONNX Runtime's ``MatMulNBits``."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    (product,) = (node for node in graph.node if node.name == name)
    given, kernel, *bias = product.input
    values = numpy_helper.to_array(tensors[kernel])
    settings = {a.name: helper.get_attribute_value(a) for a in product.attribute}
    if settings.get("transB", 0):
        values = np.ascontiguousarray(values.T)
    graph.initializer.remove(tensors[kernel])
    names = [f"{name}/packed", f"{name}/scales"]
    packed, scales = block_int4(values)
    graph.initializer.append(numpy_helper.from_array(packed, names[0]))
    graph.initializer.append(numpy_helper.from_array(scales, names[1]))
    inputs, units = values.shape
    # Zero points and group indices are not given.
    further = ["", "", *bias] if bias else []
    replacement = helper.make_node(
        *("MatMulNBits", [given, *names, *further], list(product.output), name),
        domain="com.microsoft",
        **{"K": inputs, "N": units, "bits": 4, "block_size": BLOCK, "accuracy_level": INT8_LEVEL},
    )
    product.CopyFrom(replacement)


def block_int4(kernel: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Weights in 4 bits, symmetric about 8, as ``MatMulNBits`` takes them.

    Args:
        kernel: (inputs, units); a last block that is not whole is filled up with zeros.

    Returns:
        Packed weights (units, blocks, BLOCK / 2), the earlier weight in the lower half of a byte;
        scales (units * blocks,).
    """
    kernel = np.pad(kernel, ((0, -len(kernel) % BLOCK), (0, 0)))
    rows = kernel.T.reshape(kernel.shape[1], -1, BLOCK)
    extreme = np.take_along_axis(rows, np.abs(rows).argmax(-1, keepdims=True), -1)
    # The value farthest from zero becomes -8, of which there is no positive counterpart.
    scales = np.asarray(extreme / -8, np.float32)
    steps = np.divide(rows, scales, out=np.zeros_like(rows), where=scales != 0)
    codes = np.clip(np.rint(steps) + 8, 0, 15).astype(np.uint8)
    return codes[..., ::2] | codes[..., 1::2] << 4, scales.ravel()


class _Frames(CalibrationDataReader):  # type: ignore[misc]
    """Calibration inputs one by one, as ONNX Runtime asks for them."""

    def __init__(self, samples: Iterator[Inputs]) -> None:
        self._samples = samples

    def get_next(self) -> Inputs | None:
        return next(self._samples, None)
