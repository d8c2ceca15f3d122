"""Networks of PyTorch, opened from their files: what recipes and backends share.

Everything here needs PyTorch (extra ``torch``); it is imported inside the functions.
"""

import copy
import importlib
import inspect
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brains.card import NetworkCard
from brains.loading import function_of
from brains.source import SourceKind
from harness.errors import DataError, PitwallError, UnavailableError, one_line

OUTPUT = "output"
_NESTED = ("state_dict", "model_state_dict", "model")
_PREFIXES = ("module.", "model.", "net.", "network.")


def pytorch() -> Any:
    """The module ``torch``.

    Raises:
        UnavailableError: It is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise UnavailableError(
            f"PyTorch is not installed ({error}): run `make setup EXTRAS=torch`"
        ) from error


def open_module(source: Path, kind: SourceKind, card: NetworkCard, folder: Path) -> Any:
    """A torch module from its file, ready to answer; nothing pickled is run.

    Args:
        source: The file.
        kind: ``torchscript``, ``torch_export`` or ``torch_weights``.
        card: The network's card.
        folder: Where the card lies: its ``class`` is looked for there too.

    Raises:
        DataError: The file can't be loaded as such a network.
        UnavailableError: PyTorch is not installed.
    """
    torch = pytorch()
    try:
        match kind:
            case SourceKind.TORCHSCRIPT:
                return torch.jit.load(str(source), map_location="cpu").eval()
            case SourceKind.TORCH_EXPORT:
                return torch.export.load(source).module()
            case SourceKind.TORCH_WEIGHTS:
                network = function_of(str(card.class_), folder)()
                load_state(network, read_state(source))
                return network.eval()
            case _:
                raise DataError(f"{source} is no PyTorch network")
    except PitwallError:
        raise
    except Exception as error:
        # torch raises whatever its unpickler, its parser and the network's own code raise.
        text = one_line(error).partition("weights_only")[0].rstrip(" `")
        raise DataError(f"{source} is no PyTorch network that loads here: {text}") from error


def read_state(source: Path) -> dict[str, Any]:
    """Tensors by name of a weights file: a state_dict, a checkpoint that holds one, or an npz."""
    torch = pytorch()
    if source.suffix == ".npz" or _is_npz(source):
        with np.load(source) as arrays:
            return {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays}
    content = torch.load(source, map_location="cpu", weights_only=True)
    for name in _NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    return {name: value for name, value in content.items() if isinstance(value, torch.Tensor)}


def load_state(network: Any, state: Mapping[str, Any]) -> None:
    """Give a network its weights; counters that only training needs may be missing.

    Raises:
        DataError: The weights are another network's.
    """
    own = network.state_dict()
    for prefix in _PREFIXES:
        if not own.keys() & state.keys() and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    counters = {name: value for name, value in own.items() if name.endswith("num_batches_tracked")}
    try:
        network.load_state_dict({**counters, **state})
    except RuntimeError as error:
        raise DataError(
            f"the weights are not those of {type(network).__name__}: {one_line(error)}"
        ) from error


def without_normalisation(network: Any) -> Any:
    """The same network without a leading BatchNorm, whose work the first convolution takes over.

    Only of a Sequential that begins with both, where the convolution does not pad: there it is
    exact. With the BatchNorm's y = gain x + offset for each channel,
    W * y + b = (W gain) * x + (b + sum of W offset).

    Args:
        network: A torch module; is not changed.
    """
    torch = pytorch()
    nn = torch.nn
    if not isinstance(network, nn.Sequential) or len(network) < 3:
        return network
    if not (isinstance(network[0], nn.BatchNorm2d) and isinstance(network[1], nn.Conv2d)):
        return network
    if network[1].padding not in ((0, 0), "valid") or network[1].groups != 1:
        return network
    bare = nn.Sequential(*copy.deepcopy(network)[1:])
    normalisation, convolution = network[0], bare[0]
    with torch.no_grad():
        deviation = (normalisation.running_var + normalisation.eps).sqrt()
        gain = normalisation.weight / deviation
        offset = normalisation.bias - normalisation.running_mean * gain
        if convolution.bias is None:
            convolution.bias = nn.Parameter(torch.zeros(convolution.out_channels))
        convolution.bias += (convolution.weight * offset[:, None, None]).sum(dim=(1, 2, 3))
        convolution.weight *= gain[:, None, None]
    return bare


def argument_names(network: Any) -> list[str]:
    """Names of the inputs that a module's forward takes, in its order."""
    torch = pytorch()
    if isinstance(network, torch.jit.ScriptModule):
        return [argument.name for argument in network.forward.schema.arguments[1:]]
    if isinstance(network, torch.fx.GraphModule):
        return [str(node.target) for node in network.graph.nodes if node.op == "placeholder"]
    parameters = inspect.signature(network.forward).parameters.values()
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in named]


def in_order(given: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    """Inputs in the order of a module's arguments: by name, or as the card has them."""
    if len(given) > 1 and all(name in names for name in given):
        return tuple(given[name] for name in names if name in given)
    return tuple(given.values())


def named_outputs(answer: Any) -> dict[str, Any]:
    """A module's answer by name; a tensor is ``output``, of several the first is ``output_0``."""
    if isinstance(answer, Mapping):
        return dict(answer)
    if isinstance(answer, list | tuple):
        flat = list(_flat(answer))
        if len(flat) == 1:
            return {OUTPUT: flat[0]}
        return {f"{OUTPUT}_{index}": value for index, value in enumerate(flat)}
    return {OUTPUT: answer}


def _flat(answer: Any) -> Any:
    if isinstance(answer, list | tuple):
        for value in answer:
            yield from _flat(value)
    else:
        yield answer


def _is_npz(source: Path) -> bool:
    if not zipfile.is_zipfile(source):
        return False
    with zipfile.ZipFile(source) as archive:
        return all(name.endswith(".npy") for name in archive.namelist())
