"""Keras networks pruned, clustered or rounded, and taught by what they were."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from brains.layouts import Inputs, arranged
from brains.recipes.distil import Lessons, batches, lessons_of, told, weights_of_errors
from brains.recipes.quantised import quantisation_aware
from brains.recipes.structure import (
    Constraint,
    clustered,
    kernels_of,
    preserving,
    pruning,
    sparsity_of,
)
from brains.recipes.tf_source import TfSource, tf_source
from brains.recipes.tflite import convert, optimise
from brains.tf_network import concrete, keras_2, keras_ports, tensorflow
from brains.workshop import Workshop
from harness.errors import DataError

PRUNED_SHARE = 0.1
"""Kernels of this share of a network's weights or more are pruned; the small ones matter more."""
RAMP_SHARE = 0.5
"""Share of the steps after which all zeros are there."""
CHOICES = 10
"""How often during the ramp it is chosen anew what is zero."""


def pruned(workshop: Workshop) -> None:
    """A TFLite file most of whose weights are zero; with ``dynamic`` the others are int8.

    ``sparsity`` of ``recipe_options`` is the share of zeros in the large kernels.
    """
    source, samples = _opened(workshop)
    network = _pruned(workshop, source, samples)
    configure = optimise if workshop.options.get("dynamic") else None
    workshop.target.write_bytes(_converted(workshop, source, network, configure))


def quantised(workshop: Workshop) -> None:
    """A TFLite file of int8 weights and activations that has learned with their rounding.

    ``sparsity`` of ``recipe_options`` prunes first, ``clusters`` then leaves so many values in
    each kernel; zeros and clusters stay.

    Raises:
        DataError: No layer's rounding can be trained, or zeros or clusters were lost.
    """
    options = workshop.options
    source, samples = _opened(workshop)
    network = source.keras
    if "sparsity" in options:
        network = _pruned(workshop, source, samples)
    clusters = options.get("clusters")
    if clusters is not None:
        network = _cloned(network)
        for kernel in kernels_of(network):
            kernel.assign(clustered(kernel.numpy(), int(clusters)))
    started = [kernel.numpy() for kernel in kernels_of(network)]
    inputs = _stacked(network, samples)
    aware = quantisation_aware(network, inputs, one_scale_per_kernel=clusters is not None)
    kernels = kernels_of(aware)
    lessons = lessons_of(workshop, rounding=True)
    text = "learning with rounding"
    _teach(workshop, source.keras, aware, samples, lessons, preserving(kernels), text)
    ended = [kernel.numpy() for kernel in kernels]
    if sparsity_of(ended) < sparsity_of(started):
        raise DataError(f"{workshop.title} lost zeros while learning")
    if clusters is not None and any(len(np.unique(kernel)) > clusters for kernel in ended):
        raise DataError(f"{workshop.title} lost its clusters while learning")
    workshop.target.write_bytes(_converted(workshop, source, aware, optimise))


def _opened(workshop: Workshop) -> tuple[TfSource, list[Inputs]]:
    lessons_of(workshop)
    source = tf_source(workshop)
    shapes = {spec.name: spec.shape.as_list() for spec in source.specs}
    return source, [arranged(sample, shapes) for sample in workshop.calibration()]


def _pruned(workshop: Workshop, source: TfSource, samples: Sequence[Inputs]) -> Any:
    """A copy of the network with zeros in its large kernels.

    Raises:
        DataError: It has no kernel worth pruning.
    """
    network = _cloned(source.keras)
    sizes = {id(kernel): int(np.prod(kernel.shape)) for kernel in kernels_of(network)}
    least = PRUNED_SHARE * sum(sizes.values())
    large = [kernel for kernel in kernels_of(network) if sizes[id(kernel)] >= least]
    if not large:
        raise DataError(f"{workshop.title} has no kernel of {PRUNED_SHARE:.0%} of its weights")
    lessons = lessons_of(workshop)
    ramp = max(1, round(RAMP_SHARE * lessons.steps))
    sparsity = float(workshop.options["sparsity"])
    constraint = pruning(large, sparsity, ramp, every=max(1, ramp // CHOICES))
    text = "learning with fewer weights"
    _teach(workshop, source.keras, network, samples, lessons, constraint, text)
    return network


def _cloned(network: Any) -> Any:
    copied = keras_2().models.clone_model(network)
    copied.set_weights(network.get_weights())
    return copied


def _stacked(network: Any, samples: Sequence[Inputs]) -> list[Any]:
    """All samples of each input, in the network's order."""
    return [np.concatenate([s[name] for s in samples]) for name in keras_ports(network)[0]]


def _teach(
    workshop: Workshop,
    teacher: Any,
    pupil: Any,
    samples: Sequence[Inputs],
    lessons: Lessons,
    constraint: Constraint,
    text: str,
) -> None:
    """Let a network learn what another answers; its structure is restored after each step."""
    tf, tf_keras = tensorflow(), keras_2()
    names = keras_ports(teacher)[0]
    answers = tf.nest.flatten(teacher.predict(_given(_stacked(teacher, samples)), verbose=0))
    weights = weights_of_errors(answers)
    optimizer = tf_keras.optimizers.Adam(lessons.learning_rate)
    _freeze_normalisation(pupil)
    variables = pupil.trainable_variables
    optimizer.build(variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step(given: Any, wanted: Any) -> Any:
        with tf.GradientTape() as tape:
            said = tf.nest.flatten(pupil(given, training=True))
            losses = [
                weight * tf.reduce_mean(tf.square(one - other))
                for weight, one, other in zip(weights, said, wanted, strict=True)
            ]
            loss = tf.add_n(losses) / len(losses)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    tell = told(workshop, text, lessons)
    for index, (batch, rate) in enumerate(batches(samples, lessons)):
        given = _given([tf.constant(batch[name]) for name in names])
        wanted = tf.nest.flatten(teacher(given, training=False))
        optimizer.learning_rate = rate
        tell(index, float(step(given, wanted)))
        constraint(index + 1)


def _freeze_normalisation(network: Any) -> None:
    """Normalisations keep what they know: they must not follow a few batches."""
    for layer in network.submodules:
        if isinstance(layer, keras_2().layers.BatchNormalization):
            layer.trainable = False


def _given(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _converted(workshop: Workshop, source: TfSource, network: Any, configure: Any) -> bytes:
    """A changed network as a TFLite file; its outputs keep their names."""
    function = concrete(network, workshop.view.shapes(), keras_ports(source.keras)[1])
    changed = TfSource(function, network, network.variables, network)
    return convert(changed, workshop.scratch, configure)
