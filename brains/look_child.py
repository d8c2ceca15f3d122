"""``python -m brains.look_child``: says what the network in a file takes and gives, as JSON.

``brains.ports`` starts it and tells it, on its standard input, the file, the card and its folder.
It brings the framework of that file's kind alone.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brains.card import NetworkCard
from brains.ports import Port, Ports
from brains.source import SourceKind, kind_of
from harness.errors import DataError, PitwallError, UnavailableError, one_line

FLOAT = "float32"


def main() -> int:
    """Looks at what standard input names."""
    # What an engine prints must not get between.
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    path, drop_lambda = json.load(sys.stdin)
    try:
        answer: dict[str, Any] = ports(Path(path), drop_lambda=drop_lambda)._asdict()
    except PitwallError as error:
        answer = {"error": str(error), "exit_code": error.exit_code}
    except Exception as error:
        # An engine raises whatever it likes at a broken file.
        answer = {"error": f"{path} can't be opened: {one_line(error)}", "exit_code": 3}
    told.write(json.dumps(answer))
    told.close()
    return 0


def ports(path: Path, *, drop_lambda: bool) -> Ports:
    """What the network in a file takes and gives.

    Raises:
        DataError: The file is refused or broken.
        UnavailableError: What opens it is not installed.
    """
    kind = kind_of(path, drop_lambda=drop_lambda)
    looks: dict[SourceKind, Callable[[], Ports]] = {
        SourceKind.TFLITE: lambda: _tflite(path),
        SourceKind.ONNX: lambda: _onnx(path),
        SourceKind.SAVEDMODEL: lambda: _savedmodel(path),
        SourceKind.KERAS2: lambda: _keras(path, kind, drop_lambda),
        SourceKind.KERAS3: lambda: _keras(path, kind, drop_lambda),
        SourceKind.TORCH_EXPORT: lambda: _exported(path),
        SourceKind.TORCHSCRIPT: lambda: _script(path),
        SourceKind.TORCH_WEIGHTS: lambda: _weights(path, kind),
        SourceKind.KERAS_WEIGHTS: lambda: _weights(path, kind),
    }
    try:
        return looks[kind]()
    except ImportError as error:
        extra = {"onnxruntime": "onnx", "torch": "torch"}.get(str(error.name), "tf")
        raise UnavailableError(
            f"{path} needs {error.name}, which is not installed: run `make setup EXTRAS={extra}`"
        ) from error


def _tflite(path: Path) -> Ports:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

    from brains.backends.tflite import ends, refuse_flex  # noqa: PLC0415

    try:
        interpreter = Interpreter(model_path=str(path))
        refuse_flex(interpreter, path)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise DataError(
            f"{path} is not a TFLite network that runs here: {one_line(error)}"
        ) from error

    def ports_of(side: Mapping[str, Any]) -> tuple[Port, ...]:
        return tuple(
            Port(
                name,
                tuple(None if size < 0 else int(size) for size in details["shape_signature"]),
                # Whoever takes scaled integers is given numbers.
                FLOAT if details["quantization"][0] else np.dtype(details["dtype"]).name,
            )
            for name, details in side.items()
        )

    inputs, outputs = ends(interpreter)
    return Ports(ports_of(inputs), ports_of(outputs))


def _onnx(path: Path) -> Ports:
    import onnxruntime  # noqa: PLC0415

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        # The engine's errors share no class but Exception.
        raise DataError(
            f"{path} is not an ONNX network that runs here: {one_line(error)}"
        ) from error
    inputs, outputs = (
        tuple(
            Port(
                one.name,
                tuple(n if isinstance(n, int) and n > 0 else None for n in one.shape),
                _ONNX_NUMBERS.get(one.type, one.type),
            )
            for one in side
        )
        for side in (session.get_inputs(), session.get_outputs())
    )
    return Ports(inputs, outputs)


_ONNX_NUMBERS = {"tensor(float)": FLOAT, "tensor(double)": "float64", "tensor(uint8)": "uint8"}


def _savedmodel(path: Path) -> Ports:
    from brains.backends.keras import shape_of  # noqa: PLC0415
    from brains.tf_network import open_savedmodel  # noqa: PLC0415

    _, signature = open_savedmodel(path)
    sides = (signature.structured_input_signature[1], signature.structured_outputs)
    inputs, outputs = (
        tuple(Port(name, shape_of(spec.shape), spec.dtype.name) for name, spec in side.items())
        for side in sides
    )
    return Ports(inputs, outputs)


def _keras(path: Path, kind: SourceKind, drop_lambda: bool) -> Ports:
    from brains.backends.keras import shape_of  # noqa: PLC0415
    from brains.tf_network import keras_ports, open_keras  # noqa: PLC0415

    card = NetworkCard.model_construct(lambda_="drop" if drop_lambda else None, class_=None)
    network = open_keras(path, kind, card, path.parent)
    sides = zip(keras_ports(network), (network.inputs, network.outputs), strict=True)
    inputs, outputs = (
        tuple(
            Port(name, shape_of(tensor.shape), str(getattr(tensor.dtype, "name", tensor.dtype)))
            for name, tensor in zip(names, tensors, strict=True)
        )
        for names, tensors in sides
    )
    return Ports(inputs, outputs)


def _exported(path: Path) -> Ports:
    from brains.torch_network import named_outputs, pytorch  # noqa: PLC0415

    program = pytorch().export.load(path)
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}

    def port(name: str, node: str) -> Port:
        value = values.get(node)
        shape = getattr(value, "shape", None)
        sizes = None if shape is None else tuple(n if isinstance(n, int) else None for n in shape)
        return Port(name, sizes, str(getattr(value, "dtype", FLOAT)).removeprefix("torch."))

    signature = program.graph_signature
    answers = named_outputs(list(signature.user_outputs))
    return Ports(
        tuple(port(name, name) for name in signature.user_inputs),
        tuple(port(name, node) for name, node in answers.items()),
    )


def _script(path: Path) -> Ports:
    from brains.torch_network import argument_names, pytorch  # noqa: PLC0415

    network = pytorch().jit.load(str(path), map_location="cpu")
    return Ports(tuple(Port(name, None, FLOAT) for name in argument_names(network)), ())


def _weights(path: Path, kind: SourceKind) -> Ports:
    """Of weights alone only the channels of the first convolution are known."""
    channels: int | None = None
    if kind == SourceKind.TORCH_WEIGHTS:
        from brains.torch_network import read_state  # noqa: PLC0415

        kernels = [tensor for tensor in read_state(path).values() if tensor.dim() == 4]
        channels = int(kernels[0].shape[1]) if kernels else None
    return Ports((Port("image", (None, channels, None, None), FLOAT),), ())


if __name__ == "__main__":
    sys.exit(main())
