"""PyTorch networks on an NVIDIA GPU, replayed as a CUDA graph."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

from brains.cuda import GpuCall, Packed, cuda
from brains.model import ModelSpec
from brains.network import EngineProof, Inputs, NetworkBrain
from brains.source import SourceKind
from brains.torch_network import (
    argument_names,
    in_order,
    named_outputs,
    open_module,
    without_normalisation,
)
from brains.view import Layout


class TorchCudaBrain(NetworkBrain):
    """A torch network from its weights; the option ``version`` names one of ``VERSIONS``."""

    untold_layout = "nchw"

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        cuda()
        torch.backends.cudnn.benchmark = True
        # TensorFloat-32 keeps 10 of a float32's 23 bits.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        network = open_module(artifact, SourceKind.TORCH_WEIGHTS, self.card, self.card_folder)
        self._parameters = sum(weight.numel() for weight in network.parameters())
        names = argument_names(network)
        seen = self.view.shapes()
        self._order = list(in_order({name: name for name in seen}, names))
        # Pictures stay as the view gives them: the network turns them on the GPU.
        self.takes({name: seen[name] for name in self._order})
        self._inputs = Packed(seen)
        layout = self.card.sees.image.layout or "nchw"
        self._network = version_of(network, str(model.options["version"]), layout)
        self._network.network.cuda()
        with torch.inference_mode():
            zeros = [torch.zeros(seen[name], device="cuda") for name in self._order]
            answers = named_outputs(self._network(*zeros))
        self._outputs = Packed({name: tuple(one.shape) for name, one in answers.items()})
        self._output = torch.zeros(self._outputs.size, device="cuda")
        self._call = GpuCall(self._answer, (self._inputs.size,))

    def encode(self, inputs: Inputs) -> NDArray[np.float32]:
        """The inputs one behind the other."""
        return self._inputs.packed(inputs)

    def predict(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """The outputs one behind the other, overwritten by the next call."""
        return self._call(data)

    def decode(self, output: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name."""
        parts: dict[str, NDArray[np.float32]] = self._outputs.parts(output)
        return parts

    def engine(self) -> EngineProof:
        """torch with its CUDA, operators by device and number format, parameters."""
        shapes = self.view.shapes()
        given = [torch.zeros(shapes[name], device="cuda") for name in self._order]
        return {
            "engine": f"torch (CUDA {torch.version.cuda}, CUDA graph)",
            "engine_version": torch.__version__,
            "device": self._call.device,
            "operators": executed(self._network, *given),
            "parameters": self._parameters,
        }

    def weights(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Weights of each layer, as they are on the GPU."""
        for name, tensor in self._network.network.named_parameters():
            if tensor.dim() > 1:
                yield name, stored(tensor.detach()).cpu().numpy()

    def proof(self) -> dict[str, Any]:
        """As of every network, with the parts of an inference."""
        return {**super().proof(), **self._call.parts()}

    def _answer(self, given: Any) -> Any:
        parts = self._inputs.parts(given)
        answers = named_outputs(self._network(*(parts[name] for name in self._order)))
        for name, place in self._outputs.parts(self._output).items():
            place.copy_(answers[name])
        return self._output


@dataclass(frozen=True)
class OnDevice:
    """A network for inputs as the views give them, on any device.

    Attributes:
        network: A torch module.
        kind: The type of number it takes.
        layout: Where it has a picture's channels.
    """

    network: Any
    kind: torch.dtype
    layout: Layout = "nchw"

    def __call__(self, *given: torch.Tensor) -> Any:
        """The network's answer, as it gives it, of inputs with their channels last."""
        return self.network(*(self._placed(one).to(self.kind) for one in given))

    def _placed(self, given: torch.Tensor) -> torch.Tensor:
        # Channels stay innermost in memory, as cuDNN's kernels for tensor cores like them.
        if given.dim() < 4 or self.layout == "nhwc":
            return given
        return given.movedim(-1, -3)


def float32(network: Any, layout: Layout) -> OnDevice:
    """Weights and arithmetic in float32; no TensorFloat-32."""
    return OnDevice(network, torch.float32, layout)


def float16(network: Any, layout: Layout) -> OnDevice:
    """Weights and arithmetic in float16."""
    return OnDevice(network.half(), torch.float16, layout)


def int8(network: Any, layout: Layout) -> OnDevice:
    """Dense layers with int8 weights, scaled back in each call; all arithmetic in float16.

    torch has no int8 convolution for GPUs, and its int8 product takes 17 rows or more.
    """
    from torchao.quantization import Int8WeightOnlyConfig, quantize_  # noqa: PLC0415 - slow

    halved = network.half()
    quantize_(halved, Int8WeightOnlyConfig())
    return OnDevice(halved, torch.float16, layout)


VERSIONS: dict[str, Callable[[Any, Layout], OnDevice]] = {
    "float32": float32,
    "float16": float16,
    "int8": int8,
}


def version_of(network: Any, version: str, layout: Layout = "nchw") -> OnDevice:
    """A network in one of the ``VERSIONS``, on the CPU.

    A normalisation in front becomes part of the first convolution where that is exact.
    """
    bare = without_normalisation(network).to(memory_format=torch.channels_last)
    return VERSIONS[version](bare, layout)


def executed(network: OnDevice, *given: torch.Tensor) -> dict[str, dict[str, int]]:
    """Operators that compute when the network answers, by device: how often, on which numbers."""
    seen = _Seen()
    with torch.inference_mode(), seen:
        network(*given)
    return {device: dict(counts) for device, counts in seen.counts.items()}


class _Seen(TorchDispatchMode):  # type: ignore[misc]
    """Counts what torch's dispatcher calls."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, Counter[str]] = {}

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        del types
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and not function.is_view:
            name = str(function.overloadpacket).removeprefix("aten.")
            kind = str(result.dtype).removeprefix("torch.")
            self.counts.setdefault(str(result.device), Counter())[f"{name} {kind}"] += 1
        return result


def stored(weight: torch.Tensor) -> torch.Tensor:
    """A weight as it is kept: the integers of one that torchao has quantised."""
    integers: torch.Tensor = getattr(weight, "qdata", weight)
    return integers
