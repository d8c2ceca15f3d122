"""What the doctor says of engines for NVIDIA GPUs."""

import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

from brains.gpu import nvidia_gpu
from harness.doctor import examine
from tests.brains.other_venv import other_venv


def test_it_asks_the_engines_of_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not all(importlib.util.find_spec(name) for name in ("torch", "onnxruntime")):
        pytest.skip("needs the extras torch and onnx")
    monkeypatch.delenv("PITWALL_VENV_TFTRT", raising=False)
    # The default environment's packages under the other's name: builds for CPUs, but for PyTorch
    # where pip takes PyPI's own.
    monkeypatch.setenv("PITWALL_VENV_CUDA", str(other_venv(tmp_path / "cuda")))
    found = {finding.what: finding for finding in examine()}
    assert not [what for what in found if what.startswith("tftrt")]
    assert not any(found[what].needed for what in found if what.startswith("cuda: "))
    if nvidia_gpu() is None:
        assert not found["NVIDIA GPU"].ok
        for_cpus = importlib.metadata.version("torch").endswith("+cpu")
        words = "is a build for CPUs" if for_cpus else "finds no GPU"
        assert words in found["cuda: PyTorch"].found
        assert "is a build for CPUs" in found["cuda: ONNX Runtime"].found
        assert "No module named 'tensorrt'" in found["cuda: TensorRT"].found
        assert "make setup EXTRAS=cuda" in found["cuda: PyTorch"].mend


def test_an_environment_that_does_not_start_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PITWALL_VENV_TFTRT", raising=False)
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setenv("PITWALL_VENV_CUDA", str(tmp_path))
    (finding,) = [finding for finding in examine() if finding.what == "cuda"]
    assert (finding.ok, finding.found) == (False, "no such library")
