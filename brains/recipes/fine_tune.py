"""A short training of a changed network, that ends with the structure it is to have."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import WEIGHTS_FILE
from brains.card import NetworkCard
from brains.pilotnet import load_network, save_weights
from brains.recipes.quantised import quantisation_aware
from brains.recipes.structure import (
    Constraint,
    clustered,
    kernels_of,
    preserving,
    pruning,
    sparsity_of,
)
from brains.recipes.tflite import convert_keras, optimise
from brains.recipes.training import run_training
from brains.training.loop import TrainParams
from brains.training.train import WeightsLearner
from brains.workshop import Workshop
from harness.errors import DataError

PRUNED_FROM_WEIGHTS = 1_000_000
LEAST_SPARSITY = 0.5
# A margin about the scale of [0, 1] that holds for all commands: whatever the calibration frames
# show, the full steering range stays within reach, in steps of 0.08 m/s and 0.06 rad/s.
OUTPUT_RANGE = (-0.1, 1.0)


class ConstrainedLearner(WeightsLearner):
    """A Keras network whose kernels keep a structure while it learns."""

    def __init__(
        self,
        network: Any,
        params: TrainParams,
        card: NetworkCard,
        make_constraint: Callable[[], Constraint],
    ) -> None:
        """Wraps a network; the constraint is made before the first step, of what is resumed."""
        super().__init__(network, params, card)
        self._make_constraint = make_constraint
        self._constraint: Constraint | None = None

    def step(
        self,
        images: NDArray[np.float32],
        wanted: NDArray[np.float32],
        learning_rate: float,
    ) -> float:
        """Learn from one batch and restore the structure; the loss."""
        if self._constraint is None:
            self._constraint = self._make_constraint()
        loss = super().step(images, wanted, learning_rate)
        self._constraint(self.steps_done)
        return loss


def pruned(workshop: Workshop) -> None:
    """A weights file with most of the weights of the great dense layer zero.

    It holds 98.5 % of all weights. The others stay whole: without the half of any of them, the
    network errs 1.5 to 250 times as much, without the half of this one 1.1 times.
    ``recipe_options`` give ``sparsity``, the ``ramp_steps`` until it is reached, and ``training``
    (fields of ``TrainParams``).

    Raises:
        DataError: The network did not become sparse.
    """
    params = _params(workshop)
    network = load_network(workshop.weights_file(WEIGHTS_FILE))
    network.layers[0].trainable = False
    kernels = kernels_of(network)
    great = [kernel for kernel in kernels if np.prod(kernel.shape) >= PRUNED_FROM_WEIGHTS]
    options = workshop.model.recipe_options
    sparsity, ramp_steps = float(options["sparsity"]), int(options["ramp_steps"])
    learner = ConstrainedLearner(
        network, params, workshop.card, lambda: pruning(great, sparsity, ramp_steps, every=10)
    )
    run_training(workshop, params, lambda *_: learner)
    reached = sparsity_of([kernel.numpy() for kernel in kernels])
    if reached < LEAST_SPARSITY:
        raise DataError(f"{workshop.model.name} is only {reached:.0%} sparse: prune for longer")
    save_weights(network.get_weights(), workshop.target, compress=True)


def quantised(workshop: Workshop) -> None:
    """A TFLite file of int8 weights and activations that has learned with their rounding.

    Zeros of the weights file stay zeros. With ``clusters`` in ``recipe_options``, the weights of
    each kernel are first clustered to so many values, and stay so.

    Raises:
        DataError: The network lost its zeros or its clusters.
    """
    clusters = workshop.model.recipe_options.get("clusters")
    network = load_network(workshop.weights())
    if clusters is not None:
        for kernel in kernels_of(network):
            kernel.assign(clustered(kernel.numpy(), clusters))
    started = [kernel.numpy() for kernel in kernels_of(network)]
    images = np.concatenate(
        [image for sample in workshop.calibration() for image in sample.values()]
    )
    aware = quantisation_aware(
        network, [images], output_range=OUTPUT_RANGE, one_scale_per_kernel=clusters is not None
    )
    kernels = kernels_of(aware)
    params = _params(workshop)
    learner = ConstrainedLearner(aware, params, workshop.card, lambda: preserving(kernels))
    run_training(workshop, params, lambda *_: learner)
    ended = [kernel.numpy() for kernel in kernels]
    if sparsity_of(ended) < sparsity_of(started):
        raise DataError(f"{workshop.model.name} lost zeros while learning")
    if clusters is not None and any(len(np.unique(kernel)) > clusters for kernel in ended):
        raise DataError(f"{workshop.model.name} lost its clusters while learning")
    workshop.target.write_bytes(convert_keras(aware, optimise))


def _params(workshop: Workshop) -> TrainParams:
    """How to fine-tune: few short epochs at a low rate, unless ``recipe_options`` say otherwise."""
    start = {"epochs": 4, "steps": 50, "batch": 128, "learning_rate": 5e-5, "warm_up_steps": 20}
    return TrainParams(**start | workshop.model.recipe_options.get("training", {}))
