"""ONNX Runtime and OpenVINO: a random PilotNet is built, driven and asked for its proof."""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from brains.build import build_artifact
from brains.catalogue import find_model, load_brain
from brains.check import road_frame
from brains.network import NetworkBrain
from brains.pilotnet_file import PARAMETERS
from harness.errors import DataError, UnavailableError

CONVOLUTIONS, INTEGER_PRODUCTS = 5, 2


def built(name: str) -> NetworkBrain:
    model = find_model(name)
    # Not imported: NNCF brings torch with it, which the recipe keeps out.
    if not all(map(find_spec, {*model.needs, *model.build_needs})):
        pytest.skip("needs the extras onnx and openvino")
    build_artifact(model)
    brain = load_brain(name)
    assert isinstance(brain, NetworkBrain)
    return brain


def operators(brain: NetworkBrain) -> Counter[str]:
    """Executed operators, over all kernels or providers, as ``kernel operator``."""
    groups = brain.engine()["operators"]
    return Counter(
        {f"{group} {kind}": n for group, kinds in groups.items() for kind, n in kinds.items()}
    )


def count(brain: NetworkBrain, *parts: str) -> int:
    """How many executed operators have all ``parts`` in their name."""
    return sum(
        n for name, n in operators(brain).items() if all(part in name.lower() for part in parts)
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("onnx_fp32", "conv float"), ("openvino_fp32", "f32 convolution")]
)
def test_float_networks_answer_as_the_keras_network(weights: Path, name: str, kind: str) -> None:
    brain = built(name)
    proof = brain.proof()
    assert proof["reference_difference"] < 1e-5
    assert count(brain, kind) == CONVOLUTIONS
    # The normalisation's 12 numbers became one gain and offset per pixel of a row.
    assert proof["parameters"] == PARAMETERS - 12 + 2 * 600
    assert proof["output_step_m_s"] is None
    command = brain.infer(road_frame((480, 640, 3)))
    assert brain.infer(np.zeros((480, 640, 3), np.uint8)) != command
    assert brain.infer(road_frame((480, 640, 3))) == command


@pytest.mark.parametrize(
    ("name", "convolution", "product"),
    [
        ("onnx_int8", "qlinearconv uint8", "qgemm uint8"),
        ("openvino_int8", "_i8 convolution", "_i8 fullyconnected"),
    ],
)
def test_int8_networks_compute_in_integers_and_answer_nearly_alike(
    weights: Path, few_frames: None, name: str, convolution: str, product: str
) -> None:
    brain = built(name)
    proof = brain.proof()
    assert count(brain, convolution) == CONVOLUTIONS
    assert count(brain, product) == INTEGER_PRODUCTS
    assert proof["parameters"] == PARAMETERS - 12 + 2 * 600
    assert proof["artifact_bytes"] < 17.5e6
    kernels = [values for _, values in brain.weights() if values.size > 5000]
    assert [values.dtype for values in kernels] == [np.int8] * (CONVOLUTIONS - 1 + INTEGER_PRODUCTS)
    # A CPU without VNNI adds pairs of products in 16 bits, which now and then saturate: 0.02 there.
    assert 0 < proof["reference_difference"] < 0.05


def test_int4_packs_the_largest_layer_and_answers_nearly_alike(
    weights: Path, few_frames: None
) -> None:
    brain = built("onnx_int4")
    proof = brain.proof()
    assert count(brain, "matmulnbits float") == 1
    assert count(brain, "qlinearconv uint8") == CONVOLUTIONS
    assert count(brain, "qgemm uint8") == 1
    assert proof["parameters"] == PARAMETERS - 12 + 2 * 600
    assert proof["artifact_bytes"] < 10e6
    largest = max((values for _, values in brain.weights()), key=np.size)
    assert largest.dtype == np.dtype(np.int8)
    assert (largest.min(), largest.max()) == (-8, 7)
    assert 0 < proof["reference_difference"] < 0.05


def test_packed_weights_are_within_half_a_step_of_the_weights() -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    from brains.recipes.onnx import BLOCK, block_int4

    kernel = np.random.default_rng(0).normal(size=(3 * BLOCK, 5)).astype(np.float32)
    kernel[:BLOCK, 2] = 0
    packed, scales = block_int4(kernel)
    assert packed.shape == (5, 3, BLOCK // 2)
    codes = np.stack([packed & 15, packed >> 4], axis=-1).reshape(5, 3, BLOCK)
    scales = scales.reshape(5, 3, 1)
    unpacked = ((codes.astype(np.float32) - 8) * scales).reshape(5, -1).T
    allowed = 0.5 * np.repeat(np.abs(scales[..., 0]), BLOCK, axis=1).T
    # What is as far on the other side as the value that sets the scale has no code of its own.
    clipped = (codes == 15).reshape(5, -1).T
    assert np.all(np.abs(unpacked - kernel) <= np.where(clipped, 2, 1) * allowed + 1e-6)


def test_bfloat16_is_used_where_asked_for_or_refused(weights: Path) -> None:
    openvino = pytest.importorskip("openvino", reason="needs the extra openvino")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(UnavailableError, match="avx512_bf16"):
            built("openvino_bf16")
        return
    brain = built("openvino_bf16")
    assert count(brain, "bf16 convolution") == CONVOLUTIONS
    assert 0 < brain.proof()["reference_difference"] < 0.01


@pytest.mark.parametrize("name", ["onnx_fp32", "openvino_fp32"])
def test_file_that_is_no_network_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    model = find_model(name)
    for module in model.needs:
        pytest.importorskip(module, reason="needs the extras onnx and openvino")
    from brains.loading import brain_class

    path = tmp_path / "network.xml"
    path.write_text("no network")
    kind = brain_class(str(model.brain))
    assert issubclass(kind, NetworkBrain)
    with pytest.raises(DataError, match="runs here") as caught:
        kind(model, path if name.startswith("onnx") else tmp_path)
    assert "\n" not in str(caught.value)
