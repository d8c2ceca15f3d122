"""The TensorFlow and TFLite versions of a random PilotNet: size, answers, what executes them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from brains.artifacts import WEIGHTS_FILE, artifact_bytes, weights_dir
from brains.backends.tflite import TfliteBrain
from brains.build import build_artifact
from brains.catalogue import find_model, load_brain
from brains.check import check_brain, road_frame
from brains.network import NetworkBrain, weights_summary
from brains.pilotnet import load_network
from brains.pilotnet_file import PARAMETERS
from brains.preprocess import V_SPAN_M_S, W_SPAN_RAD_S, normalise, to_output
from brains.recipes.structure import kernels_of, sparsity_of
from brains.training.evaluation import read_evaluation
from tests.brains.asked import answers

MIB = 2**20
CONVOLUTIONS, DENSE_LAYERS = 5, 5


def built(name: str) -> NetworkBrain:
    build_artifact(find_model(name))
    brain = load_brain(name)
    assert isinstance(brain, NetworkBrain)
    return brain


@pytest.mark.parametrize(
    ("name", "mib", "difference"),
    [
        ("tflite_float16", 32.464, 2e-3),
        ("tflite_int8", 16.245, 0.1),
        ("tflite_int8_float", 16.245, 0.1),
    ],
)
def test_tflite_versions(
    weights: Path, few_frames: None, name: str, mib: float, difference: float
) -> None:
    brain = built(name)
    assert not [check for check in check_brain(name) if not check.passed]
    proof = brain.proof()
    assert proof["artifact_bytes"] / MIB == pytest.approx(mib, rel=0.01)
    assert proof["reference_difference"] < difference
    assert proof["operators"].keys() == {"xnnpack"}
    executed = proof["operators"]["xnnpack"]
    assert executed["CONV_2D"] == CONVOLUTIONS
    assert executed["FULLY_CONNECTED"] == DENSE_LAYERS
    assert len(proof["weights"]) == CONVOLUTIONS + DENSE_LAYERS
    kinds = {str(values.dtype) for _, values in brain.weights()}
    assert kinds == {"float16" if name == "tflite_float16" else "int8"}
    (quantised,) = brain.preprocess(road_frame((480, 640, 3))).values()
    assert quantised.dtype == (np.int8 if name == "tflite_int8" else np.float32)
    converted = {"QUANTIZE", "DEQUANTIZE"} & executed.keys()
    assert converted == {
        "tflite_float16": {"DEQUANTIZE"},
        "tflite_int8": set(),
        "tflite_int8_float": {"QUANTIZE", "DEQUANTIZE"},
    }.get(name)
    if name == "tflite_float16":
        assert proof["output_step_m_s"] is None
    else:
        # The random network's answers spread over about 0.3: 1 / 255 of that.
        assert 1e-3 < proof["output_step_m_s"] < 0.1
        assert proof["output_step_rad_s"] / proof["output_step_m_s"] == pytest.approx(14.2 / 17.5)


@pytest.mark.parametrize("name", ["tf_function", "tf_savedmodel"])
def test_tensorflow_graphs_answer_as_keras_does(weights: Path, name: str) -> None:
    brain = built(name)
    assert not [check for check in check_brain(name) if not check.passed]
    proof = brain.proof()
    assert proof["reference_difference"] < 1e-4
    assert proof["parameters"] == PARAMETERS
    executed = proof["operators"]["tensorflow"]
    assert (executed["Conv2D"], executed["MatMul"]) == (CONVOLUTIONS, DENSE_LAYERS)


def test_a_savedmodel_is_the_network_alone(weights: Path) -> None:
    path = build_artifact(find_model("tf_savedmodel"))
    assert artifact_bytes(path) / MIB == pytest.approx(64.917, rel=0.01)


def test_each_image_gets_its_own_answer_in_whatever_order(weights: Path) -> None:
    brain = load_brain("tflite_dynamic")
    assert isinstance(brain, NetworkBrain)
    images = np.random.default_rng(0).uniform(-2, 2.5, (3, 66, 200, 3)).astype(np.float32)
    wanted = answers(brain, images)
    encoded = [brain.encoded({"image": image[np.newaxis]}) for image in images]
    for index in (2, 0, 0, 1, 2):
        (answer,) = brain.decode(brain.predict(encoded[index])).values()
        np.testing.assert_array_equal(answer[0], wanted[index])


@pytest.fixture(scope="module")
def held_out() -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Some evaluation frames, their scaled labels, and the float network's mse on them."""
    frames = read_evaluation()
    images, labels = normalise(frames.crops[::9]), to_output(frames.labels[::9])
    answered = load_network(weights_dir() / WEIGHTS_FILE).predict_on_batch(images)
    return images, labels, float(((answered - labels) ** 2).mean())


@pytest.mark.parametrize("name", ["tflite_qat", "tflite_cqat", "tflite_pqat", "tflite_pcqat"])
def test_the_kept_integer_networks_are_what_they_are_called(
    held_out: tuple[NDArray[np.float32], NDArray[np.float32], float], name: str
) -> None:
    images, labels, float_mse = held_out
    brain = load_brain(name)
    assert isinstance(brain, TfliteBrain)
    assert artifact_bytes(brain.artifact) / MIB == pytest.approx(16.25, rel=0.01)
    assert brain.engine()["operators"].keys() == {"xnnpack"}
    step = brain.output_step()
    assert step is not None
    assert step * V_SPAN_M_S < 0.1
    assert step * W_SPAN_RAD_S < 0.1
    assert float(((answers(brain, images) - labels) ** 2).mean()) < 1.1 * float_mse
    kernels = [weights_summary(values) for _, values in brain.weights()]
    assert len(kernels) == CONVOLUTIONS + DENSE_LAYERS
    if "pq" in name or "pc" in name:
        great = max(kernels, key=lambda kernel: kernel["elements"] or 0)
        assert (great["sparsity"] or 0) >= 0.7
    if "cq" in name:
        assert all((kernel["unique_values"] or 256) <= 64 for kernel in kernels)


def test_the_kept_pruned_network_is_sparse(
    held_out: tuple[NDArray[np.float32], NDArray[np.float32], float],
) -> None:
    images, labels, float_mse = held_out
    network = load_network(weights_dir() / find_model("tflite_pruned").weights)
    assert sparsity_of([kernel.numpy() for kernel in kernels_of(network)]) > 0.5
    answers = network.predict_on_batch(images)
    assert float(((answers - labels) ** 2).mean()) < 1.1 * float_mse
