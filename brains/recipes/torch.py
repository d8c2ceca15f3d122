"""PyTorch files of any torch network: TorchScript, and code compiled ahead of time."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brains.layouts import Inputs
from brains.torch_network import argument_names, in_order, open_module, pytorch
from brains.view import Layout
from brains.workshop import Workshop
from harness.errors import UnavailableError


@dataclass(frozen=True)
class TorchSource:
    """A network in PyTorch.

    Attributes:
        network: A torch module.
        inputs: Names of its inputs in the order in which it takes them.
        example: An input each, of one sample.
        layout: Where its pictures have their channels.
    """

    network: Any
    inputs: list[str]
    example: tuple[Any, ...]
    layout: Layout

    def tensors(self, samples: Sequence[Inputs]) -> tuple[Any, ...]:
        """Samples as the network takes them, in one batch."""
        torch = pytorch()
        return tuple(
            self._placed(torch.cat([torch.from_numpy(sample[name]) for sample in samples]))
            for name in self.inputs
        )

    def _placed(self, batch: Any) -> Any:
        """The same memory with the channels where the network has them."""
        if batch.dim() < 4 or self.layout == "nhwc":
            return batch
        return batch.movedim(-1, -3)


def torch_source(workshop: Workshop) -> TorchSource:
    """Open the workshop's file.

    Raises:
        DataError: The file can't be loaded as such a network.
        UnavailableError: PyTorch is not installed.
    """
    torch = pytorch()
    card = workshop.card
    network = open_module(workshop.source, workshop.kind, card, workshop.card_folder)
    shapes = {**workshop.view.shapes(), **workshop.state_shapes()}
    layout: Layout = card.sees.image.layout or "nchw"
    inputs = list(in_order({name: name for name in shapes}, argument_names(network)))
    # Channels lie innermost in memory, as the brains give them.
    example = [torch.zeros(shapes[name]) for name in inputs]
    source = TorchSource(network, inputs, (), layout)
    return TorchSource(network, inputs, tuple(source._placed(one) for one in example), layout)


def float32(workshop: Workshop) -> None:
    """TorchScript, weights and arithmetic in float32."""
    source = torch_source(workshop)
    workshop.target.write_bytes(torchscript(source.network, source.example))


def compiled(workshop: Workshop) -> None:
    """Machine code of this machine's processor, made by TorchInductor (AOTInductor package).

    Made once, ahead of time: loading it needs neither a compiler nor a warm-up of minutes.

    Raises:
        UnavailableError: This machine has no C++ compiler.
    """
    source = torch_source(workshop)
    threads = int(workshop.model.options["threads"])
    package = compile_ahead(source.network, source.example, threads, workshop.scratch)
    package.replace(workshop.target)


def compile_ahead(network: Any, example: tuple[Any, ...], threads: int, scratch: Path) -> Path:
    """A package of machine code for one shape of input.

    Args:
        network: A torch module.
        example: An input each.
        threads: How many threads the code will use.
        scratch: Folder for the compiler's files, and for the package.

    Raises:
        UnavailableError: This machine has no C++ compiler.
    """
    torch = pytorch()
    from torch._inductor import aoti_compile_and_package  # noqa: PLC0415 - slow to import
    from torch._inductor.cpp_builder import get_cpp_compiler  # noqa: PLC0415
    from torch._inductor.exc import InvalidCxxCompiler  # noqa: PLC0415
    from torch._inductor.utils import fresh_cache  # noqa: PLC0415

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        raise UnavailableError("torch compiles with a C++ compiler: install g++") from error
    parameters = sum(weight.numel() for weight in network.parameters())
    settings = {
        "freezing": True,
        "cpp.threads": threads,
        "aot_inductor.metadata": {
            "parameters": str(parameters),
            "torch": torch.__version__,
            "cpu": torch.backends.cpu.get_cpu_capability(),
        },
    }
    package = scratch / "network.pt2"
    with fresh_cache(dir=str(scratch)), torch.no_grad(), quietly():
        exported = torch.export.export(network, example)
        aoti_compile_and_package(exported, package_path=str(package), inductor_configs=settings)
    return package


def torchscript(network: Any, example: tuple[Any, ...]) -> bytes:
    """A TorchScript file of a network."""
    torch = pytorch()
    file = io.BytesIO()
    with torch.no_grad(), quietly():
        # Not strict: a network may answer with a dict.
        torch.jit.save(torch.jit.trace(network, example, strict=False), file)
    return file.getvalue()


@contextmanager
def quietly() -> Iterator[None]:
    """Without torch's advice to its users to move to other functions."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*quantized tensor creation functions")
        warnings.filterwarnings("ignore", message="Please use quant_min and quant_max")
        # Of the ONNX exporter and the tracer: constants, and shapes taken as such.
        warnings.filterwarnings("ignore", module="torch.onnx")
        warnings.filterwarnings("ignore", category=pytorch().jit.TracerWarning)
        yield
