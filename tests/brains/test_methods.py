"""The table of methods: what can be made of each kind of file."""

import importlib.util
from pathlib import Path

import pytest

from brains.methods import ORIGINAL, find_method, methods_for, read_methods
from brains.source import SourceKind
from harness.errors import DataError, UsageError


@pytest.mark.parametrize("kind", SourceKind)
def test_each_kind_has_its_original_first_and_every_name_once(kind: SourceKind) -> None:
    methods = methods_for(kind)
    names = [method.name for method in methods]
    assert names[0] == ORIGINAL
    assert methods[0].make is None
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("kind", "at_least"),
    [
        (SourceKind.KERAS2, 12),
        (SourceKind.KERAS3, 12),
        (SourceKind.TORCH_WEIGHTS, 12),
        (SourceKind.ONNX, 7),
        (SourceKind.TFLITE, 5),
        (SourceKind.SAVEDMODEL, 12),
    ],
)
def test_case_14_so_many_versions_need_no_gpu(kind: SourceKind, at_least: int) -> None:
    assert len([m for m in methods_for(kind) if m.nvidia is None]) >= at_least


def test_what_is_named_is_there() -> None:
    for method in read_methods().methods:
        for target in filter(None, (method.make, method.brain)):
            module, _, name = target.partition(":")
            spec = importlib.util.find_spec(module)
            assert spec is not None and spec.origin is not None, target
            source = Path(spec.origin).read_text()
            assert f"def {name}(" in source or f"class {name}(" in source, target


def test_a_method_needs_what_opens_the_file_too() -> None:
    keras = find_method(SourceKind.KERAS2, "tflite_float32")
    assert keras.build_needs == ["ai_edge_litert", "tensorflow", "tf_keras"]
    assert keras.build_extra == "tf"
    # Made of the graph, in whose making alone the file's framework takes part.
    assert find_method(SourceKind.KERAS2, "onnx_int8").build_needs == ["onnx", "onnxruntime"]
    # An environment of its own has its own frameworks.
    assert find_method(SourceKind.TORCH_WEIGHTS, "torch_cuda_fp16").extra == "cuda"


def test_unknown_methods_and_broken_tables_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no method 'tflite_int3' for a onnx file: choose one of"):
        find_method(SourceKind.ONNX, "tflite_int3")
    path = tmp_path / "methods.yaml"
    path.write_text("methods: 3")
    with pytest.raises(DataError, match=r"methods\.yaml is no table of methods"):
        read_methods(path)
    row = "{name: x, title: X, kinds: [onnx], backend: b, brain: 'a:B', precision: p}"
    path = tmp_path / "twice.yaml"
    path.write_text(f"sources: {{}}\nmethods: [{row}, {row}]")
    with pytest.raises(DataError, match="names x twice for onnx"):
        read_methods(path)


def test_the_guide_shows_the_table() -> None:
    guide = Path(__file__).parents[2] / "docs" / "guides" / "optimise.md"
    lines = [line for line in guide.read_text().splitlines() if line.startswith("| `")]
    columns = [
        *(SourceKind.KERAS2, SourceKind.KERAS3, SourceKind.SAVEDMODEL, SourceKind.TFLITE),
        *(SourceKind.ONNX, SourceKind.TORCHSCRIPT, SourceKind.TORCH_EXPORT),
        SourceKind.TORCH_WEIGHTS,
    ]
    shown = {}
    for line in lines:
        names, _, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        for name in names.replace("`", "").split(", "):
            shown[name] = {k for k, cell in zip(columns, cells, strict=True) if cell == "x"}
    made = {
        name: {kind for kind in columns if name in [m.name for m in methods_for(kind)]}
        for name in {method.name for method in read_methods().methods} - {ORIGINAL}
    }
    assert shown == made
