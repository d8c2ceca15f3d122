"""The PyTorch PilotNet on an NVIDIA GPU, replayed as a CUDA graph."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

from brains.cuda import GpuCall, cuda
from brains.model import ModelSpec
from brains.network import EngineProof, NetworkBrain
from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH
from brains.torch_network import without_normalisation
from brains.torch_pilotnet import PARAMETERS, load_network

IMAGE_SHAPE = (1, INPUT_HEIGHT, INPUT_WIDTH, 3)


class TorchCudaBrain(NetworkBrain):
    """PilotNet from its weights file; the option ``version`` names one of ``VERSIONS``."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        cuda()
        torch.backends.cudnn.benchmark = True
        # TensorFloat-32 keeps 10 of a float32's 23 bits.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        self._network = version_of(artifact, str(model.options["version"]))
        self._network.network.cuda()
        self._call = GpuCall(self._network, IMAGE_SHAPE)

    def predict(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled outputs, shape (1, 2), overwritten by the next call."""
        return self._call(data)

    def engine(self) -> EngineProof:
        """torch with its CUDA, operators by device and number format, parameters."""
        image = torch.zeros(IMAGE_SHAPE, device="cuda")
        return {
            "engine": f"torch (CUDA {torch.version.cuda}, CUDA graph)",
            "engine_version": torch.__version__,
            "device": self._call.device,
            "operators": executed(self._network, image),
            "parameters": PARAMETERS,
        }

    def weights(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Weights of each layer, as they are on the GPU."""
        for name, tensor in self._network.network.named_parameters():
            if tensor.dim() > 1:
                yield name, stored(tensor.detach()).cpu().numpy()

    def proof(self) -> dict[str, Any]:
        """As of every network, with the parts of an inference."""
        return {**super().proof(), **self._call.parts()}


@dataclass(frozen=True)
class PilotNet:
    """PilotNet for images as the brains give them, on any device.

    Attributes:
        network: A torch module.
        kind: The type of number it takes.
    """

    network: Any
    kind: torch.dtype

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Scaled outputs, float32 (1, 2), of an image, float32 (1, 66, 200, 3)."""
        # Channels stay innermost in memory, as cuDNN's kernels for tensor cores like them.
        answer: torch.Tensor = self.network(image.permute(0, 3, 1, 2).to(self.kind))
        return answer.float()


def float32(network: Any) -> PilotNet:
    """Weights and arithmetic in float32; no TensorFloat-32."""
    return PilotNet(network, torch.float32)


def float16(network: Any) -> PilotNet:
    """Weights and arithmetic in float16."""
    return PilotNet(network.half(), torch.float16)


def int8(network: Any) -> PilotNet:
    """Dense layers with int8 weights, scaled back in each call; all arithmetic in float16.

    torch has no int8 convolution for GPUs, and its int8 product takes 17 rows or more.
    """
    from torchao.quantization import Int8WeightOnlyConfig, quantize_  # noqa: PLC0415 - slow

    halved = network.half()
    quantize_(halved, Int8WeightOnlyConfig())
    return PilotNet(halved, torch.float16)


VERSIONS: dict[str, Callable[[Any], PilotNet]] = {
    "float32": float32,
    "float16": float16,
    "int8": int8,
}


def version_of(weights: Path, version: str) -> PilotNet:
    """The network of a weights file in one of the ``VERSIONS``, on the CPU.

    The normalisation in front becomes part of the first convolution, which is exact.
    """
    network = without_normalisation(load_network(weights)).to(memory_format=torch.channels_last)
    return VERSIONS[version](network)


def executed(network: PilotNet, image: torch.Tensor) -> dict[str, dict[str, int]]:
    """Operators that compute when the network answers, by device: how often, on which numbers."""
    seen = _Seen()
    with torch.inference_mode(), seen:
        network(image)
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
