"""TensorRT: the graphs that engines are built from, and the code round a library that is not here.

What a played library proves is that errors become one line. Engines need a GPU.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra onnx")
pytest.importorskip("onnxruntime", reason="needs the extra onnx")

import onnx
import onnxruntime

from brains.artifacts import weights_dir
from brains.catalogue import find_model
from brains.pilotnet_file import read_weights
from brains.preprocess import normalise
from brains.recipes.onnx import halved, symmetric_int8
from brains.recipes.pilotnet_onnx import pilotnet_graph
from brains.training.evaluation import read_evaluation
from brains.workshop import Workshop
from harness.errors import DataError, UnavailableError
from tests.brains.played_tensorrt import imported_with, played_tensorrt


def answers(graph: bytes) -> Any:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    images = normalise(read_evaluation().crops[::90])
    return np.concatenate([session.run(None, {"image": i[np.newaxis]})[0] for i in images])


def test_the_float16_graph_answers_as_the_float_network() -> None:
    weights = read_weights(weights_dir() / "pilotnet.npz")
    half = halved(pilotnet_graph(weights), ["gain", "offset"])
    kinds = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
    halves = [name for name in kinds if name.startswith(("conv", "dense"))]
    assert len(halves) == 20
    assert {kinds[name] for name in halves} == {onnx.TensorProto.FLOAT16}
    wanted = answers(pilotnet_graph(weights).SerializeToString())
    assert np.abs(answers(half.SerializeToString()) - wanted).max() < 0.005


def test_the_int8_graph_rounds_about_zero(tmp_path: Path, few_frames: None) -> None:
    model, folder = find_model("trt_int8"), tmp_path
    graph = folder / "graph.onnx"
    onnx.save(pilotnet_graph(read_weights(weights_dir() / "pilotnet.npz")), graph)
    bench = Workshop(
        *(model, folder / "x", weights_dir(), folder, None, lambda *_: None),
        hub_of=lambda _: graph,
    )
    symmetric_int8(bench, folder / "int8.onnx")
    content = (folder / "int8.onnx").read_bytes()
    graph = onnx.load_from_string(content).graph
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    rounding = [n for n in graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear")]
    zero_points = [values[node.input[2]] for node in rounding if len(node.input) > 2]
    rounded = [node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"]
    # What the convolutions and two dense layers take, and nothing else.
    assert rounded == [
        "channels_first",
        *(f"conv{i}/relu" for i in range(4)),
        "flat",
        "dense0/relu",
    ]
    assert all(zero.dtype == np.int8 and not zero.any() for zero in zero_points)
    kernels = [v for v in values.values() if v.dtype == np.int8 and v.ndim > 1]
    assert len(kernels) == 7
    assert not any(v.dtype == np.int32 for v in values.values())
    wanted = answers(pilotnet_graph(read_weights(bench.weights())).SerializeToString())
    assert np.abs(answers(content) - wanted).max() < 0.1


def test_an_engine_is_built_with_its_progress_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = played_tensorrt()
    recipe = imported_with(monkeypatch, library, "brains.recipes.tensorrt")
    monkeypatch.setattr(recipe, "cuda", lambda: None)
    told: list[tuple[str, int, int]] = []
    monitor = recipe.Monitor("trt_fp16", lambda *step: told.append(step))
    assert recipe.build_engine(b"graph", monitor) == b"engine"
    assert told == [("trt_fp16: Building", 1, 2)]
    library.engine = None
    with pytest.raises(DataError, match=r"10\.16\.1\.11 made no engine"):
        recipe.build_engine(b"graph")
    library.parses = False
    with pytest.raises(DataError, match="can't read the graph: error 0"):
        recipe.build_engine(b"graph")

    def no_cuda(logger: Any) -> Any:
        raise TypeError("pybind11::init(): factory function returned nullptr")

    library.Builder = no_cuda
    with pytest.raises(UnavailableError, match="can't use the GPU"):
        recipe.build_engine(b"graph")
