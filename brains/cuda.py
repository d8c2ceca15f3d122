"""One call on an NVIDIA GPU, as every brain that PyTorch hands its memory to makes it.

An inference is: the image to the GPU, the network, the answer back, all finished. The network's
kernels are captured once as a CUDA graph and then replayed, so that a hundred small launches by
Python cost one. PyTorch (extra ``cuda``) is imported inside the functions.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from brains.torch_network import pytorch
from harness.errors import UnavailableError

WARM_UP = 5
TIMED_CALLS = 50
# Numbers of 4 bytes: 256 bytes, as CUDA's own memory begins.
_ALIGNED = 64


class Parts(TypedDict):
    """Medians of what an inference consists of, by the GPU's own clock, milliseconds.

    Attributes:
        host_to_device_ms: The image from pinned memory to the GPU.
        device_ms: The network.
        device_to_host_ms: The answer back.
    """

    host_to_device_ms: float
    device_ms: float
    device_to_host_ms: float


def cuda() -> Any:
    """The module ``torch``, of a build that reaches a GPU of this machine.

    Raises:
        UnavailableError: It is a build for CPUs, or finds no GPU.
    """
    torch = pytorch()
    if torch.version.cuda is None:
        raise UnavailableError(
            f"PyTorch {torch.__version__} is a build for CPUs: run `make setup EXTRAS=cuda`"
        )
    if not torch.cuda.is_available():
        raise UnavailableError(
            f"PyTorch {torch.__version__} (CUDA {torch.version.cuda}) finds no GPU: "
            "`harness doctor` looks at driver and device"
        )
    return torch


class Packed:
    """Arrays by name in one piece of memory, so that one copy moves them all.

    Attributes:
        begins: Where each begins, in numbers.
        size: How many numbers there are.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Lay them out, each at an address that engines like.

        Args:
            shapes: Of each, by name.
        """
        self._shapes = dict(shapes)
        self.begins: dict[str, int] = {}
        self.size = 0
        for name, shape in self._shapes.items():
            self.begins[name] = self.size
            self.size += -(-math.prod(shape) // _ALIGNED) * _ALIGNED
        self._memory = np.zeros(self.size, np.float32)

    def packed(self, arrays: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """The arrays one behind the other, overwritten by the next call."""
        for name, part in self.parts(self._memory).items():
            part[...] = arrays[name]
        return self._memory

    def parts(self, memory: Any) -> dict[str, Any]:
        """Each array as a view of a piece of memory, NumPy's or torch's."""
        return {
            name: memory[begin : begin + math.prod(shape)].reshape(shape)
            for (name, begin), shape in zip(self.begins.items(), self._shapes.values(), strict=True)
        }


class GpuCall:
    """A network on the GPU, called with one image of fixed shape.

    Attributes:
        device: Name of the GPU.
    """

    def __init__(self, network: Callable[[Any], Any], shape: tuple[int, ...]) -> None:
        """Capture the network.

        Args:
            network: Takes a float32 tensor of ``shape`` on the GPU and answers with one there. It
                is called a few times before the capture, and must run without waiting for the CPU.
            shape: Of the image.

        Raises:
            UnavailableError: There is no GPU.
        """
        self._torch = torch = cuda()
        self.device = str(torch.cuda.get_device_name())
        with torch.inference_mode():
            self._host_image = torch.zeros(shape).pin_memory()
            self._image = self._host_image.cuda()
            self._graph, self._answer = self._capture(network)
            self._host_answer = torch.zeros(self._answer.shape).pin_memory()

    def __call__(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's answer to an image in the host's memory; overwritten by the next call."""
        torch = self._torch
        with torch.inference_mode():
            self._host_image.copy_(torch.from_numpy(image))
            self._image.copy_(self._host_image, non_blocking=True)
            self._graph.replay()
            self._host_answer.copy_(self._answer, non_blocking=True)
        torch.cuda.current_stream().synchronize()
        answer: NDArray[np.float32] = self._host_answer.numpy()
        return answer

    def parts(self) -> Parts:
        """Time the parts of an inference."""
        torch = self._torch
        times_ms: list[list[float]] = []
        with torch.inference_mode():
            for _ in range(TIMED_CALLS):
                marks = [torch.cuda.Event(enable_timing=True) for _ in range(4)]
                marks[0].record()
                self._image.copy_(self._host_image, non_blocking=True)
                marks[1].record()
                self._graph.replay()
                marks[2].record()
                self._host_answer.copy_(self._answer, non_blocking=True)
                marks[3].record()
                torch.cuda.synchronize()
                pairs = itertools.pairwise(marks)
                times_ms.append([begin.elapsed_time(end) for begin, end in pairs])
        to_device_ms, device_ms, to_host_ms = map(statistics.median, zip(*times_ms, strict=True))
        return {
            "host_to_device_ms": to_device_ms,
            "device_ms": device_ms,
            "device_to_host_ms": to_host_ms,
        }

    def _capture(self, network: Callable[[Any], Any]) -> tuple[Any, Any]:
        torch = self._torch
        # Libraries choose kernels and take memory in their first calls, which a graph can't hold;
        # a capture wants another stream than the default one.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                network(self._image)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            answer = network(self._image).float()
        torch.cuda.synchronize()
        return graph, answer
