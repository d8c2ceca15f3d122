"""Training of PilotNet in Keras."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.pilotnet import build_network, save_weights, tensorflow
from brains.training import loop
from brains.training.dataset import Split
from brains.training.loop import Event, TrainParams, output_weights, pixel_statistics


def train(
    data: Path, output: Path, params: TrainParams, *, resume: bool = False
) -> Iterator[Event]:
    """Train PilotNet; yields every step and every epoch's figures.

    Raises:
        UsageError: The output folder holds a training and ``resume`` is not set.
        DataError: The data set is broken or not the one that the training began with.
        UnavailableError: TensorFlow is not installed.
    """
    return loop.train(data, output, params, _new_learner, resume=resume)


class KerasLearner:
    """A Keras network and Adam; see ``loop.Learner``."""

    def __init__(self, network: Any, params: TrainParams) -> None:
        tf, tf_keras = tensorflow()
        self._network = network
        self._optimizer = tf_keras.optimizers.Adam(params.learning_rate)
        network.compile(self._optimizer, loss=weighted_loss(params.steering_weight))
        self._optimizer.build(network.trainable_variables)
        self._checkpoint = tf.train.Checkpoint(network=network, optimizer=self._optimizer)

    @property
    def steps_done(self) -> int:
        """Steps of the optimizer so far, those before a checkpoint included."""
        return int(self._optimizer.iterations)

    def step(
        self,
        images: NDArray[np.float32],
        outputs: NDArray[np.float32],
        learning_rate: float,
    ) -> float:
        """Learn from one batch; its loss."""
        self._optimizer.learning_rate = learning_rate
        return float(self._network.train_on_batch(images, outputs))

    def answers(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        """Scaled outputs, shape (n, 2)."""
        return np.asarray(self._network.predict_on_batch(images))

    def save_weights(self, path: Path) -> None:
        """Write the weights file, rounded to float16."""
        save_weights(self._network.get_weights(), path)

    def save_checkpoint(self, stem: Path) -> None:
        """Write network and optimizer."""
        self._checkpoint.write(str(stem))

    def restore_checkpoint(self, stem: Path) -> None:
        """Go on from a checkpoint."""
        self._checkpoint.read(str(stem)).assert_consumed()


def _new_learner(training: Split, params: TrainParams) -> KerasLearner:
    """PilotNet with random weights.

    The leading BatchNormalization begins with the data's own mean and variance: its running
    figures follow by 1 % a step, from 0 and 1 they would take hundreds of steps, and the
    validation of the first epochs would judge another network than the one that learns.
    """
    _, tf_keras = tensorflow()
    tf_keras.utils.set_random_seed(params.seed)
    network = build_network()
    gamma, beta, _, _ = network.layers[0].get_weights()
    network.layers[0].set_weights([gamma, beta, *pixel_statistics(training)])
    return KerasLearner(network, params)


def weighted_loss(steering_weight: float) -> Any:
    """Keras loss on scaled outputs: mean of speed's and weighted steering's squared errors."""
    tf, _ = tensorflow()
    weights = tf.constant(output_weights(steering_weight))

    def loss(wanted: Any, answered: Any) -> Any:
        return tf.reduce_mean(weights * tf.square(wanted - answered), axis=-1)

    return loss
