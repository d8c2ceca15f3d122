"""Files of networks made by hand, without a framework: bad ones, and ones that look good."""

import base64
import json
import marshal
import pickle
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py

CONV = {"class_name": "Conv2D", "config": {"name": "conv"}}


def h5(path: Path, layers: list[dict[str, Any]], version: str = "2.15.0") -> Path:
    """A Keras file with these layers."""
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = version
        file.create_group("model_weights")
    return path


def keras_zip(path: Path, layers: list[dict[str, Any]], version: str = "3.15.1") -> Path:
    """A .keras file with these layers."""
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", b"")
    return path


def writing_lambda(touched: Path) -> dict[str, Any]:
    """A Lambda layer that writes a file when its code runs."""
    code = compile(f"lambda x: open({str(touched)!r}, 'w').write('run')", "<hostile>", "eval")
    text = base64.b64encode(marshal.dumps(code.co_consts[0])).decode()
    return {
        "class_name": "Lambda",
        "config": {"name": "lambda", "function": [text, None, None], "function_type": "lambda"},
    }


class Touching:
    """Writes a file when it is unpickled."""

    def __init__(self, touched: Path) -> None:
        self.touched = touched

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (open, (str(self.touched), "w"))


def torch_zip(path: Path, content: object, *more: tuple[str, bytes], folder: str = "net") -> Path:
    """An archive as torch.save writes it, with this pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{folder}/data.pkl", pickle.dumps(content, protocol=2))
        archive.writestr(f"{folder}/version", b"3\n")
        for name, data in more:
            archive.writestr(f"{folder}/{name}", data)
    return path


def exported(path: Path, sample: object, *more: tuple[str, bytes]) -> Path:
    """An archive as torch.export.save writes it, with these example inputs."""
    inner = BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps(sample, protocol=2))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/models/model.json", "{}")
        archive.writestr("net/data/sample_inputs/model.pt", inner.getvalue())
        archive.writestr("net/archive_format", "pt2")
        for name, data in more:
            archive.writestr(f"net/{name}", data)
    return path


def varint(value: int) -> bytes:
    """A number as protocol buffers write it."""
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, content: bytes | int) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def onnx(path: Path, *graph: bytes) -> Path:
    """A file with the fields of an ONNX model."""
    path.write_bytes(
        field(1, 8) + field(2, b"by hand") + field(7, b"".join(graph)) + field(8, field(2, 18))
    )
    return path


def savedmodel(path: Path, *operators: str) -> Path:
    """A SavedModel's folder whose graph has these operators, the last in a function."""
    nodes = [field(1, field(1, b"node") + field(2, name.encode())) for name in operators[:-1]]
    inside = field(3, field(1, b"node") + field(2, operators[-1].encode()))
    graph = b"".join(nodes) + field(2, field(1, inside))
    path.mkdir()
    (path / "saved_model.pb").write_bytes(field(1, 1) + field(2, field(2, graph)))
    return path


def tflite(path: Path, size: int = 64) -> Path:
    """A file that begins as TFLite's do."""
    path.write_bytes(struct.pack("<I4s", 20, b"TFL3") + bytes(max(size - 8, 0)))
    return path
