"""PyTorch files from the PyTorch PilotNet: TorchScript, and code compiled ahead of time."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH
from brains.torch_pilotnet import load_network, pytorch
from brains.workshop import Workshop
from harness.errors import UnavailableError


def float32(workshop: Workshop) -> None:
    """TorchScript, weights and arithmetic in float32."""
    workshop.target.write_bytes(torchscript(load_network(workshop.weights())))


def compiled(workshop: Workshop) -> None:
    """Machine code of this machine's processor, made by TorchInductor (AOTInductor package).

    Made once, ahead of time: loading it needs neither a compiler nor a warm-up of minutes.

    Raises:
        UnavailableError: This machine has no C++ compiler.
    """
    network = load_network(workshop.weights())
    threads = int(workshop.model.options["threads"])
    package = compile_ahead(network, example(), threads, workshop.scratch)
    package.replace(workshop.target)


def compile_ahead(network: Any, example: Any, threads: int, scratch: Path) -> Path:
    """A package of machine code for one shape of input.

    Args:
        network: A torch module.
        example: An input.
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
        exported = torch.export.export(network, (example,))
        aoti_compile_and_package(exported, package_path=str(package), inductor_configs=settings)
    return package


def example() -> Any:
    """An input of the networks, (1, 3, 66, 200), its channels innermost as the brains give it."""
    torch = pytorch()
    image = torch.zeros(1, INPUT_HEIGHT, INPUT_WIDTH, 3)
    return image.permute(0, 3, 1, 2)


def torchscript(network: Any) -> bytes:
    """A TorchScript file of a network."""
    torch = pytorch()
    file = io.BytesIO()
    with torch.no_grad():
        torch.jit.save(torch.jit.trace(network, example()), file)
    return file.getvalue()


@contextmanager
def quietly() -> Iterator[None]:
    """Without torch's advice to its users to move to other functions."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*quantized tensor creation functions")
        warnings.filterwarnings("ignore", message="Please use quant_min and quant_max")
        yield
