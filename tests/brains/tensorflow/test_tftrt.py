"""TF-TRT: what a converted graph must hold, and its conversion as far as a CPU lets it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from brains.catalogue import find_model
from brains.environment import interpreter, why_no_environment
from brains.recipes.tftrt import FEATURES, check, without_fallback
from brains.tftrt import Content, content_of, tensorrt_versions
from harness.errors import DataError, UnavailableError

tensorflow = pytest.importorskip("tensorflow", reason="needs the extra tf")


def graph(engines: list[str], operators: list[str], segments: int) -> Any:
    """A graph as TF-TRT leaves it; operators of native segments are in functions of their own."""
    definition = tensorflow.compat.v1.GraphDef()
    for precision in engines:
        node = definition.node.add(op="TRTEngineOp")
        node.attr["precision_mode"].s = precision.encode()
    for kind in ["Placeholder", *operators, "Identity"]:
        definition.node.add(op=kind)
    for number in range(segments):
        segment = definition.library.function.add()
        segment.signature.name = f"TRTEngineOp_000_{number:03d}_native_segment"
        segment.node_def.add(op="Conv2D")
    return definition


def test_engines_native_segments_and_operators_are_counted() -> None:
    found = content_of(graph(["FP16", "FP16"], ["Relu", "MatMul", "Relu"], 2))
    assert found == Content({"FP16": 2}, 2, {"Relu": 2, "MatMul": 1})
    with pytest.raises(DataError, match="has no TensorRT engine"):
        content_of(graph([], ["Conv2D"], 1))


def test_only_whole_networks_of_the_wanted_precision_pass() -> None:
    check(graph(["INT8"], [], 1), "INT8")
    with pytest.raises(DataError, match="have precision FP32, not FP16"):
        check(graph(["FP32"], [], 0), "FP16")
    with pytest.raises(DataError, match="left operators outside of its engines: 2 MatMul, 1 Relu"):
        check(graph(["FP16"], ["MatMul", "Relu", "MatMul"], 0), "FP16")


def test_the_fallback_is_left_out_only_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    for before in (None, "another"):
        if before:
            monkeypatch.setenv(FEATURES, before)
        with without_fallback():
            assert os.environ[FEATURES] == "remove_native_segments"
        assert os.environ.get(FEATURES) == before


def test_a_tensorflow_without_tensorrt_is_one_line() -> None:
    with pytest.raises(UnavailableError, match=r"TensorFlow .*: run `make setup EXTRAS=tftrt`"):
        tensorrt_versions()


@pytest.mark.parametrize("precision", ["FP32", "FP16", "INT8"])
def test_conversion_in_its_environment(precision: str) -> None:
    model = find_model(f"tftrt_{precision.lower()}")
    if (why := why_no_environment(model)) is not None:
        pytest.skip(why)
    done = subprocess.run(
        [str(interpreter(model)), "-m", "tests.brains.tftrt_on_cpu", precision],
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["versions"] == {"linked": "8.4.3", "loaded": "8.5.3"}
    whole = {"engines": {precision: 1}, "native_operators": {}}
    assert found["content"] == {**whole, "native_segments": 1}
    assert found["saved"] == {**whole, "native_segments": 0}
    frames = [["model: calibrating", count, 3] for count in (1, 2, 3)]
    assert found["told"] == (frames if precision == "INT8" else [])
    assert "finds no GPU" in found.get("without_gpu", "finds no GPU")
