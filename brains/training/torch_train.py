"""Training of a PyTorch network as its card describes it, and of PilotNet."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.card import NetworkCard
from brains.torch_network import named_outputs, pytorch
from brains.torch_pilotnet import build_network, save_weights
from brains.training.answers import columns
from brains.training.loop import TrainParams, loss_weights, pixel_statistics
from brains.training.pictures import Split
from brains.view import View, to_layout
from harness.errors import UsageError


class TorchLearner:
    """A torch network and Adam; see ``loop.Learner``.

    Steps may compute products in bfloat16, which halves their time; weights, validation and
    everything else are float32.
    """

    def __init__(
        self, network: Any, params: TrainParams, card: NetworkCard, *, bfloat16: bool = False
    ) -> None:
        """Takes a network.

        Args:
            network: Of one input, the picture.
            params: How to train.
            card: What the network sees and says; its layout must be told.
            bfloat16: Whether steps may compute in it.

        Raises:
            UsageError: The card doesn't tell the layout, or the network fails on what it sees.
            DataError: It has not the outputs that the card names.
        """
        torch = pytorch()
        if card.sees.image.layout is None:
            raise UsageError("a torch network's card must tell sees.image.layout: nchw or nhwc")
        self._layout = card.sees.image.layout
        if all(weight.dim() <= 4 for weight in network.parameters()):
            network = network.to(memory_format=torch.channels_last)
        self._network = network
        self._says = card.says
        self._bfloat16 = bfloat16
        self._weights = loss_weights(card.says, params.steering_weight)
        learned = [weight for weight in network.parameters() if weight.requires_grad]
        self._optimizer = torch.optim.Adam(learned, params.learning_rate, eps=1e-7)
        view = View(card.sees)
        self._example = np.zeros(view.shapes()[view.image_input], np.float32)
        self._check()

    def step(
        self,
        images: NDArray[np.float32],
        wanted: NDArray[np.float32],
        learning_rate: float,
    ) -> float:
        """Learn from one batch; its loss."""
        torch = pytorch()
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._learn()
        self._optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
            outputs = named_outputs(self._network(self._tensor(images)))
        picked = columns(self._says, outputs, lambda tensor: tensor.reshape(len(tensor), -1))
        errors = [
            float(weight) * (value.float() - torch.from_numpy(wanted[:, place])) ** 2
            for place, (value, weight) in enumerate(zip(picked, self._weights, strict=True))
            if value is not None
        ]
        loss = sum(errors).mean() / 2
        loss.backward()
        self._optimizer.step()
        return float(loss.detach())

    def answers(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        """Picked outputs, shape (n, 2)."""
        self._network.eval()
        with pytorch().inference_mode():
            outputs = named_outputs(self._network(self._tensor(images)))
        return self._says.picked({name: tensor.numpy() for name, tensor in outputs.items()})

    def save_weights(self, path: Path) -> None:
        """Write the network: traced as TorchScript; exported where the name ends in ``.pt2``."""
        torch = pytorch()
        network = copy.deepcopy(self._network).eval().to(memory_format=torch.contiguous_format)
        example = self._tensor(self._example).contiguous()
        part = path.with_name(f".part.{path.name}")
        if path.suffix == ".pt2":
            torch.export.save(torch.export.export(network, (example,)), part)
        else:
            with torch.inference_mode():
                torch.jit.save(torch.jit.trace(network, example, strict=False), str(part))
        part.replace(path)

    def save_checkpoint(self, stem: Path) -> None:
        """Write network and optimizer."""
        state = {"network": self._network.state_dict(), "optimizer": self._optimizer.state_dict()}
        pytorch().save(state, f"{stem}.pt")

    def restore_checkpoint(self, stem: Path) -> None:
        """Go on from a checkpoint."""
        state = pytorch().load(f"{stem}.pt", weights_only=True)
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])

    def _learn(self) -> None:
        """Learning is on; what was frozen keeps its running figures too."""
        self._network.train()
        for module in self._network.modules():
            weights = list(module.parameters(recurse=False))
            if weights and not any(weight.requires_grad for weight in weights):
                module.eval()

    def _tensor(self, images: NDArray[np.float32]) -> Any:
        return pytorch().from_numpy(to_layout(images, self._layout))

    def _check(self) -> None:
        try:
            self.answers(self._example)
        except (RuntimeError, TypeError) as error:
            shape = to_layout(self._example, self._layout).shape
            line = str(error).strip().splitlines()[0]
            raise UsageError(
                f"the network fails on what the card's view gives, {shape}: {line}"
            ) from error


class WeightsLearner(TorchLearner):
    """A torch network of which only the weights are kept, as a ``state_dict``."""

    def save_weights(self, path: Path) -> None:
        """Write the weights."""
        part = path.with_name(f".part.{path.name}")
        pytorch().save(self._network.state_dict(), part)
        part.replace(path)


class PilotNetLearner(TorchLearner):
    """The PyTorch PilotNet: what is kept of it is a weights file."""

    def save_weights(self, path: Path) -> None:
        """Write the weights file."""
        save_weights(self._network, path)


def new_learner(training: Split, params: TrainParams, card: NetworkCard) -> PilotNetLearner:
    """PilotNet with random weights.

    The leading BatchNorm takes the training set's own mean and variance and stays so: before a
    convolution without padding its four figures a channel add nothing that the convolution
    cannot learn.
    """
    torch = pytorch()
    torch.manual_seed(params.seed)
    network = build_network()
    mean, variance = pixel_statistics(training, View(card.sees))
    normalisation = network[0].requires_grad_(False)
    normalisation.running_mean.copy_(torch.from_numpy(mean))
    normalisation.running_var.copy_(torch.from_numpy(variance))
    return PilotNetLearner(network, params, card, bfloat16=True)
