"""Batches for training: drawn so that curves are not rare, varied, and made ahead of their use."""

import queue
import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from brains.card import NetworkCard
from brains.training.augment import augmented
from brains.training.dataset import balanced_order
from brains.training.pictures import Split
from brains.view import View

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Images as the view gives them, and the values that the network is to answer, (n, 2)."""


def batches(
    split: Split, card: NetworkCard, random: np.random.Generator, steps: int, size: int
) -> Iterator[Batch]:
    """Augmented batches of ``size`` frames, ``steps`` of them."""
    view = View(card.sees)
    order = balanced_order(split.labels, random, steps * size)
    for chosen in order.reshape(steps, size):
        # Sorted, so that the file is read in one direction.
        rows = np.sort(chosen)
        images, labels = augmented(seen_at(split, rows, view), split.labels[rows], view, random)
        yield as_input(images, view), card.says.to_picked(labels)


def images_at(split: Split, rows: NDArray[np.intp], view: View) -> NDArray[np.float32]:
    """The network's input for some frames of a split, as they are.

    Returns:
        float32, (n, h, w, c); (n, t, h, w, c) with an axis of time, (n, h, w, t c) where frames
        stand in the channels.
    """
    return as_input(view.scaled(seen_at(split, rows, view)), view)


def seen_at(split: Split, rows: NDArray[np.intp], view: View) -> NDArray[np.uint8]:
    """The pictures that are seen at once at some frames, uint8 (n, t, h, w, channels).

    Before the first frame of a run stands the first one, as after a brain's reset.
    """
    run = np.searchsorted(split.firsts, rows, side="right") - 1
    first = split.firsts[run]
    seen = [np.asarray(split.pictures[np.maximum(rows + age, first)]) for age in view.sees.frames]
    return np.stack(seen, axis=1)


def as_input(images: NDArray[np.float32], view: View) -> NDArray[np.float32]:
    """Scaled pictures, (n, t, h, w, channels), as the view gives them to the network."""
    match view.sees.axis:
        case "time":
            return images
        case "channels":
            together = np.moveaxis(images, 1, -2)
            return together.reshape(*together.shape[:-2], -1)
        case _:
            return images[:, 0]


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
