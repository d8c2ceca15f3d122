"""A network as ONNX, whatever its file is: one graph that all engines that read ONNX start from.

The graph takes one sample (batch 1), is of an opset that knows quantisation by channel, names its
inputs and outputs as the file does, and tells no shapes of what is between: quantisers add nodes,
and stumble over what was said of others. Beside ONNX a process brings the framework of one kind of
file: that converts it.
"""

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, version_converter

from brains.source import SourceKind
from brains.workshop import Workshop
from harness.errors import DataError, one_line

OPSET = 18
"""Below 13, quantisation by channel makes an invalid graph."""
_BATCH = 1


def hub(workshop: Workshop) -> None:
    """Write the graph; by the card's own maker, if it names one.

    Raises:
        DataError: The file can't be turned into ONNX; says which tool refused, and why.
    """
    maker = workshop.own_hub
    if maker is not None:
        module, _, name = maker.partition(":")
        onnx.save(getattr(importlib.import_module(module), name)(workshop), workshop.target)
        return
    try:
        graph = _MAKERS[workshop.kind](workshop)
    except DataError:
        raise
    except Exception as error:
        # Each of the converters raises whatever it stumbles over.
        name = f"{workshop.source.name} ({workshop.kind.value})"
        raise DataError(f"{name} can't be turned into ONNX: {one_line(error)}") from error
    onnx.save(normalised(graph, workshop.view.shapes()), workshop.target)


def normalised(model: Any, seen: Mapping[str, Sequence[int]]) -> Any:
    """The graph of one sample, of a known opset, its true output shapes, nothing between told.

    Args:
        model: ONNX model.
        seen: Shape of each input as the view gives it, for sizes that the graph leaves open.
    """
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if opset < OPSET:
        model = version_converter.convert_version(model, OPSET)
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    # Older files repeat their weights among the inputs.
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)
    for value in graph.input:
        _fix(value, _shape_seen(value.name, len(inputs), seen))
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    del graph.value_info[:]
    _tell_output_shapes(model)
    onnx.checker.check_model(model)
    return model


def _shape_seen(name: str, count: int, seen: Mapping[str, Sequence[int]]) -> Sequence[int] | None:
    if name in seen:
        return seen[name]
    return next(iter(seen.values())) if count == len(seen) == 1 else None


def _fix(value: Any, seen: Sequence[int] | None) -> None:
    """Give an input's free sizes: the batch 1, others as in the view with its channels placed."""
    dims = value.type.tensor_type.shape.dim
    sizes = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in dims]
    wanted = list(seen) if seen is not None and len(seen) == len(sizes) else [0] * len(sizes)
    # Channels first: what is told of the channels decides.
    if len(sizes) >= 4 and sizes[-3] == wanted[-1] != sizes[-1]:
        wanted = [*wanted[:-3], wanted[-1], *wanted[-3:-1]]
    for index, dim in enumerate(dims):
        if index == 0:
            dim.dim_value = _BATCH
        elif sizes[index] <= 0:
            dim.dim_value = wanted[index] or 1


def _tell_output_shapes(model: Any) -> None:
    """State the shapes that the outputs have: files may say others, or none."""
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    shapes = {value.name: value for value in inferred.graph.output}
    open_ones = [
        value.name
        for value in inferred.graph.output
        if not value.type.tensor_type.HasField("shape")
        or any(not dim.HasField("dim_value") for dim in value.type.tensor_type.shape.dim)
    ]
    measured = _measured(model) if open_ones else {}
    for value in model.graph.output:
        if value.name in measured:
            shape, kind = measured[value.name], value.type.tensor_type.elem_type
            value.CopyFrom(helper.make_tensor_value_info(value.name, kind, shape))
        else:
            value.CopyFrom(shapes[value.name])


def _measured(model: Any) -> dict[str, tuple[int, ...]]:
    """Shapes of the outputs, by running the graph once."""
    import onnxruntime  # noqa: PLC0415 - seldom needed

    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    given = {
        value.name: np.zeros(
            [dim.dim_value for dim in value.type.tensor_type.shape.dim],
            helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type),
        )
        for value in model.graph.input
    }
    names = [value.name for value in model.graph.output]
    return {n: tuple(np.shape(v)) for n, v in zip(names, session.run(names, given), strict=True)}


