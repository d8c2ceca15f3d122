"""Trainings of the PyTorch PilotNet: from scratch, and with the rounding of its int8 version."""

import shutil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import REFERENCE_FILE
from brains.card import NetworkCard
from brains.preprocess import normalise
from brains.recipes.torch import quietly, torch_source, torchscript
from brains.recipes.torch_pruning import hold_zeros, layers_of, let_go
from brains.recipes.torch_quantised import (
    calibrate,
    calibration_batches,
    last_layers,
    prepared,
    to_integers,
)
from brains.recipes.training import run_training
from brains.reference import write_reference
from brains.torch_network import pytorch, without_normalisation
from brains.torch_pilotnet import load_network, to_tensor
from brains.training.loop import TrainParams
from brains.training.torch_train import PilotNetLearner, new_learner
from brains.workshop import Workshop

# A margin about the scale of [0, 1] that holds for all commands: the whole range of steering stays
# within reach, whatever the calibration frames show, in steps of 0.08 m/s and 0.06 rad/s.
OUTPUT_RANGE = (-0.1, 1.0)


class RoundingLearner(PilotNetLearner):
    """A network that rounds as its integer version does, and whose ranges follow while it learns.

    What it learns is the weights; the float network's BatchNorm is already part of them.
    """

    def __init__(self, network: Any, params: TrainParams, card: NetworkCard) -> None:
        super().__init__(network, params, card, bfloat16=False)

    def answers(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        """Scaled outputs, shape (n, 2); what is only looked at must not move the ranges."""
        from torch.ao.quantization import fake_quantize  # noqa: PLC0415 - imports torch

        self._network.apply(fake_quantize.disable_observer)
        try:
            return super().answers(images)
        finally:
            self._network.apply(fake_quantize.enable_observer)


def pilotnet(workshop: Workshop) -> None:
    """The weights file, trained from scratch, and beside it the check frames with its answers.

    ``recipe_options`` are ``TrainParams``.
    """
    best = run_training(
        workshop,
        TrainParams(**workshop.model.recipe_options),
        lambda training, params: new_learner(training, params, workshop.card),
    )
    shutil.copyfile(best, workshop.target)
    with np.load(workshop.weights_file(REFERENCE_FILE)) as check:
        crops = check["crops"]
    with pytorch().inference_mode():
        outputs = load_network(workshop.target)(to_tensor(normalise(crops))).numpy()
    write_reference(workshop.folder / str(workshop.model.reference), crops, outputs)


def quantised(workshop: Workshop) -> None:
    """A TorchScript file of int8 weights and activations that has learned with their rounding.

    Ranges start where the calibration frames put them. Zeros of the weights file stay zeros.
    ``recipe_options`` are ``TrainParams``.
    """
    source = torch_source(workshop)
    network = without_normalisation(source.network)
    ranges = dict.fromkeys(last_layers(network), OUTPUT_RANGE)
    aware = prepared(network, source.example, ranges, aware=True)
    calibrate(aware, calibration_batches(workshop, source))
    params = TrainParams(**workshop.model.recipe_options)
    layers = layers_of(aware)
    hold_zeros(layers)
    with quietly():
        run_training(workshop, params, lambda *_: RoundingLearner(aware, params, workshop.card))
    let_go(layers)
    workshop.target.write_bytes(torchscript(to_integers(aware), source.example))
