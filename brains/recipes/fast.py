"""``pitwall_fast``: a small network of our own, trained as PilotNet is, with int8 weights."""

from brains.fast import build_fast_network
from brains.pilotnet import tensorflow, with_weights
from brains.recipes.tflite import convert, optimise
from brains.recipes.training import run_training
from brains.training.dataset import Split
from brains.training.loop import TrainParams
from brains.training.train import KerasLearner
from brains.workshop import Workshop


def train(workshop: Workshop) -> None:
    """Train the network on the data set, then write it as TFLite with int8 weights.

    ``recipe_options`` are fields of ``TrainParams``. Activations stay in float between the
    layers: int8 ones would be a few microseconds faster, and the steering coarser.
    """
    best = run_training(workshop, TrainParams(**workshop.model.recipe_options), _new_learner)
    network = with_weights(build_fast_network(), best)
    workshop.target.write_bytes(convert(network, optimise))


def _new_learner(training: Split, params: TrainParams) -> KerasLearner:
    """The network with random weights."""
    del training
    tensorflow()[1].utils.set_random_seed(params.seed)
    return KerasLearner(build_fast_network(), params)
