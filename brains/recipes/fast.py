"""``pitwall_fast``: a small network of our own, trained as PilotNet is, with int8 weights."""

from brains.fast import build_fast_network
from brains.pilotnet import tensorflow, with_weights
from brains.recipes.tflite import convert, optimise
from brains.training import loop
from brains.training.dataset import Split
from brains.training.train import KerasLearner
from brains.workshop import Workshop


def train(workshop: Workshop) -> None:
    """Train the network on the data set, then write it as TFLite with int8 weights.

    The recipe options are fields of ``TrainParams``.
    """
    params = loop.TrainParams(**workshop.model.recipe_options)
    resume = (workshop.scratch / loop.STATE_FILE).exists()
    steps = loop.train(workshop.data_set(), workshop.scratch, params, new_learner, resume=resume)
    for event in steps:
        if isinstance(event, loop.StepDone):
            done = (event.epoch - 1) * event.steps + event.step
            workshop.progress("training pitwall_fast", done, params.epochs * event.steps)
    network = with_weights(build_fast_network(), workshop.scratch / loop.BEST_FILE)
    workshop.target.write_bytes(convert(network, optimise))


def new_learner(training: Split, params: loop.TrainParams) -> KerasLearner:
    """The network with random weights."""
    del training
    tensorflow()[1].utils.set_random_seed(params.seed)
    return KerasLearner(build_fast_network(), params)
