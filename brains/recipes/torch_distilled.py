"""PyTorch networks pruned or rounded, and taught by what they were."""

import copy
from collections.abc import Sequence
from typing import Any

from brains.recipes.distil import Lessons, batches, lessons_of, told, weights_of_errors
from brains.recipes.torch import TorchSource, quietly, torch_source, torchscript
from brains.recipes.torch_pruning import METHODS, hold_zeros, layers_of, let_go
from brains.recipes.torch_quantised import (
    calibrate,
    calibration_batches,
    output_ranges,
    prepared,
    to_integers,
)
from brains.torch_network import named_outputs, pytorch, without_normalisation
from brains.workshop import Workshop
from harness.errors import DataError


def pruned(workshop: Workshop) -> None:
    """A TorchScript file most of whose weights are zero.

    ``recipe_options`` give the ``method`` (one of ``torch_pruning.METHODS``) and the shares of
    ``zeros``, one after the other: before more weights go, the others learn to do without.
    """
    source = _opened(workshop)
    network = _pruned(workshop, source)
    workshop.target.write_bytes(torchscript(network.eval(), source.example))


def quantised(workshop: Workshop) -> None:
    """A TorchScript file of int8 weights and activations that has learned with their rounding.

    With ``zeros`` in ``recipe_options`` the network is pruned first, and its zeros stay.
    """
    from torch.ao.nn.intrinsic.qat import freeze_bn_stats  # noqa: PLC0415 - imports torch

    source = _opened(workshop)
    network = _pruned(workshop, source) if "zeros" in workshop.options else source.network
    frames = list(calibration_batches(workshop, source))
    # A copy: what is prepared shares its weights, and the teacher must not learn.
    network = without_normalisation(copy.deepcopy(network))
    ranges = output_ranges(workshop, network, frames)
    aware = prepared(network, source.example, ranges, aware=True)
    # Normalisations keep what they know: they must not follow a few batches.
    aware.apply(freeze_bn_stats)
    calibrate(aware, frames)
    layers = layers_of(aware)
    hold_zeros(layers)
    with quietly():
        lessons = lessons_of(workshop, rounding=True)
        _teach(workshop, source, aware, lessons, "learning with rounding")
    let_go(layers)
    workshop.target.write_bytes(torchscript(to_integers(aware), source.example))


def _opened(workshop: Workshop) -> TorchSource:
    lessons_of(workshop)
    return torch_source(workshop)


def _pruned(workshop: Workshop, source: TorchSource) -> Any:
    """A copy of the network with most of its weights zero.

    Raises:
        DataError: It has no layers to prune.
    """
    network = copy.deepcopy(source.network)
    layers = layers_of(network)
    if not layers:
        raise DataError(f"{workshop.title} has no convolution and no dense layer to prune")
    for zeros in workshop.options["zeros"]:
        METHODS[workshop.options["method"]](layers, float(zeros))
        text = f"learning with {zeros:.0%} zeros"
        _teach(workshop, source, network, lessons_of(workshop), text)
        let_go(layers)
    return network


def _teach(
    workshop: Workshop, source: TorchSource, pupil: Any, lessons: Lessons, text: str
) -> None:
    """Let a network learn what the source answers."""
    torch = pytorch()
    samples = workshop.calibration()
    teacher = source.network

    def asked(network: Any, given: Sequence[Any]) -> list[Any]:
        return list(named_outputs(network(*given)).values())

    with torch.no_grad():
        answers = [asked(teacher, given) for given in calibration_batches(workshop, source)]
    together = [torch.cat(parts).numpy() for parts in zip(*answers, strict=True)]
    weights = weights_of_errors(together)
    learned = [weight for weight in pupil.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(learned, lessons.learning_rate)
    tell = told(workshop, text, lessons)
    for index, (batch, rate) in enumerate(batches(samples, lessons)):
        given = source.tensors([batch])
        with torch.no_grad():
            wanted = asked(teacher, given)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        losses = [
            weight * torch.mean((one - other) ** 2)
            for weight, one, other in zip(weights, asked(pupil, given), wanted, strict=True)
        ]
        loss = sum(losses) / len(losses)
        loss.backward()
        optimizer.step()
        tell(index, float(loss.detach()))
