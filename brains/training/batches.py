"""Batches for training: drawn so that curves are not rare, varied, and made ahead of their use."""

import queue
import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from brains.preprocess import to_output
from brains.training.augment import augmented
from brains.training.dataset import Split, balanced_order

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Normalised images, shape (n, 66, 200, 3), and scaled outputs, shape (n, 2)."""


def batches(split: Split, random: np.random.Generator, steps: int, size: int) -> Iterator[Batch]:
    """Augmented batches of ``size`` frames, ``steps`` of them."""
    order = balanced_order(split.labels, random, steps * size)
    for chosen in order.reshape(steps, size):
        # Sorted, so that the file is read in one direction.
        rows = np.sort(chosen)
        images, labels = augmented(np.asarray(split.crops[rows]), split.labels[rows], random)
        yield images, to_output(labels)


def prefetched(items: Iterator[Batch], ahead: int = 3) -> Iterator[Batch]:
    """The same items, made by another thread while the last one is in use."""
    ready: queue.Queue[Batch | BaseException | None] = queue.Queue(ahead)
    stopped = threading.Event()

    def offer(item: Batch | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def produce() -> None:
        try:
            for item in items:
                if stopped.is_set():
                    return
                offer(item)
            offer(None)
        except BaseException as error:  # handed to the consumer, which raises it
            offer(error)

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()
