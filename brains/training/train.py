"""Training of PilotNet in Keras."""

from collections.abc import Iterator
from pathlib import Path

from brains.card import NetworkCard, read_card
from brains.pilotnet import build_network, save_weights, tensorflow
from brains.training import loop
from brains.training.frames import PILOTNET
from brains.training.keras_train import KerasLearner
from brains.training.loop import Event, TrainParams, pixel_statistics
from brains.training.pictures import Split, Told, quietly
from brains.view import View


def train(
    data: Path,
    output: Path,
    params: TrainParams,
    *,
    resume: bool = False,
    tell: Told = quietly,
) -> Iterator[Event]:
    """Train PilotNet; yields every step and every epoch's figures.

    Raises:
        UsageError: The output folder holds a training and ``resume`` is not set.
        DataError: The data set is broken or not the one that the training began with.
        UnavailableError: TensorFlow is not installed.
    """
    card = read_card(PILOTNET)
    return loop.train(
        data,
        output,
        params,
        card,
        lambda training, params: _new_learner(training, params, card),
        resume=resume,
        tell=tell,
    )


class WeightsLearner(KerasLearner):
    """A network of which only the weights are kept, rounded to float16."""

    def save_weights(self, path: Path) -> None:
        """Write the weights file."""
        save_weights(self._network.get_weights(), path)


def _new_learner(training: Split, params: TrainParams, card: NetworkCard) -> WeightsLearner:
    """PilotNet with random weights.

    The leading BatchNormalization begins with the data's own mean and variance: its running
    figures follow by 1 % a step, from 0 and 1 they would take hundreds of steps, and the
    validation of the first epochs would judge another network than the one that learns.
    """
    _, tf_keras = tensorflow()
    tf_keras.utils.set_random_seed(params.seed)
    network = build_network()
    gamma, beta, _, _ = network.layers[0].get_weights()
    figures = pixel_statistics(training, View(card.sees))
    network.layers[0].set_weights([gamma, beta, *figures])
    return WeightsLearner(network, params, card)
