"""Short trainings without labels: a changed network learns to answer as the network it was.

The original is the teacher, on the calibration frames and on versions of them in other light; it
answers whatever it is shown. What the network learned of driving is not taught again, only what
rounding or pruning took.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from brains.layouts import Inputs
from brains.workshop import Workshop
from harness.errors import DataError

Floats = NDArray[np.float32]


ROUNDING_RATE = 2e-5


class Lessons(BaseModel):
    """How to teach.

    Attributes:
        steps: Batches.
        batch: Samples a batch.
        learning_rate: Highest rate; falls as a cosine to 1 %.
        light: Greatest change of a picture's contrast, as a share.
        seed: Of what is drawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = 120
    batch: int = 32
    learning_rate: float = 5e-4
    light: float = 0.2
    seed: int = 1


def lessons_of(workshop: Workshop, *, rounding: bool = False) -> Lessons:
    """The recipe's ``lessons``.

    Args:
        workshop: Of the version.
        rounding: The network learns with its rounding, which wants a lower rate: gradients that
            pass it are rough, and there is little to learn.

    Raises:
        DataError: The network can't be taught by single samples.
    """
    if workshop.card.keeps != "none":
        raise DataError(
            f"{workshop.title} keeps a state from frame to frame: its versions are not trained"
        )
    start = {"learning_rate": ROUNDING_RATE} if rounding else {}
    return Lessons(**start | workshop.options.get("lessons", {}))


def batches(samples: Sequence[Inputs], lessons: Lessons) -> Iterator[tuple[Inputs, float]]:
    """Batches of samples in changing light, and the learning rate of each.

    Args:
        samples: Calibration samples; pictures have four axes or more.
        lessons: How to teach.
    """
    random = np.random.default_rng(lessons.seed)
    whole = {name: np.concatenate([sample[name] for sample in samples]) for name in samples[0]}
    for step in range(lessons.steps):
        rows = random.integers(0, len(samples), lessons.batch)
        gains = random.uniform(1 - lessons.light, 1 + lessons.light, lessons.batch)
        batch = {}
        for name, values in whole.items():
            picked = values[rows]
            if picked.ndim >= 4:
                picked = picked * gains.reshape(-1, *[1] * (picked.ndim - 1))
            batch[name] = picked.astype(np.float32)
        fall = 0.01 + 0.99 * (1 + math.cos(math.pi * step / lessons.steps)) / 2
        yield batch, lessons.learning_rate * fall


def weights_of_errors(answers: Sequence[Floats]) -> list[float]:
    """What each output's squared error counts: one over the variance of the teacher's answers.

    Args:
        answers: Each output for all samples.
    """
    return [1 / max(float(np.var(answer)), 1e-6) for answer in answers]


def told(workshop: Workshop, text: str, lessons: Lessons) -> Any:
    """A function that tells the workshop's progress after each step."""

    def tell(step: int, loss: float) -> None:
        done = f"{workshop.model.name}: {text}, loss {loss:.5f}"
        workshop.progress(done, step + 1, lessons.steps)

    return tell