def _from_onnx(workshop: Workshop) -> Any:
    return onnx.load(workshop.source)


def _from_tensorflow(workshop: Workshop) -> Any:
    from brains.recipes.tf_source import tf_source  # noqa: PLC0415 - imports tensorflow
    from brains.tf_network import output_names, tensorflow  # noqa: PLC0415

    tf = tensorflow()
    source = tf_source(workshop)
    function = source.function
    convert = _tf2onnx()
    specs = source.specs
    model, _ = convert.from_function(
        tf.function(function, autograph=False), input_signature=specs, opset=OPSET
    )
    names = ([spec.name for spec in specs], output_names(function))
    return renamed(model, *names)


def _from_tflite(workshop: Workshop) -> Any:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - not for other kinds

    interpreter = Interpreter(model_path=str(workshop.source), num_threads=1)
    model, _ = _tf2onnx().from_tflite(str(workshop.source), opset=OPSET)
    by_index = {int(t["index"]): t["name"] for t in interpreter.get_tensor_details()}
    signatures = interpreter._get_full_signature_list()
    if not signatures:
        return model
    signature = next(iter(signatures.values()))
    # The graph names its ends as the file's tensors, in the file's order, which may be any.
    names = {
        by_index[int(index)]: name
        for ends in (signature["inputs"], signature["outputs"])
        for name, index in ends.items()
    }
    ends = ([value.name for value in side] for side in (model.graph.input, model.graph.output))
    return renamed(model, *([names.get(name, name) for name in side] for side in ends))


def _from_torch(workshop: Workshop) -> Any:
    from brains.recipes.torch import quietly, torch_source  # noqa: PLC0415 - imports torch
    from brains.torch_network import named_outputs, pytorch  # noqa: PLC0415

    torch = pytorch()
    source = torch_source(workshop)
    with torch.no_grad(), quietly():
        outputs = list(named_outputs(source.network(*source.example)))
        path = workshop.scratch / "exported.onnx"
        torch.onnx.export(
            source.network,
            source.example,
            str(path),
            input_names=source.inputs,
            output_names=outputs,
            opset_version=OPSET,
            # The exporter that takes a ScriptModule, and needs no further packages.
            dynamo=False,
        )
    return onnx.load(path)


def renamed(model: Any, inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """The graph with other names for its ends, in their order."""
    graph = model.graph
    ends = [*zip(graph.input, inputs, strict=True), *zip(graph.output, outputs, strict=True)]
    names = {value.name: name for value, name in ends if value.name != name}
    taken = {name for node in graph.node for name in (*node.input, *node.output)} - names.keys()
    # What happens to be called so inside gets out of the way.
    away = {name: f"{name}/inside" for name in taken & set(names.values())}
    for node in _all_nodes(graph):
        for side in (node.input, node.output):
            side[:] = [names.get(name, away.get(name, name)) for name in side]
    for tensor in graph.initializer:
        tensor.name = away.get(tensor.name, tensor.name)
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    del graph.value_info[:]
    return model


def _all_nodes(graph: Any) -> Any:
    """Nodes of a graph and of the graphs in its loops and branches."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _all_nodes(attribute.g)


def _tf2onnx() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import logging  # noqa: PLC0415 - for tf2onnx alone

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    return importlib.import_module("tf2onnx.convert")


_Maker = Callable[[Workshop], Any]
_MAKERS: dict[SourceKind, _Maker] = {
    SourceKind.ONNX: _from_onnx,
    SourceKind.TFLITE: _from_tflite,
    **dict.fromkeys(
        (SourceKind.KERAS_WEIGHTS, SourceKind.KERAS2, SourceKind.KERAS3, SourceKind.SAVEDMODEL),
        _from_tensorflow,
    ),
    **dict.fromkeys(
        (SourceKind.TORCHSCRIPT, SourceKind.TORCH_EXPORT, SourceKind.TORCH_WEIGHTS), _from_torch
    ),
}


def input_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shape of each input of a graph's file, by name."""
    graph = onnx.load(path, load_external_data=False).graph
    return {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in graph.input
    }
