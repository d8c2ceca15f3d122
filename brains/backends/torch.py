"""PyTorch networks: TorchScript files, and packages of code compiled ahead of time."""

import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from brains.model import ModelSpec
from brains.network import EngineProof, NetworkBrain
from brains.torch_pilotnet import to_tensor
from harness.errors import DataError, UnavailableError

INTEGER_ENGINE = "x86"
# Operators of a graph that only look at shapes.
_BOOKKEEPING = {"aten::dim", "aten::len", "aten::ne", "aten::size"}


class TorchBrain(NetworkBrain):
    """What the brains of PyTorch share: one process-wide number of threads, tensors in and out."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        if self.threads is not None:
            torch.set_num_threads(self.threads)

    def encode(self, images: NDArray[np.float32]) -> torch.Tensor:
        """The images' own memory as a tensor, (n, 3, 66, 200), channels innermost."""
        return to_tensor(images)

    def decode(self, output: torch.Tensor) -> NDArray[np.float32]:
        """Scaled outputs, shape (n, 2)."""
        return np.asarray(output.numpy(), np.float32)


class TorchScriptBrain(TorchBrain):
    """A TorchScript file, float or integer."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        if INTEGER_ENGINE not in torch.backends.quantized.supported_engines:
            raise UnavailableError(f"model {model.name} needs torch's kernels for x86 processors")
        torch.backends.quantized.engine = INTEGER_ENGINE
        _hear_out_quantizer()
        try:
            script = torch.jit.load(artifact, map_location="cpu").eval()
        except RuntimeError as error:
            line = " ".join(str(error).split())
            raise DataError(f"{artifact} is no TorchScript that runs here: {line}") from error
        modules = script.named_modules()
        self._weights = {name: t for path, module in modules for name, t in _weights(path, module)}
        self._network = torch.jit.freeze(script)
        self._graph = self._network.inlined_graph

    def predict(self, data: torch.Tensor) -> torch.Tensor:
        """Run the graph once; scaled outputs, shape (n, 2)."""
        with torch.inference_mode():
            output: torch.Tensor = self._network(data)
            return output

    def output_step(self) -> float | None:
        """The scale of the last layer, where its outputs are integers."""
        for node in self._graph.findAllNodes("aten::dequantize"):
            layer = node.inputsAt(0).node()
            if layer.kind() == "quantized::linear":
                return float(layer.inputsAt(2).toIValue())
        return None

    def weights(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Weights of each layer, integers where they are stored as such."""
        for name, tensor in self._weights.items():
            if tensor.dim() > 1:
                yield name, (tensor.int_repr() if tensor.is_quantized else tensor).numpy()

    def engine(self) -> EngineProof:
        """torch and its libraries, operators of the frozen graph, parameters."""
        kinds = Counter(node.kind() for node in self._graph.nodes())
        operators: dict[str, dict[str, int]] = {}
        for kind, count in sorted(kinds.items()):
            if kind.startswith("quantized::"):
                operators.setdefault(f"quantised {INTEGER_ENGINE}", {})[kind] = count
            elif kind.startswith("aten::") and kind not in _BOOKKEEPING:
                operators.setdefault("aten", {})[kind] = count
        return {
            "engine": "torch (TorchScript)",
            "engine_version": torch.__version__,
            "device": "cpu",
            "operators": operators,
            "parameters": sum(tensor.numel() for tensor in self._weights.values()),
        }


class TorchCompiledBrain(TorchBrain):
    """An AOTInductor package: machine code of one kind of processor."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        from torch._inductor import aoti_load_package  # noqa: PLC0415 - slow to import

        try:
            self._network = aoti_load_package(str(artifact), run_single_threaded=True)
        except RuntimeError as error:
            line = " ".join(str(error).split())
            raise DataError(f"{artifact} is no compiled network that runs here: {line}") from error
        self._metadata = self._network.get_metadata()
        here = {"torch": torch.__version__, "cpu": torch.backends.cpu.get_cpu_capability()}
        for name, value in here.items():
            if self._metadata.get(name) != value:
                raise DataError(
                    f"{artifact} was compiled for {name} {self._metadata.get(name)}, here is "
                    f"{value}: remove its folder and run `harness optimize {model.name}`"
                )

    def predict(self, data: torch.Tensor) -> torch.Tensor:
        """Run the code once; scaled outputs, shape (n, 2)."""
        with torch.inference_mode():
            output: torch.Tensor = self._network(data)
            return output

    def engine(self) -> EngineProof:
        """torch, the calls that the compiled code makes, parameters."""
        return {
            "engine": f"torch (AOTInductor, {self._metadata['AOTI_CPU_ISA']})",
            "engine_version": torch.__version__,
            "device": "cpu",
            "operators": _compiled_calls(self.artifact),
            "parameters": int(self._metadata["parameters"]),
        }


def _hear_out_quantizer() -> None:
    """Let torch say now, unheard, what it says once a process: that quantised tensors are to go.

    Said by the first inference it would come from C++, past all filters, onto the terminal.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*quantized tensor creation functions")
        torch.quantize_per_tensor(torch.zeros(1), 1.0, 0, torch.quint8)


def _weights(path: str, module: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Name and tensor of the parameters that a module holds itself, packed ones included."""
    for name, tensor in module.named_parameters(recurse=False):
        yield f"{path}.{name}", tensor.detach()
    packed = getattr(module, "_packed_params", None)
    if isinstance(packed, torch.ScriptObject):
        dense = "Linear" in packed._type().name()
        unpack = torch.ops.quantized.linear_unpack if dense else torch.ops.quantized.conv2d_unpack
        weight, bias = unpack(packed)
        layer = path.removesuffix("._packed_params")
        yield f"{layer}.weight", weight
        if bias is not None:
            yield f"{layer}.bias", bias.detach()


def _compiled_calls(package: Path) -> dict[str, dict[str, int]]:
    """Library kernels and generated loops that a package's code calls, and how often."""
    with zipfile.ZipFile(package) as archive:
        (wrapper,) = (name for name in archive.namelist() if name.endswith(".wrapper.cpp"))
        code = archive.read(wrapper).decode()
    body = code[code.index("::run_impl(") :]
    library = Counter(re.findall(r"AOTI_TORCH_ERROR_CODE_CHECK\(aoti_torch_cpu_(\w+)\(", body))
    generated = Counter(re.findall(r"\b(cpp_fused_\w+?)\(", body))
    return {"aten": dict(library), "inductor": dict(generated)}
