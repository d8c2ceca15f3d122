"""What kind of network a file holds, by its content; and what is refused without being run."""

import collections
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brains.source import SourceKind, kind_of
from harness.errors import DataError
from tests.brains import hostile_files as made

h5py = pytest.importorskip("h5py", reason="comes with the extra tf")

NOTHING: dict[str, object] = collections.OrderedDict()


def npz(path: Path, *names: str) -> Path:
    np.savez(path, allow_pickle=False, **{name: np.zeros(2) for name in names})
    return path


GOOD: dict[str, tuple[SourceKind, Callable[[Path], Path]]] = {
    "a.h5": (SourceKind.KERAS2, lambda p: made.h5(p, [made.CONV])),
    "b.h5": (SourceKind.KERAS3, lambda p: made.h5(p, [made.CONV], "3.3.3")),
    "c.keras": (SourceKind.KERAS3, lambda p: made.keras_zip(p, [made.CONV])),
    "d.keras": (SourceKind.KERAS2, lambda p: made.keras_zip(p, [made.CONV], "2.15.0")),
    "e.tflite": (SourceKind.TFLITE, made.tflite),
    "f.onnx": (SourceKind.ONNX, lambda p: made.onnx(p, made.field(1, b""))),
    "g.pt": (
        SourceKind.TORCHSCRIPT,
        lambda p: made.torch_zip(p, NOTHING, ("code/__torch__.py", b"torch.add(x, y)")),
    ),
    "h.pt2": (SourceKind.TORCH_EXPORT, lambda p: made.exported(p, NOTHING)),
    "i.pth": (SourceKind.TORCH_WEIGHTS, lambda p: made.torch_zip(p, NOTHING)),
    "j": (SourceKind.SAVEDMODEL, lambda p: made.savedmodel(p, "Conv2D", "MatMul")),
    "k.npz": (SourceKind.KERAS_WEIGHTS, lambda p: npz(p, "w00", "w01")),
    "l.npz": (SourceKind.TORCH_WEIGHTS, lambda p: npz(p, "0.weight", "0.bias")),
    # An ending that says nothing: the content does.
    "m.model": (SourceKind.TFLITE, made.tflite),
    "n.pt": (SourceKind.TORCH_EXPORT, lambda p: made.exported(p, NOTHING)),
}


@pytest.mark.parametrize("name", GOOD)
def test_the_kind_by_content(name: str, tmp_path: Path) -> None:
    kind, make = GOOD[name]
    assert kind_of(make(tmp_path / name)) == kind


def refusal(path: Path, **how: bool) -> str:
    with pytest.raises(DataError) as caught:
        kind_of(path, **how)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(str(path))
    assert "weights_only" not in line
    return line


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("make", [made.h5, made.keras_zip])
def test_a_lambda_is_code_and_not_run(
    make: Callable[..., Path], nested: bool, tmp_path: Path
) -> None:
    layer = made.writing_lambda(tmp_path / "touched")
    if nested:
        layer = {"class_name": "TimeDistributed", "config": {"layer": layer}}
    ending = "h5" if make is made.h5 else "keras"
    path = make(tmp_path / f"net.{ending}", [made.CONV, layer])
    assert 'add "lambda: drop"' in refusal(path)
    assert kind_of(path, drop_lambda=True) in (SourceKind.KERAS2, SourceKind.KERAS3)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "function", "module": "os", "config": "system"},
        {"class_name": "Evil", "module": "my.package", "config": {}},
        {"class_name": "eval", "module": "builtins", "config": {}},
        {"class_name": "TFOpLambda", "config": {"name": "x", "function": "io.write_file"}},
        {"class_name": "TFOpLambda", "config": {"name": "x", "function": "numpy_function"}},
    ],
)
def test_code_that_a_configuration_would_import(layer: dict[str, object], tmp_path: Path) -> None:
    assert "none of Keras' own" in refusal(made.h5(tmp_path / "net.h5", [made.CONV, layer]))
    assert "none of Keras' own" in refusal(made.keras_zip(tmp_path / "net.keras", [layer]))


def test_functions_of_tensorflow_that_only_compute(tmp_path: Path) -> None:
    layers = [
        {"class_name": "TFOpLambda", "config": {"name": "x", "function": name}}
        for name in ("math.multiply", "nn.relu", "__operators__.getitem", "concat", "image.resize")
    ]
    assert kind_of(made.h5(tmp_path / "net.h5", layers)) == SourceKind.KERAS2


def test_old_keras_and_weights_alone(tmp_path: Path) -> None:
    assert "saved by Keras 1.2.1" in refusal(made.h5(tmp_path / "a.h5", [made.CONV], "1.2.1"))
    path = made.h5(tmp_path / "b.h5", [])
    with h5py.File(path, "a") as file:
        del file.attrs["model_config"]
    assert "weights without an architecture: save the whole model" in refusal(path)


