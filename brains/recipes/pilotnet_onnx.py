"""PilotNet as an ONNX graph, drawn straight from its weights: no TensorFlow takes part.

The graph takes images as every engine here gets them, (1, 66, 200, 3), and turns them itself, so
that an engine's time holds all that its layout costs.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from brains.pilotnet_file import CONVOLUTIONS, EPSILON, INPUT_HEIGHT, INPUT_WIDTH, read_weights
from brains.workshop import Workshop

INPUT, OUTPUT = "image", "command"
OPSET, IR_VERSION = 21, 10


def hub(workshop: Workshop) -> Any:
    """The graph of the weights that the workshop is given."""
    return pilotnet_graph(read_weights(workshop.source))


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


def pilotnet_graph(weights: list[NDArray[np.float32]]) -> Any:
    """PilotNet as an ONNX model that takes and gives float32.

    Args:
        weights: In Keras' order: gamma, beta, mean and variance of the leading
            BatchNormalization, then kernel and bias of each layer.
    """
    gamma, beta, mean, variance = weights[:4]
    layers = list(zip(weights[4::2], weights[5::2], strict=True))
    chain = _Chain(INPUT)
    gain = gamma / np.sqrt(variance + EPSILON)
    # Repeated over a row: engines are slow to broadcast three values.
    chain.add("Mul", "gain", np.tile(gain, (INPUT_WIDTH, 1)))
    chain.add("Add", "offset", np.tile(beta - mean * gain, (INPUT_WIDTH, 1)))
    chain.add("Transpose", "channels_first", perm=[0, 3, 1, 2])
    for index, (_, _, stride) in enumerate(CONVOLUTIONS):
        kernel, bias = layers[index]
        kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        chain.add("Conv", f"conv{index}", kernel, bias, auto_pad="SAME_UPPER", strides=[stride] * 2)
        chain.add("Relu", f"conv{index}/relu")
    # Keras flattens with the channels last.
    chain.add("Transpose", "channels_last", perm=[0, 2, 3, 1])
    chain.add("Reshape", "flat", np.array([1, -1], np.int64))
    dense = layers[len(CONVOLUTIONS) :]
    for index, (kernel, bias) in enumerate(dense):
        chain.add("Gemm", f"dense{index}", kernel, bias)
        if index + 1 < len(dense):
            chain.add("Relu", f"dense{index}/relu")
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
