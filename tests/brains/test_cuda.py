"""Models for NVIDIA GPUs: what a CPU can check of them, and on a GPU all of it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from brains.availability import to_drive
from brains.catalogue import enter_environment, find_model, load_brain, read_catalogue
from brains.cuda import Packed
from brains.gpu import nvidia_gpu
from harness.errors import UnavailableError
from harness.evaluation.remote import Remote
from harness.spec.run import RunSpec

HARNESS = Path(__file__).parents[2] / "harness" / "bin" / "harness"
NVIDIA = [model.name for model in read_catalogue().models if model.nvidia is not None]
without_gpu = pytest.mark.skipif(nvidia_gpu() is not None, reason="here is an NVIDIA GPU")
# How far scaled outputs may be from the float network's, on any check frame.
FLOAT_DIFFERENCE = {"fp32": 1e-4, "cuda": 1e-4, "fp16": 0.01, "int8": 0.1}


def test_the_rows_for_gpus() -> None:
    engines = ["torch_cuda_fp32", "torch_cuda_fp16", "torch_cuda_int8", "onnx_cuda"]
    assert set(engines) <= set(NVIDIA)
    for name in engines:
        model = find_model(name)
        assert (model.environment, model.extra) == ("cuda", "cuda")


@without_gpu
@pytest.mark.parametrize("name", NVIDIA)
def test_without_a_gpu_each_answers_in_one_line(name: str) -> None:
    line = f"model {name} needs an NVIDIA GPU, and here is none; with one: "
    checks = (load_brain, enter_environment, lambda name: RunSpec(model=name).check_runnable())
    for refuses in checks:
        with pytest.raises(UnavailableError, match=line) as error:
            refuses(name)
        assert "\n" not in str(error.value)


@without_gpu
@pytest.mark.parametrize(
    "words", [["lap", "--model"], ["check-brain"], ["profile"], ["optimize"]], ids=lambda w: w[0]
)
def test_commands_without_a_gpu_exit_with_4(words: list[str]) -> None:
    command = [sys.executable, str(HARNESS), *words, "onnx_cuda"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 4
    *_, line = done.stderr.strip().splitlines()
    assert line.startswith("error: model onnx_cuda needs an NVIDIA GPU, and here is none")


@pytest.mark.parametrize("name", NVIDIA)
def test_on_a_gpu(name: str) -> None:
    model = find_model(name)
    if (why := to_drive(model).reason) is not None:
        pytest.skip(why)
    with Remote(name) as remote:
        proof = remote.ask(600.0, "judge", bare=False)["proof"]
        times_ms = remote.ask(120.0, "measure", count=20, block=0)["predict"]["times_ms"]
    assert proof["device"] in str(nvidia_gpu())
    assert proof["reference_difference"] < FLOAT_DIFFERENCE[name.rpartition("_")[2]]
    assert 0.0 < proof["host_to_device_ms"] < max(times_ms)
    assert "cpu" not in proof["operators"]


def test_the_default_interpreter_does_not_load_them() -> None:
    with pytest.raises(UnavailableError):
        load_brain("torch_cuda_fp16")


def test_arrays_in_one_piece_of_memory_are_aligned_and_come_back() -> None:
    packed = Packed({"image": (1, 3, 5), "speed": (1, 1)})
    assert (packed.begins, packed.size) == ({"image": 0, "speed": 64}, 128)
    image = np.arange(15, dtype=np.float32).reshape(1, 3, 5)
    memory = packed.packed({"speed": np.full((1, 1), 7, np.float32), "image": image})
    back = packed.parts(memory.copy())
    np.testing.assert_array_equal(back["image"], image)
    assert back["speed"].tolist() == [[7.0]]
