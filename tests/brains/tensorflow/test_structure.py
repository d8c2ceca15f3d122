"""Sparse and clustered kernels: made as asked, and kept whatever learning does to them."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra tf")

from brains.pilotnet import tensorflow
from brains.recipes.structure import (
    Floats,
    clustered,
    magnitude_mask,
    preserving,
    pruning,
    sparsity_of,
)


@pytest.fixture
def kernel() -> Floats:
    return np.random.default_rng(0).normal(0, 0.05, (60, 50)).astype(np.float32)


def variable(kernel: Floats) -> Any:
    return tensorflow()[0].Variable(kernel)


def learn(kernel: Any, seed: int) -> Floats:
    """Changes a variable as an optimizer's step does; the changes."""
    random = np.random.default_rng(seed)
    changes: Floats = random.normal(0, 1e-3, kernel.shape).astype(np.float32)
    kernel.assign_add(changes)
    return changes


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.75, 1.0])
def test_the_smallest_weights_are_masked(kernel: Floats, sparsity: float) -> None:
    mask = magnitude_mask(kernel, sparsity)
    assert np.count_nonzero(mask == 0) == round(sparsity * kernel.size)
    if 0 < sparsity < 1:
        assert np.abs(kernel[mask == 0]).max() <= np.abs(kernel[mask == 1]).min()


def test_pruning_rises_to_its_sparsity_and_stays(kernel: Floats) -> None:
    learned = variable(kernel)
    constrain = pruning([learned], 0.6, ramp_steps=20, every=4)
    reached = []
    for step in range(1, 31):
        learn(learned, step)
        constrain(step)
        reached.append(sparsity_of([learned.numpy()]))
    assert reached == sorted(reached)
    assert reached[3] == pytest.approx(0.6 * (1 - 0.8**3), abs=1e-3)
    assert reached[19:] == [0.6] * 11


def test_pruning_goes_on_from_a_sparse_kernel(kernel: Floats) -> None:
    learned = variable(kernel * magnitude_mask(kernel, 0.6))
    zeros = learned.numpy() == 0
    constrain = pruning([learned], 0.6, ramp_steps=20, every=4)
    learn(learned, 0)
    constrain(21)
    np.testing.assert_array_equal(learned.numpy() == 0, zeros)


def test_clusters_are_few_and_close(kernel: Floats) -> None:
    values = clustered(kernel, 16)
    assert len(np.unique(values)) == 16
    step = (kernel.max() - kernel.min()) / 16
    uniform = (np.floor((kernel - kernel.min()) / step) + 0.5) * step + kernel.min()
    assert ((values - kernel) ** 2).mean() < ((uniform - kernel) ** 2).mean()


def test_clusters_of_a_sparse_kernel_keep_its_zeros(kernel: Floats) -> None:
    sparse = kernel * magnitude_mask(kernel, 0.5)
    values = clustered(sparse, 8)
    np.testing.assert_array_equal(values == 0, sparse == 0)
    assert len(np.unique(values)) == 8


@pytest.mark.parametrize("sparsity", [0.0, 0.5])
def test_clusters_move_by_the_mean_of_their_changes(kernel: Floats, sparsity: float) -> None:
    start = clustered(kernel * magnitude_mask(kernel, sparsity), 8)
    learned = variable(start)
    constrain = preserving([learned])
    wanted = start.astype(np.float64)
    for step in range(1, 6):
        changes = learn(learned, step)
        for value in np.unique(start[start != 0]):
            wanted[start == value] += changes[start == value].mean()
        constrain(step)
    np.testing.assert_allclose(learned.numpy(), wanted, atol=1e-6)
    np.testing.assert_array_equal(learned.numpy() == 0, start == 0)


def test_what_is_neither_sparse_nor_clustered_learns_freely(kernel: Floats) -> None:
    learned = variable(kernel)
    constrain = preserving([learned])
    changes = learn(learned, 1)
    constrain(1)
    np.testing.assert_array_equal(learned.numpy(), kernel + changes)
