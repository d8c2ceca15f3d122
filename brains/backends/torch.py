"""PyTorch networks: TorchScript files, and packages of code compiled ahead of time."""

import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

from brains.artifacts import asked_by
from brains.model import ModelSpec
from brains.network import EngineProof, Inputs, NetworkBrain
from brains.source import SourceKind
from brains.torch_network import argument_names, in_order, named_outputs, open_module
from harness.errors import DataError, UnavailableError

INTEGER_ENGINE = "x86"
# Operators of a graph that only look at shapes.
_BOOKKEEPING = {"aten::dim", "aten::len", "aten::ne", "aten::size"}


class TorchBrain(NetworkBrain):
    """What the brains of PyTorch share: one process-wide number of threads, tensors in and out."""

    untold_layout = "nchw"
    # Channels stay innermost in memory ("channels last"), as oneDNN's kernels like them best.
    copied = False
    _network: Any

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        if self.threads is not None:
            torch.set_num_threads(self.threads)

    def takes_arguments(self, names: Sequence[str]) -> None:
        """As ``takes``, of a network that tells its arguments' names, and no shapes.

        The inputs are handed over in the order of the arguments, by the card's names if these are
        the arguments', else as the card has them.
        """
        known = self.view.shapes()
        self._order = list(in_order({name: name for name in known}, names))
        self.takes(dict.fromkeys(self._order))

    def encode(self, inputs: Inputs) -> Any:
        """The inputs' own memory as tensors, in the network's order."""
        return tuple(torch.from_numpy(inputs[name]) for name in self._order)

    def predict(self, data: Any) -> Any:
        """Run the network once."""
        with torch.inference_mode():
            return self._network(*data)

    def decode(self, output: Any) -> Mapping[str, NDArray[np.float32]]:
        """The tensors as arrays, by name."""
        return {
            name: np.asarray(values.numpy(), np.float32)
            for name, values in named_outputs(output).items()
        }


class TorchScriptBrain(TorchBrain):
    """A TorchScript file, float or integer."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        if INTEGER_ENGINE not in torch.backends.quantized.supported_engines:
            raise UnavailableError(f"model {model.name} needs torch's kernels for x86 processors")
        torch.backends.quantized.engine = INTEGER_ENGINE
        _hear_out_quantizer()
        script = open_module(artifact, SourceKind.TORCHSCRIPT, self.card, self.card_folder)
        modules = script.named_modules()
        self._weights = {name: t for path, module in modules for name, t in _weights(path, module)}
        self.takes_arguments(argument_names(script))
        self._network = torch.jit.freeze(script)
        self._graph = self._network.inlined_graph

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


class TorchModuleBrain(TorchBrain):
    """A network in PyTorch itself: a torch.export file, or weights with a class."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        kind = SourceKind(model.kind or SourceKind.TORCH_WEIGHTS)
        self._network = open_module(artifact, kind, self.card, self.card_folder)
        self.takes_arguments(argument_names(self._network))

    def weights(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Weights of each layer."""
        for name, tensor in self._network.named_parameters():
            if tensor.dim() > 1:
                yield name, tensor.detach().numpy()

    def engine(self) -> EngineProof:
        """torch, the operators that one answer calls, parameters."""
        given = [torch.zeros(shape) for shape in self.engine_shapes().values()]
        with Calls() as calls, torch.inference_mode():
            self._network(*given)
        return {
            "engine": "torch (eager)",
            "engine_version": torch.__version__,
            "device": "cpu",
            "operators": {"aten": dict(calls.counts)},
            "parameters": sum(tensor.numel() for tensor in self._network.parameters()),
        }


class Calls(TorchDispatchMode):  # type: ignore[misc]
    """Counts the operators that torch's dispatcher calls."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        del types
        if not getattr(function, "is_view", False):
            self.counts[str(function.overloadpacket).replace("aten.", "aten::")] += 1
        return function(*args, **(kwargs or {}))


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
                    f"{value}: remove its folder and run `harness optimize {asked_by(model)}`"
                )
        # Called by position, in the order of the network that it was made from.
        names = self._metadata.get("inputs", "")
        self.takes_arguments(names.split(",") if names else list(self.view.shapes()))

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
