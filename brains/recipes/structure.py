"""Sparse and clustered weights: made, and kept while a network learns.

A constraint is called after every step of the optimizer and puts the kernels back to the nearest
ones with the structure (projected gradient descent): what is zero stays zero, what is equal stays
equal. Whatever learning does, the structure can't be lost.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.pilotnet import tensorflow

Floats = NDArray[np.float32]
Constraint = Callable[[int], None]
"""Called with the number of steps done, after each of them."""

MOST_CLUSTERS = 256
HISTOGRAM_BINS = 8192
CLUSTERING_ROUNDS = 100


def kernels_of(network: Any) -> list[Any]:
    """Variables of the network's kernels, in its order."""
    return [v for v in network.trainable_variables if v.name.split("/")[-1].startswith("kernel")]


def sparsity_of(kernels: Sequence[Floats]) -> float:
    """Share of zeros among all weights of the kernels."""
    zeros = sum(int(np.count_nonzero(kernel == 0)) for kernel in kernels)
    return zeros / sum(kernel.size for kernel in kernels)


def magnitude_mask(kernel: Floats, sparsity: float) -> Floats:
    """1 for the greatest weights by magnitude, 0 for the share ``sparsity`` of the smallest."""
    zeros = round(sparsity * kernel.size)
    mask = np.ones(kernel.size, np.float32)
    mask[np.argpartition(np.abs(kernel).ravel(), zeros - 1)[:zeros] if zeros else []] = 0
    return mask.reshape(kernel.shape)


def pruning(kernels: Sequence[Any], sparsity: float, ramp_steps: int, every: int) -> Constraint:
    """A constraint that makes kernels sparse step by step.

    The sparsity rises as s (1 - (1 - t)^3) with the share t of the ramp that is over, fast while
    many weights are superfluous (Zhu and Gupta, "To prune, or not to prune", 2017, equation 1).

    Args:
        kernels: Variables; zeros they hold already stay.
        sparsity: Share of zeros in the end.
        ramp_steps: Steps until it is reached.
        every: Steps between two choices of what is zero.
    """
    masks = [(kernel.numpy() != 0).astype(np.float32) for kernel in kernels]

    def constrain(done: int) -> None:
        if done <= ramp_steps and (done % every == 0 or done == ramp_steps):
            now = sparsity * (1 - (1 - done / ramp_steps) ** 3)
            masks[:] = [magnitude_mask(kernel.numpy(), now) for kernel in kernels]
        for kernel, mask in zip(kernels, masks, strict=True):
            kernel.assign(kernel * mask)

    return constrain


def clustered(kernel: Floats, clusters: int) -> Floats:
    """The kernel with at most ``clusters`` different values; zeros stay zeros.

    The clusters are those of k-means (Lloyd's algorithm), started at quantiles, over a fine
    histogram of the weights; their values are the means of their weights. A kernel with zeros has
    zero as one of its values.
    """
    weights = kernel[kernel != 0]
    clusters -= int(weights.size < kernel.size)
    counts, edges = np.histogram(weights, HISTOGRAM_BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    centres = np.quantile(weights, (np.arange(clusters) + 0.5) / clusters)
    for _ in range(CLUSTERING_ROUNDS):
        cluster = _nearest(centres, middles)
        total = np.bincount(cluster, counts)
        sums = np.bincount(cluster, counts * middles)
        centres = sums[total > 0] / total[total > 0]
    cluster = _nearest(centres, weights)
    means = np.bincount(cluster, weights) / np.maximum(np.bincount(cluster), 1)
    values = np.zeros_like(kernel)
    values[kernel != 0] = means[cluster]
    return values


def _nearest(centres: NDArray[np.float64], points: NDArray[np.floating]) -> NDArray[np.intp]:
    """Index of each point's nearest centre; the centres rise."""
    return np.searchsorted((centres[1:] + centres[:-1]) / 2, points)


def preserving(kernels: Sequence[Any]) -> Constraint:
    """A constraint that keeps the structure that the kernels have now.

    In a kernel of at most 256 different values, weights that are equal stay equal: each becomes
    the mean of its cluster, so that a cluster moves by the mean of its weights' gradients. In
    every kernel, zeros stay zeros.
    """
    tf, _ = tensorflow()
    projections = [_projection(tf, kernel.numpy()) for kernel in kernels]

    def constrain(done: int) -> None:
        del done
        for kernel, projection in zip(kernels, projections, strict=True):
            kernel.assign(projection(kernel))

    return constrain


def _projection(tf: Any, kernel: Floats) -> Callable[[Any], Any]:
    """The function that gives a kernel the structure of this one."""
    values = np.unique(kernel)
    if len(values) > MOST_CLUSTERS:
        mask = tf.constant((kernel != 0).astype(np.float32))
        return lambda changed: changed * mask
    cluster_of = tf.constant(np.searchsorted(values, kernel), tf.int32)
    sizes = np.bincount(cluster_of.numpy().ravel(), minlength=len(values))
    shares = tf.constant(((values != 0) / sizes).astype(np.float32))
    centres = tf.Variable(values)

    def project(changed: Any) -> Any:
        # Sums of the small changes, not of the weights: half a million of those round too much.
        changes = changed - tf.gather(centres, cluster_of)
        centres.assign_add(shares * tf.math.unsorted_segment_sum(changes, cluster_of, len(values)))
        return tf.gather(centres, cluster_of)

    return project
