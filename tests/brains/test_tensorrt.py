"""TensorRT: the graphs that engines are built from, and the code round a library that is not here.

The library is played by a few objects with the names of its own; what they prove is that errors
become one line, and that an engine's account of itself is read right. Engines need a GPU.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from brains.artifacts import weights_dir
from brains.catalogue import find_model
from brains.pilotnet import read_weights
from brains.preprocess import normalise
from brains.training.evaluation import read_evaluation
from brains.workshop import Workshop
from harness.errors import DataError, UnavailableError


def answers(graph: bytes) -> Any:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    images = normalise(read_evaluation().crops[::90])
    return np.concatenate([session.run(None, {"image": i[np.newaxis]})[0] for i in images])


def test_the_float16_graph_answers_as_the_float_network() -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    from brains.recipes.onnx import pilotnet_graph

    weights = read_weights(weights_dir() / "pilotnet.npz")
    half = pilotnet_graph(weights, half=True)
    kinds = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
    halves = [name for name in kinds if name.startswith(("conv", "dense"))]
    assert len(halves) == 20
    assert {kinds[name] for name in halves} == {onnx.TensorProto.FLOAT16}
    wanted = answers(pilotnet_graph(weights).SerializeToString())
    assert np.abs(answers(half.SerializeToString()) - wanted).max() < 0.005


def test_the_int8_graph_rounds_about_zero(tmp_path: Path, few_frames: None) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    from brains.recipes.onnx import pilotnet_graph, symmetric_int8

    model, folder = find_model("trt_int8"), tmp_path
    bench = Workshop(
        model, folder / "x", weights_dir(), folder, None, lambda *_: None, lambda _: folder
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


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module ``tensorrt`` whose builder works."""
    fake: Any = ModuleType("tensorrt")
    fake.__version__ = "10.16.1.11"
    fake.NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
    fake.ProfilingVerbosity = SimpleNamespace(DETAILED="detailed")
    fake.TensorIOMode = SimpleNamespace(INPUT="in", OUTPUT="out")
    fake.DataType = SimpleNamespace(FLOAT="float")
    fake.IProgressMonitor = type("IProgressMonitor", (), {})
    fake.Logger = type("Logger", (), {"WARNING": 2, "__init__": lambda self, level: None})
    fake.parses, fake.engine = True, memoryview(b"engine")
    network = SimpleNamespace(flags=None)
    config = SimpleNamespace(profiling_verbosity=None, progress_monitor=None)

    def built(given: Any, settings: Any) -> Any:
        assert (given, settings) == (network, config)
        assert given.flags == 1 << 1
        assert settings.profiling_verbosity == "detailed"
        if settings.progress_monitor is not None:
            settings.progress_monitor.phase_start("Building", None, 2)
            settings.progress_monitor.phase_start("Timing", "Building", 9)
            assert settings.progress_monitor.step_complete("Timing", 3)
            assert settings.progress_monitor.step_complete("Building", 0)
            settings.progress_monitor.phase_finish("Building")
        return fake.engine

    def create_network(flags: int) -> Any:
        network.flags = flags
        return network

    fake.Builder = lambda logger: SimpleNamespace(
        create_network=create_network,
        create_builder_config=lambda: config,
        build_serialized_network=built,
    )
    fake.OnnxParser = lambda given, logger: SimpleNamespace(
        parse=lambda graph: fake.parses,
        num_errors=1,
        get_error=lambda index: SimpleNamespace(desc=lambda: f"error {index}"),
    )
    monkeypatch.setitem(sys.modules, "tensorrt", fake)
    modules = ("brains.recipes.tensorrt", "brains.backends.tensorrt")
    for name in modules:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield fake
    for name in modules:
        sys.modules.pop(name, None)


def test_an_engine_is_built_with_its_progress_shown(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    recipe = importlib.import_module("brains.recipes.tensorrt")
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


def test_an_engine_tells_its_layers_and_ends(library: Any) -> None:
    pytest.importorskip("torch", reason="needs the extra torch")
    backend = importlib.import_module("brains.backends.tensorrt")
    convolution = {"LayerType": "CaskConvolution", "Outputs": [{"Format/Datatype": "Int8"}]}
    told = {"Layers": [convolution, convolution, {"LayerType": "gemm", "Outputs": []}, "plain"]}
    assert backend.layers_of(told) == {"CaskConvolution Int8": 2, "gemm": 1, "layer": 1}

    def engine(shape: tuple[int, ...]) -> Any:
        return SimpleNamespace(
            num_io_tensors=2,
            get_tensor_name=lambda index: ["command", "image"][index],
            get_tensor_mode=lambda name: "in" if name == "image" else "out",
            get_tensor_shape=lambda name: shape if name == "image" else (1, 2),
            get_tensor_dtype=lambda name: "float",
        )

    assert backend._ends(engine((1, 66, 200, 3))) == ("image", "command")
    with pytest.raises(DataError, match="no image, no command"):
        backend._ends(engine((1, 3, 66, 200)))
