"""Training of a Keras network, of Keras 2 (``tf_keras``) or 3, as its card describes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.card import NetworkCard
from brains.tf_network import keras_2, keras_3, keras_ports, tensorflow
from brains.training.answers import columns
from brains.training.loop import TrainParams, loss_weights
from brains.view import View, to_layout
from harness.errors import UsageError


class KerasLearner:
    """A Keras network and Adam; see ``loop.Learner``."""

    def __init__(self, network: Any, params: TrainParams, card: NetworkCard) -> None:
        """Takes a network.

        Args:
            network: Of one input, the picture.
            params: How to train.
            card: What the network sees and says.

        Raises:
            UsageError: The network's input is not what the card's view gives.
            DataError: It has not the outputs that the card names.
        """
        tf = tensorflow()
        self._tf = tf
        self._network = network
        self._says = card.says
        self._weights = loss_weights(card.says, params.steering_weight)
        self._layout = card.sees.image.layout or "nhwc"
        try:
            _, self._outputs = keras_ports(network)
        except AttributeError as error:
            raise UsageError(
                f"{type(network).__name__} has no named outputs: build a Sequential or a functional"
                " network (Model(inputs, outputs))"
            ) from error
        self._check(card)
        self._optimizer = _keras_of(network).optimizers.Adam(params.learning_rate)
        self._optimizer.build(network.trainable_variables)
        self._checkpoint = tf.train.Checkpoint(network=network, optimizer=self._optimizer)
        self._learn = tf.function(self._one_step, reduce_retracing=True, autograph=False)

    @property
    def steps_done(self) -> int:
        """Steps of the optimizer so far, those before a checkpoint included."""
        return int(self._optimizer.iterations)

    def step(
        self,
        images: NDArray[np.float32],
        wanted: NDArray[np.float32],
        learning_rate: float,
    ) -> float:
        """Learn from one batch; its loss."""
        self._optimizer.learning_rate = learning_rate
        return float(self._learn(to_layout(images, self._layout), wanted))

    def answers(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        """Picked outputs, shape (n, 2)."""
        outputs = self._network.predict_on_batch(to_layout(images, self._layout))
        return self._says.picked(self._named(outputs))

    def save_weights(self, path: Path) -> None:
        """Write the network: HDF5 where the name ends in ``.h5``, else Keras' own format."""
        part = path.with_name(f".part.{path.name}")
        if path.suffix == ".h5":
            self._network.save(part, save_format="h5", include_optimizer=False)
        else:
            self._network.save(part)
        part.replace(path)

    def save_checkpoint(self, stem: Path) -> None:
        """Write network and optimizer."""
        self._checkpoint.write(str(stem))

    def restore_checkpoint(self, stem: Path) -> None:
        """Go on from a checkpoint."""
        self._checkpoint.read(str(stem)).assert_consumed()

    def _one_step(self, images: Any, wanted: Any) -> Any:
        tf = self._tf
        with tf.GradientTape() as tape:
            outputs = self._named(self._network(images, training=True))
            picked = columns(self._says, outputs, lambda t: tf.reshape(t, (tf.shape(t)[0], -1)))
            errors = [
                weight * tf.square(wanted[:, place] - tf.cast(value, tf.float32))
                for place, (value, weight) in enumerate(zip(picked, self._weights, strict=True))
                if value is not None
            ]
            loss = tf.reduce_mean(tf.add_n(errors)) / 2
            # What layers add of their own, such as a penalty on great weights.
            total = tf.add_n([loss, *self._network.losses])
        variables = self._network.trainable_variables
        gradients = tape.gradient(total, variables)
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    def _named(self, outputs: Any) -> dict[str, Any]:
        if isinstance(outputs, Mapping):
            return dict(outputs)
        several = isinstance(outputs, list | tuple)
        return dict(zip(self._outputs, outputs if several else [outputs], strict=True))

    def _check(self, card: NetworkCard) -> None:
        view = View(card.sees)
        image = np.zeros(view.shapes()[view.image_input], np.float32)
        given = to_layout(image, self._layout).shape
        takes = getattr(self._network, "input_shape", None)
        fits = (
            isinstance(takes, tuple)
            and len(takes) == len(given)
            and all(size in (None, want) for size, want in zip(takes[1:], given[1:], strict=True))
        )
        if not fits:
            raise UsageError(
                f"the network takes {takes}, and the card's view gives {(None, *given[1:])}:"
                " size (width, height), colour, frames or layout differ"
            )
        self.answers(image)


def _keras_of(network: Any) -> Any:
    """The Keras that a network is of."""
    packages = {kind.__module__.partition(".")[0] for kind in type(network).__mro__}
    return keras_2() if "tf_keras" in packages else keras_3()
