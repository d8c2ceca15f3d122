"""PyTorch's models for NVIDIA GPUs, as far as a CPU can check them."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra torch")
pytest.importorskip("torchao", reason="needs the extra torch")

import torch

from brains.artifacts import weights_dir
from brains.backends.torch_cuda import executed, stored, version_of
from brains.cuda import cuda
from brains.gpu import nvidia_gpu
from brains.preprocess import normalise
from brains.torch_pilotnet import load_network, to_tensor
from brains.training.evaluation import read_evaluation
from harness.errors import UnavailableError


@pytest.mark.parametrize(
    ("version", "difference", "products"),
    [
        ("float32", 1e-5, {"conv2d float32": 5, "linear float32": 5}),
        ("float16", 0.005, {"conv2d float16": 5, "linear float16": 5}),
        ("int8", 0.02, {"conv2d float16": 5, "mm float16": 5}),
    ],
)
def test_torch_versions_answer_as_the_float_network(
    version: str, difference: float, products: dict[str, int]
) -> None:
    weights = weights_dir() / "torch_pilotnet.npz"
    images = normalise(read_evaluation().crops[::90])
    network = version_of(load_network(weights), version)
    with torch.inference_mode():
        wanted = load_network(weights)(to_tensor(images)).numpy()
        answers = [network(torch.from_numpy(image[np.newaxis])).numpy() for image in images]
    assert np.abs(np.concatenate(answers) - wanted).max() < difference
    counted = executed(network, torch.zeros(1, 66, 200, 3))["cpu"]
    assert products.items() <= counted.items()
    kinds = {stored(layer.weight).dtype for layer in network.network if hasattr(layer, "weight")}
    assert (torch.int8 in kinds) is (version == "int8")


@pytest.mark.skipif(nvidia_gpu() is not None, reason="here is an NVIDIA GPU")
def test_torch_without_a_gpu_is_one_line() -> None:
    why = "finds no GPU" if torch.version.cuda else "is a build for CPUs: run `make setup"
    with pytest.raises(UnavailableError, match=why):
        cuda()