@pytest.mark.parametrize("where", ["plain", "legacy", "export", "constants"])
def test_a_pickled_object_is_not_unpickled(where: str, tmp_path: Path) -> None:
    evil = made.Touching(tmp_path / "touched")
    path = tmp_path / "net.pt"
    if where == "plain":
        made.torch_zip(path, evil)
    elif where == "legacy":
        path.write_bytes(pickle.dumps(evil, protocol=2))
    elif where == "export":
        made.exported(path, evil)
    else:
        content = pickle.dumps(evil)
        made.exported(path, NOTHING, ("data/constants/opaque_obj_0", content))
    line = refusal(path)
    assert "would run code on loading" in line
    assert not (tmp_path / "touched").exists()


def test_pickles_of_another_protocol_are_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(pickle.dumps(NOTHING, protocol=4))
    assert "STACK_GLOBAL" in refusal(path)


def test_machine_code(tmp_path: Path) -> None:
    package = tmp_path / "net.pt2"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("net/data/aotinductor/model/code.wrapper.so", b"\x7fELF")
    assert "machine code of one processor (AOTInductor)" in refusal(package)
    library = tmp_path / "net.engine"
    library.write_bytes(b"\x7fELF" + bytes(100))
    assert "machine code" in refusal(library)


@pytest.mark.parametrize("operator", ["ReadFile", "WriteFile", "PyFunc", "EagerPyFunc"])
def test_a_savedmodel_that_touches_files_or_runs_python(operator: str, tmp_path: Path) -> None:
    assert operator in refusal(made.savedmodel(tmp_path / "a", operator, "MatMul"))
    assert operator in refusal(made.savedmodel(tmp_path / "b", "MatMul", operator))


def test_a_torchscript_that_writes_files(tmp_path: Path) -> None:
    code = ("code/__torch__.py", b"  torch.save(x, '/tmp/here')")
    assert "writes files (torch.save)" in refusal(
        made.torch_zip(tmp_path / "net.pt", NOTHING, code)
    )


def test_headers_that_promise_gigabytes_are_not_believed(tmp_path: Path) -> None:
    """Each is read in bounded pieces: none of these allocates what it promises."""
    safetensors = tmp_path / "net.safetensors"
    safetensors.write_bytes(struct.pack("<Q", 2 << 30) + b'{"a": 1}')
    assert "safetensors" in refusal(safetensors)

    onnx = tmp_path / "net.onnx"
    onnx.write_bytes(made.field(1, 8) + made.field(2, b"x") + b"\x3a" + made.varint(2 << 30))
    assert "cut off" in refusal(onnx)

    tflite = tmp_path / "net.tflite"
    tflite.write_bytes(struct.pack("<I4s", 2 << 30, b"TFL3") + bytes(50))
    assert "begins beyond its end" in refusal(tflite)

    keras = tmp_path / "net.keras"
    with zipfile.ZipFile(keras, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.0.0"}')
        archive.writestr("model.weights.h5", b"")
        with archive.open("config.json", "w") as member:
            for _ in range(70):
                member.write(b" " * (1 << 20))
    assert "too long" in refusal(keras)


@pytest.mark.parametrize("name", [name for name in GOOD if name != "j"])
def test_cut_off_files(name: str, tmp_path: Path) -> None:
    _, make = GOOD[name]
    whole = make(tmp_path / name).read_bytes()
    path = tmp_path / f"cut-{name}"
    for share in (0, 4, 15, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:share])
        if name in ("e.tflite", "m.model") and share > 24:
            continue  # Its end is only known to who reads it whole.
        refusal(path)


def test_what_is_no_network(tmp_path: Path) -> None:
    for name, content in {
        "a.onnx": b"",
        "b.onnx": b"<html>404</html>",
        "c.pt": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
        "d.npz": b"PK\x05\x06" + bytes(18),
        "e.pb": os.urandom(1),
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        refusal(path)
    assert "git lfs pull" in refusal(tmp_path / "c.pt")
    assert "missing" in refusal(tmp_path / "none.onnx")
    assert "saved_model.pb" in refusal(tmp_path)
    assert "no weights" in refusal(npz(tmp_path / "data.npz", "images"))


@pytest.mark.parametrize(("kind", "ending"), [("e.tflite", ".onnx"), ("a.h5", ".pt")])
def test_an_ending_of_another_kind(kind: str, ending: str, tmp_path: Path) -> None:
    _, make = GOOD[kind]
    line = refusal(make(tmp_path / f"net{ending}"))
    assert f"{ending} is the ending of another kind: rename it" in line


def test_weights_in_other_files(tmp_path: Path) -> None:
    tensor = made.field(8, b"w") + made.field(14, 1)
    path = made.onnx(tmp_path / "net.onnx", made.field(5, tensor))
    assert "save_as_external_data=False" in refusal(path)


def test_a_configuration_that_is_no_json(tmp_path: Path) -> None:
    path = made.h5(tmp_path / "net.h5", [])
    for text in ("{", "[" * 100_000, json.dumps([1])[:-1]):
        with h5py.File(path, "a") as file:
            del file.attrs["model_config"]
            file.attrs.create("model_config", text, dtype=h5py.string_dtype())
        assert "configuration" in refusal(path)
