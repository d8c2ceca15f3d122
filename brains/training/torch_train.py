"""Training of PilotNet in PyTorch."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.torch_pilotnet import build_network, pytorch, save_weights, to_tensor
from brains.training.dataset import Split
from brains.training.loop import TrainParams, output_weights, pixel_statistics


class TorchLearner:
    """A torch network and Adam; see ``loop.Learner``.

    Steps may compute products in bfloat16, which halves their time; weights, validation and
    everything else are float32.
    """

    def __init__(self, network: Any, params: TrainParams, *, bfloat16: bool) -> None:
        torch = pytorch()
        self._network = network.to(memory_format=torch.channels_last)
        self._bfloat16 = bfloat16
        learned = [weight for weight in network.parameters() if weight.requires_grad]
        self._optimizer = torch.optim.Adam(learned, params.learning_rate, eps=1e-7)
        self._weights = torch.from_numpy(output_weights(params.steering_weight))

    def step(
        self,
        images: NDArray[np.float32],
        outputs: NDArray[np.float32],
        learning_rate: float,
    ) -> float:
        """Learn from one batch; its loss."""
        torch = pytorch()
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
            answers = self._network(to_tensor(images))
        squares = (answers.float() - torch.from_numpy(outputs)) ** 2
        loss = (squares * self._weights).mean()
        loss.backward()
        self._optimizer.step()
        return float(loss.detach())

    def answers(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        """Scaled outputs, shape (n, 2)."""
        with pytorch().inference_mode():
            return np.asarray(self._network(to_tensor(images)))

    def save_weights(self, path: Path) -> None:
        """Write the weights file."""
        save_weights(self._network, path)

    def save_checkpoint(self, stem: Path) -> None:
        """Write network and optimizer."""
        state = {"network": self._network.state_dict(), "optimizer": self._optimizer.state_dict()}
        pytorch().save(state, f"{stem}.pt")

    def restore_checkpoint(self, stem: Path) -> None:
        """Go on from a checkpoint."""
        state = pytorch().load(f"{stem}.pt", weights_only=True)
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])


def new_learner(training: Split, params: TrainParams) -> TorchLearner:
    """PilotNet with random weights.

    The leading BatchNorm takes the training set's own mean and variance and stays so: before a
    convolution without padding its four figures a channel add nothing that the convolution
    cannot learn.
    """
    torch = pytorch()
    torch.manual_seed(params.seed)
    network = build_network().eval()
    mean, variance = pixel_statistics(training)
    normalisation = network[0].requires_grad_(False)
    normalisation.running_mean.copy_(torch.from_numpy(mean))
    normalisation.running_var.copy_(torch.from_numpy(variance))
    return TorchLearner(network, params, bfloat16=True)
