"""PilotNet as the published study built it in PyTorch, and its weights file.

Everything here needs PyTorch (extra ``torch``); it is imported inside the functions. Unlike the
Keras network (``brains.pilotnet``) its convolutions are valid ones, without padding, so that the
first dense layer takes 1,152 instead of 14,400 values.
"""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from brains.torch_network import pytorch
from brains.weights_file import write_weights
from harness.errors import DataError

PARAMETERS = 1_595_528
CONVOLUTIONS = ((3, 24, 5, 2), (24, 36, 5, 2), (36, 48, 5, 2), (48, 64, 3, 1), (64, 64, 3, 1))
DENSE = ((1152, 1164), (1164, 100), (100, 50), (50, 10), (10, 2))


def build_network() -> Any:
    """PilotNet with random weights, a torch module of 1,595,528 parameters.

    Input float32 (n, 3, 66, 200), normalised; output (n, 2): speed and yaw rate in [0, 1].
    The weights are drawn as He et al. (2015) advise for ReLU: torch's own are so small that
    hardly anything of the image passes nine layers, and training begins late.
    """
    nn = pytorch().nn
    layers = [nn.BatchNorm2d(3, eps=1e-3)]
    for channels, filters, size, stride in CONVOLUTIONS:
        layers += [nn.Conv2d(channels, filters, size, stride), nn.ReLU()]
    layers.append(nn.Flatten())
    for values, units in DENSE:
        layers += [nn.Linear(values, units), nn.ReLU()]
    for layer in layers:
        if hasattr(layer, "weight") and layer.weight.dim() > 1:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers[:-1])


def to_tensor(images: NDArray[np.float32]) -> Any:
    """Images, shape (n, 66, 200, 3), as a tensor (n, 3, 66, 200) of the same memory.

    Its channels then lie innermost ("channels last"), as oneDNN's kernels like them best.
    """
    return pytorch().from_numpy(images).permute(0, 3, 1, 2)


def save_weights(network: Any, path: Path, *, compress: bool = False) -> None:
    """Write a network's weights file: by name, rounded to float16 (atomically).

    Args:
        network: A torch module.
        path: The file, an ``.npz``.
        compress: Whether to deflate it; worth its time where many weights are zero.

    Raises:
        DataError: A weight is not finite or too large for float16.
    """
    state = network.state_dict().items()
    floats = {name: t.detach().numpy() for name, t in state if t.is_floating_point()}
    write_weights(path, floats, compress=compress)


def load_network(path: Path) -> Any:
    """PilotNet with the weights of a weights file, ready to answer.

    Raises:
        DataError: The file is missing or holds no such PilotNet.
        UnavailableError: PyTorch is not installed.
    """
    torch = pytorch()
    network = build_network()
    try:
        with np.load(path) as arrays:
            state = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays}
        counter = "0.num_batches_tracked"
        network.load_state_dict({**state, counter: network.state_dict()[counter]})
    except (OSError, ValueError, RuntimeError, EOFError, BadZipFile) as error:
        line = " ".join(str(error).split())
        raise DataError(f"{path} holds no PyTorch PilotNet weights: {line}") from error
    return network.eval()
