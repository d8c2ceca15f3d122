"""A PyTorch PilotNet with most of its weights zero (``torch.nn.utils.prune``)."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from brains.recipes.training import run_training
from brains.torch_network import pytorch
from brains.torch_pilotnet import load_network, save_weights
from brains.training.loop import TrainParams
from brains.training.torch_train import PilotNetLearner
from brains.workshop import Workshop

FLOAT_WEIGHTS = "torch_pilotnet.npz"
WEIGHT = "weight"
PRUNED_FROM_WEIGHTS = 1000


def locally(layers: Sequence[Any], zeros: float) -> None:
    """Mask the smallest weights of each layer, the same share of each.

    Layers of fewer than 1,000 weights stay whole: of the 20 weights of the last one, too few
    would be left, and all of them together hold 0.03 % of the network's.

    Args:
        layers: Modules with a ``weight``.
        zeros: Share of weights to mask.
    """
    for layer in layers:
        if layer.weight.numel() >= PRUNED_FROM_WEIGHTS:
            _prune().l1_unstructured(layer, WEIGHT, amount=zeros)


def globally(layers: Sequence[Any], zeros: float) -> None:
    """Mask the smallest weights of all layers, as if they were one.

    Args:
        layers: Modules with a ``weight``.
        zeros: Share of weights to mask.
    """
    _prune().global_unstructured(
        [(layer, WEIGHT) for layer in layers],
        pruning_method=_prune().L1Unstructured,
        amount=zeros,
    )


METHODS: dict[str, Callable[[Sequence[Any], float], None]] = {
    "local": locally,
    "global": globally,
}


def layers_of(network: Any) -> list[Any]:
    """Convolutions and dense layers of a torch module, in its order."""
    weighted = (module for module in network.modules() if hasattr(module, WEIGHT))
    return [module for module in weighted if module.weight.dim() > 1]


def hold_zeros(layers: Sequence[Any]) -> None:
    """Mask the weights that are zero now, so that no training moves them."""
    for layer in layers:
        _prune().custom_from_mask(layer, WEIGHT, layer.weight != 0)


def let_go(layers: Sequence[Any]) -> None:
    """Take the masks off; what they covered is zero."""
    for layer in layers:
        if _prune().is_pruned(layer):
            _prune().remove(layer, WEIGHT)


def pruned(workshop: Workshop) -> None:
    """A weights file with most of the weights zero.

    ``recipe_options`` give the ``method`` (one of ``METHODS``), the shares of ``zeros`` one after
    the other, and ``training`` (fields of ``TrainParams``), which follows each of them.
    """
    *_, (_, network) = stages(workshop)
    save_weights(network, workshop.target, compress=True)


def stages(workshop: Workshop) -> Iterator[tuple[float, Any]]:
    """Prune by one share after the other; the network trains on after each.

    Before more weights go, the others have learned to do without the first.

    Yields:
        Share of zeros, and the network (the same torch module each time) with as many.
    """
    options = workshop.model.recipe_options
    params = TrainParams(**options["training"])
    network = load_network(workshop.weights_file(FLOAT_WEIGHTS))
    network[0].requires_grad_(False)
    layers = layers_of(network)
    for number, zeros in enumerate(options["zeros"]):
        # Learners lay the channels innermost, which torch's pruning does not take.
        network.to(memory_format=pytorch().contiguous_format)
        # Those that are zero are the smallest: the share is of all weights, each time.
        METHODS[options["method"]](layers, zeros)
        stage = replace(workshop, scratch=workshop.scratch / f"{zeros:g}")
        # Another seed draws other frames.
        _train(network, stage, params.model_copy(update={"seed": params.seed + number}))
        let_go(layers)
        yield zeros, network


def _train(network: Any, workshop: Workshop, params: TrainParams) -> None:
    run_training(
        workshop,
        params,
        lambda *_: PilotNetLearner(network, params, workshop.card, bfloat16=True),
    )


def _prune() -> Any:
    """torch's module of pruning."""
    return importlib.import_module("torch.nn.utils.prune")
