"""TensorRT's backend round a library that is not here: an engine's account of itself."""

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the extra torch")

from harness.errors import DataError
from tests.brains.played_tensorrt import imported_with, played_tensorrt


def test_an_engine_tells_its_layers_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = imported_with(monkeypatch, played_tensorrt(), "brains.backends.tensorrt")
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

    ends = ({"image": (1, 66, 200, 3)}, {"command": (1, 2)})
    assert backend.ends(engine((1, 66, 200, 3))) == ends
    with pytest.raises(DataError, match="fixed float32 is wanted"):
        backend.ends(engine((-1, 3, 66, 200)))
