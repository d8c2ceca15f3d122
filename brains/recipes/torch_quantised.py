"""Integer versions of a torch network (FX graph mode): ranges, rounding, conversion.

Activations take 7 of 8 bits, as torch's x86 kernels want it: on processors without VNNI
instructions, sums of products of two 8-bit numbers overflow 16 bits.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.recipes.torch import example, quietly, torchscript
from brains.torch_pilotnet import load_network, pytorch, to_tensor, without_normalisation
from brains.workshop import Workshop

# A margin about the scale of [0, 1] that holds for all commands: the whole range of steering stays
# within reach, whatever the calibration frames show, in steps of 0.08 m/s and 0.06 rad/s.
OUTPUT_LOW, OUTPUT_HIGH = -0.1, 1.0
CALIBRATION_BATCH = 50


def dynamic_range(workshop: Workshop) -> None:
    """Dense layers with int8 weights, their inputs quantised as they come; the rest is float32."""
    torch = pytorch()
    network = load_network(workshop.weights())
    with quietly():
        network = torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear})
        workshop.target.write_bytes(torchscript(network))


def static(workshop: Workshop) -> None:
    """Weights and activations as int8, with ranges measured on the calibration frames."""
    network = without_normalisation(load_network(workshop.weights()))
    observed = prepared(network, example(), aware=False)
    calibrate(observed, workshop.calibration())
    workshop.target.write_bytes(torchscript(to_integers(observed)))


def prepared(network: Any, example: Any, *, aware: bool) -> Any:
    """The network with observers of its activations' ranges.

    Args:
        network: A torch Sequential that ends in a dense layer.
        example: An input.
        aware: It also rounds weights and activations as the integer network will, for training.
    """
    from torch.ao import quantization  # noqa: PLC0415 - imports torch
    from torch.ao.quantization import quantize_fx  # noqa: PLC0415

    if aware:
        mapping = quantization.get_default_qat_qconfig_mapping("x86")
        prepare = quantize_fx.prepare_qat_fx
    else:
        mapping = quantization.get_default_qconfig_mapping("x86")
        # Whole ranges: torch's default cuts off rare values, and the squared error of the answers
        # then grows by 12 % over the float network's instead of 6 %.
        whole = quantization.MinMaxObserver.with_args(reduce_range=True)
        mapping.set_global(mapping.global_qconfig._replace(activation=whole))
        prepare = quantize_fx.prepare_fx
    last = str(len(network) - 1)
    mapping.set_module_name(last, _output_qconfig(mapping.global_qconfig, aware))
    with quietly():
        graph = _with_flatten_as_function(network).train(aware)
        return prepare(graph, mapping, (example,))


def calibrate(observed: Any, images: NDArray[np.float32]) -> None:
    """Show a prepared network normalised images, (n, 66, 200, 3), so that it knows its ranges."""
    with pytorch().no_grad():
        for first in range(0, len(images), CALIBRATION_BATCH):
            observed(to_tensor(images[first : first + CALIBRATION_BATCH]))


def to_integers(observed: Any) -> Any:
    """The integer network of a prepared one; takes and gives floats."""
    from torch.ao.quantization import quantize_fx  # noqa: PLC0415 - imports torch

    with quietly():
        return quantize_fx.convert_fx(observed.eval())


def _output_qconfig(qconfig: Any, aware: bool) -> Any:
    """As ``qconfig``, but outputs in all 8 bits of a fixed range: no kernel multiplies them."""
    torch = pytorch()
    from torch.ao.quantization import fake_quantize, observer  # noqa: PLC0415 - imports torch

    scale = (OUTPUT_HIGH - OUTPUT_LOW) / 255
    fixed = observer.FixedQParamsObserver.with_args(
        scale=scale,
        zero_point=round(-OUTPUT_LOW / scale),
        dtype=torch.quint8,
        quant_min=0,
        quant_max=255,
    )
    activation = fake_quantize.FixedQParamsFakeQuantize.with_args(observer=fixed)
    return qconfig._replace(activation=activation if aware else fixed)


def _with_flatten_as_function(network: Any) -> Any:
    """The network's graph; torch converts the function flatten to integers, not the module."""
    torch = pytorch()
    traced = torch.fx.symbolic_trace(network)
    for node in traced.graph.nodes:
        if node.op == "call_module" and isinstance(network[int(node.target)], torch.nn.Flatten):
            with traced.graph.inserting_before(node):
                function = traced.graph.call_function(torch.flatten, (*node.args, 1))
            node.replace_all_uses_with(function)
            traced.graph.erase_node(node)
    traced.recompile()
    return traced
