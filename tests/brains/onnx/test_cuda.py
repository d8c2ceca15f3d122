"""ONNX Runtime's models for NVIDIA GPUs, as far as a CPU can check them."""

from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="needs the extra onnx")

import onnxruntime

from brains.backends.onnxruntime import OnnxCudaBrain
from brains.catalogue import find_model
from harness.errors import UnavailableError


def test_onnxruntime_for_cpus_is_no_silent_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("onnxruntime is a build for CUDA")
    with pytest.raises(UnavailableError, match="is a build for CPUs: run `make setup EXTRAS=cuda`"):
        OnnxCudaBrain(find_model("onnx_cuda"), tmp_path / "network.onnx")
