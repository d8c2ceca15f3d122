"""Users' networks in ONNX files: all versions, the gate, and what the hub makes of a graph."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra onnx")
pytest.importorskip("onnxruntime", reason="needs the extra onnx")
pytest.importorskip("openvino", reason="needs the extra openvino")

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from brains import artifacts, build, gate
from brains.check import check_brain
from brains.recipes import hub
from brains.recipes import onnx as recipes
from brains.versions import Network
from brains.workshop import Workshop
from harness.errors import DataError
from tests.brains.own_networks import made_here

VERSIONS = ["onnx_fp32", "onnx_dynamic", "onnx_int8", "onnx_int4", "openvino_fp32", "openvino_int8"]

Card = Callable[[str], Path]


def test_a_graph_of_any_batch_and_an_old_opset_gets_all_its_versions(own_network: Card) -> None:
    card = own_network("onnx")
    made = made_here(card, ["original", *VERSIONS])
    assert {name: outcome.state for name, outcome in made.items()} == dict.fromkeys(made, "made")
    for name in VERSIONS:
        found = made[name].agreement
        assert found is not None and found.share is not None, name
        assert found.v is not None and found.v.share is None  # the card says a constant
        assert found.share < (1e-9 if name.endswith("fp32") else 0.1), name
    sizes = {name: made[name].size_bytes or 0 for name in made}
    assert sizes["onnx_int4"] < sizes["onnx_int8"] < 0.5 * sizes["onnx_fp32"]
    graph = onnx.load(artifacts.checked_artifact(Network(card).model("onnx_fp32")))
    assert graph.opset_import[0].version == hub.OPSET
    assert [d.dim_value for d in graph.graph.input[0].type.tensor_type.shape.dim] == [1, 3, 48, 64]
    assert [d.dim_value for d in graph.graph.output[0].type.tensor_type.shape.dim] == [1, 1]
    assert not graph.graph.value_info


def test_versions_keep_the_contract(own_network: Card) -> None:
    card = own_network("onnx")
    made_here(card, ["onnx_int8"])
    for version in ("", "/onnx_int8"):
        assert not [check for check in check_brain(f"{card}{version}") if not check.passed]


def test_a_state_that_is_fed_back_is_part_of_the_agreement(own_network: Card) -> None:
    made = made_here(own_network("onnx_fed_back"), ["onnx_fp32", "onnx_int8"])
    for outcome in made.values():
        assert outcome.state == "made", outcome.detail
        assert outcome.agreement is not None and outcome.agreement.share is not None
    found = made["onnx_fp32"].agreement
    assert found is not None and found.share is not None and found.share < 1e-9


@pytest.mark.parametrize("wrong", ["weights that are no numbers", "another scale", "other weights"])
def test_a_wrong_conversion_is_refused_and_never_offered(
    own_network: Card, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    def convert(workshop: Workshop) -> None:
        model = onnx.load(workshop.hub())
        for tensor in model.graph.initializer:
            if tensor.name == "d1":
                values = numpy_helper.to_array(tensor).copy()
                if wrong.endswith("numbers"):
                    values[0, 0] = np.nan
                else:
                    values = 0.5 * values if wrong.endswith("scale") else values[:, ::-1].copy()
                tensor.CopyFrom(numpy_helper.from_array(values, "d1"))
        onnx.save(model, workshop.target)

    monkeypatch.setattr(build, "find_recipe", lambda name: convert)
    # Another option: another artifact.
    model = Network(own_network("onnx")).model("onnx_fp32")
    model = model.model_copy(update={"recipe_options": {"wrong": wrong}})
    for _ in range(2):  # the second time it is remembered
        with pytest.raises(
            DataError, match="refused, it does not agree with its network: "
        ) as told:
            build.build_artifact(model)
    figure = "is no number" if wrong.endswith("numbers") else "% of its variance: 10% are refused"
    assert str(told.value).endswith(figure)
    path = artifacts.artifact_path(model)
    assert path is not None and not path.exists()
    with pytest.raises(DataError, match="refused, it does not agree"):
        artifacts.checked_artifact(model)


def test_a_network_that_answers_no_numbers_itself_is_told(
    own_network: Card, tmp_path: Path
) -> None:
    card = own_network("onnx")
    model = onnx.load(card.parent / "onnx.onnx")
    for tensor in model.graph.initializer:
        if tensor.name == "d1":
            tensor.CopyFrom(numpy_helper.from_array(np.full((1, 100), np.nan, np.float32), "d1"))
    onnx.save(model, tmp_path / "onnx.onnx")
    (tmp_path / "broken.yaml").write_text(card.read_text())
    original = Network(tmp_path / "broken.yaml").model()
    with pytest.raises(DataError, match=r"itself answers \d+ of \d+ frames with what is no number"):
        gate.original_answers(original, build.silent)


def test_nothing_to_pack_is_said() -> None:
    node = helper.make_node("Relu", ["x"], ["y"], "relu")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
    model = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:]))
    assert recipes.large_products(model) == []


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("inputs", [128, 100])
def test_packed_products_answer_nearly_as_the_float_ones(turned: bool, inputs: int) -> None:
    random = np.random.default_rng(0)
    kernel = random.normal(size=(inputs, 32)).astype(np.float32)
    bias = random.normal(size=32).astype(np.float32)
    stored = np.ascontiguousarray(kernel.T) if turned else kernel
    nodes = [
        helper.make_node("Gemm", ["x", "k", "b"], ["h"], "gemm", transB=int(turned)),
        helper.make_node("MatMul", ["h", "m"], ["y"], "matmul"),
    ]
    second = random.normal(size=(32, 3)).astype(np.float32)
    weights = [
        numpy_helper.from_array(v, n) for v, n in ((stored, "k"), (bias, "b"), (second, "m"))
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in (("x", inputs), ("y", 3))
    ]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    assert recipes.large_products(model) == ["gemm"]
    x = random.normal(size=(1, inputs)).astype(np.float32)
    for name in ("gemm", "matmul"):
        recipes.pack(model.graph, name)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    wanted = (x @ kernel + bias) @ second
    (answered,) = session.run(None, {"x": x})
    assert np.abs(answered - wanted).max() < 0.25 * np.abs(wanted).max()


def test_ends_are_renamed_whatever_is_called_so_inside() -> None:
    nodes = [
        helper.make_node("Neg", ["t0"], ["w"], "neg"),
        helper.make_node("Abs", ["w"], ["t1"], "abs"),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("t0", "t1")]
    model = helper.make_model(
        helper.make_graph(nodes, "g", ends[:1], ends[1:]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    hub.renamed(model, ["picture"], ["w"])
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (answer,) = session.run(["w"], {"picture": np.array([-3], np.float32)})
    assert answer == 3
