"""Integer versions of a torch network (FX graph mode): ranges, rounding, conversion.

Activations take 7 of 8 bits, as torch's x86 kernels want it: on processors without VNNI
instructions, sums of products of two 8-bit numbers overflow 16 bits.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from brains.recipes.torch import TorchSource, quietly, torch_source, torchscript
from brains.torch_network import pytorch, without_normalisation
from brains.workshop import Workshop
from harness.errors import DataError, one_line

Range = tuple[float, float]

CALIBRATION_BATCH = 50
MARGIN = 0.1
"""Share of its range by which a last layer's outputs may leave what calibration frames showed."""


def dynamic_range(workshop: Workshop) -> None:
    """Dense layers with int8 weights, their inputs quantised as they come; the rest is float32.

    Raises:
        DataError: The network has no dense layers.
    """
    torch = pytorch()
    source = torch_source(workshop)
    if not any(isinstance(module, torch.nn.Linear) for module in source.network.modules()):
        raise DataError(f"{workshop.title} has no dense layer: dynamic range changes nothing else")
    with quietly():
        network = torch.ao.quantization.quantize_dynamic(source.network, {torch.nn.Linear})
        workshop.target.write_bytes(torchscript(network, source.example))


def static(workshop: Workshop) -> None:
    """Weights and activations as int8, with ranges measured on the calibration frames.

    Raises:
        DataError: torch can't follow the network's code.
    """
    source = torch_source(workshop)
    batches = list(calibration_batches(workshop, source))
    network = without_normalisation(source.network)
    ranges = output_ranges(workshop, network, batches)
    observed = prepared(network, source.example, ranges, aware=False)
    calibrate(observed, batches)
    workshop.target.write_bytes(torchscript(to_integers(observed), source.example))


def calibration_batches(workshop: Workshop, source: TorchSource) -> Iterable[tuple[Any, ...]]:
    """The calibration frames as the network takes them, some at a time."""
    samples = workshop.calibration()
    for first in range(0, len(samples), CALIBRATION_BATCH):
        yield source.tensors(samples[first : first + CALIBRATION_BATCH])


def output_ranges(
    workshop: Workshop, network: Any, batches: Sequence[tuple[Any, ...]]
) -> dict[str, Range]:
    """Range of each last dense layer's outputs: the recipe's option, else of calibration frames.

    Whatever the calibration frames show, commands beyond must stay within reach.

    Args:
        workshop: Its option ``output_range`` holds the lowest and the highest output.
        network: The float network.
        batches: Calibration frames.

    Returns:
        Lowest and highest output of each layer, by its module's name.
    """
    torch = pytorch()
    last = last_layers(network)
    given = workshop.options.get("output_range")
    if given is not None:
        return {name: (float(given[0]), float(given[1])) for name in last}
    found: dict[str, list[float]] = {name: [] for name in last}

    def watch(name: str) -> Any:
        def hook(_: Any, __: Any, output: Any) -> None:
            found[name] += [float(output.min()), float(output.max())]

        return hook

    modules = dict(network.named_modules())
    hooks = [modules[name].register_forward_hook(watch(name)) for name in last]
    with torch.no_grad():
        for batch in batches:
            network(*batch)
    for hook in hooks:
        hook.remove()
    ranges = {}
    for name, values in found.items():
        low, high = min(0.0, *values), max(0.0, *values)
        margin = MARGIN * (high - low)
        ranges[name] = (low - margin, high + margin)
    return ranges


def prepared(
    network: Any, example: tuple[Any, ...], ranges: dict[str, Range], *, aware: bool
) -> Any:
    """The network with observers of its activations' ranges.

    Args:
        network: A torch module.
        example: An input each.
        ranges: Of the outputs of the last layers, by their modules' names.
        aware: It also rounds weights and activations as the integer network will, for training.

    Raises:
        DataError: torch can't follow the network's code.
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
    for name, outputs in ranges.items():
        mapping.set_module_name(name, _output_qconfig(mapping.global_qconfig, outputs, aware))
    with quietly():
        graph = _with_flatten_as_function(_traced(network)).train(aware)
        return prepare(graph, mapping, example)


def calibrate(observed: Any, batches: Iterable[tuple[Any, ...]]) -> None:
    """Show a prepared network calibration frames, so that it knows its ranges."""
    with pytorch().no_grad():
        for batch in batches:
            observed(*batch)


def to_integers(observed: Any) -> Any:
    """The integer network of a prepared one; takes and gives floats."""
    from torch.ao.quantization import quantize_fx  # noqa: PLC0415 - imports torch

    with quietly():
        return quantize_fx.convert_fx(observed.eval())


def _traced(network: Any) -> Any:
    """The network's graph.

    Raises:
        DataError: torch can't follow the network's code.
    """
    torch = pytorch()
    try:
        return torch.fx.symbolic_trace(network)
    except Exception as error:
        # The network's own code raises what it likes where it meets a symbol for a tensor.
        raise DataError(f"torch can't follow the network's code: {one_line(error)}") from error


def last_layers(network: Any) -> list[str]:
    """Names of the dense layers whose outputs are the network's, or become so by no product.

    Raises:
        DataError: torch can't follow the network's code.
    """
    torch, graph = pytorch(), _traced(network)
    modules = dict(graph.named_modules())
    (output,) = (node for node in graph.graph.nodes if node.op == "output")
    found: list[str] = []
    pending = list(output.all_input_nodes)
    while pending:
        node = pending.pop()
        if node.op != "call_module":
            # Reshaping, splitting, stacking of what is given.
            shapes = {"flatten", "squeeze", "view", "reshape", "getitem", "cat", "stack", "split"}
            if getattr(node.target, "__name__", str(node.target)) in shapes:
                pending += node.all_input_nodes
        elif isinstance(modules[node.target], torch.nn.Linear):
            found.append(node.target)
    return sorted(set(found))


def _output_qconfig(qconfig: Any, outputs: Range, aware: bool) -> Any:
    """As ``qconfig``, but outputs in all 8 bits of a fixed range: no kernel multiplies them."""
    torch = pytorch()
    from torch.ao.quantization import fake_quantize, observer  # noqa: PLC0415 - imports torch

    low, high = outputs
    scale = (high - low) / 255
    fixed = observer.FixedQParamsObserver.with_args(
        scale=scale,
        zero_point=round(-low / scale),
        dtype=torch.quint8,
        quant_min=0,
        quant_max=255,
    )
    activation = fake_quantize.FixedQParamsFakeQuantize.with_args(observer=fixed)
    return qconfig._replace(activation=activation if aware else fixed)


def _with_flatten_as_function(traced: Any) -> Any:
    """The graph; torch converts the function flatten to integers, not the module."""
    torch = pytorch()
    modules = dict(traced.named_modules())
    for node in traced.graph.nodes:
        flatten = modules.get(node.target) if node.op == "call_module" else None
        if isinstance(flatten, torch.nn.Flatten):
            ends = (
                (flatten.start_dim,)
                if flatten.end_dim == -1
                else (flatten.start_dim, flatten.end_dim)
            )
            with traced.graph.inserting_before(node):
                function = traced.graph.call_function(torch.flatten, (*node.args, *ends))
            node.replace_all_uses_with(function)
            traced.graph.erase_node(node)
    traced.recompile()
    return traced
