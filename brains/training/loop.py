"""Training of any driving network on a data set: resumable, with early stopping and a curve.

The output folder holds ``state.json`` (how far it is), checkpoints, ``best.npz`` (the best
epoch's weights), ``curve.csv`` and ``curve.png``. ``state.json`` is replaced last, so that a
training killed at any moment resumes after the last whole epoch.
"""

import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from brains.card import NetworkCard
from brains.checksum import sha256_of
from brains.expert import V_LIMITS_M_S, W_LIMIT_RAD_S
from brains.says import Says
from brains.training.batches import batches, images_at, prefetched
from brains.training.dataset import INDEX_FILE
from brains.training.pictures import Split, Told, quietly, read_pictures
from brains.view import View
from harness.errors import DataError, UsageError

STATE_FILE = "state.json"
BEST_FILE = "best.npz"
EVALUATION_BATCH = 256

Floats = NDArray[np.float32]

Answers = Callable[[Floats], NDArray[np.floating]]
"""Picked outputs (``Says.picked``), shape (n, 2), for images as the view gives them."""

SPANS = np.array([V_LIMITS_M_S[1] - V_LIMITS_M_S[0], 2 * W_LIMIT_RAD_S])
"""Ranges of the expert's commands, 17.5 m/s and 14.2 rad/s: errors count in parts of them."""


class TrainParams(BaseModel):
    """How to train.

    Attributes:
        epochs: How many epochs; each draws as many frames as the training set holds.
        steps: Steps of an epoch where it is to be shorter, as for fine-tuning.
        batch: Frames a step.
        learning_rate: Highest rate; rises over the first steps, then falls as a cosine to 1 %.
        warm_up_steps: Steps of the rise.
        steering_weight: Weight of the squared error of the yaw rate; the speed's is 1.
        patience: Epochs without a better validation loss after which training ends.
        seed: Of weights, order and augmentation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = 20
    steps: int | None = None
    batch: int = 256
    learning_rate: float = 5e-4
    warm_up_steps: int = 100
    steering_weight: float = 6.0
    patience: int = 8
    seed: int = 1


class EpochFigures(BaseModel):
    """Figures of one epoch; errors are of the validation set, ``mse`` in parts of the ranges."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    train_loss: float
    validation_loss: float
    mse: float
    v_mae_m_s: float
    w_mae_rad_s: float
    seconds: float


class TrainState(BaseModel):
    """``state.json``: what a training has done."""

    model_config = ConfigDict(extra="forbid")

    params: TrainParams
    data_sha256: str
    checkpoint: str | None = None
    history: list[EpochFigures] = []

    @property
    def best(self) -> EpochFigures:
        """The epoch with the lowest validation loss."""
        return min(self.history, key=lambda figures: figures.validation_loss)

    @property
    def finished(self) -> bool:
        """All epochs are done, or no better one was found for the patience."""
        if not self.history:
            return False
        epochs = len(self.history)
        waited = epochs - self.best.epoch
        return epochs >= self.params.epochs or waited >= self.params.patience


@dataclass(frozen=True, slots=True)
class StepDone:
    """Progress: ``step`` of ``steps`` of an epoch (counted from 1) done, with its loss."""

    epoch: int
    step: int
    steps: int
    loss: float


Event = StepDone | EpochFigures


class Learner(Protocol):
    """A network and its optimizer in some framework."""

    def step(
        self,
        images: NDArray[np.float32],
        wanted: NDArray[np.float32],
        learning_rate: float,
    ) -> float:
        """Learn from one batch; its loss before the step (see ``loss_weights``)."""
        ...

    def answers(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        """Picked outputs, shape (n, 2), of the network as it would drive."""
        ...

    def save_weights(self, path: Path) -> None:
        """Write the network's file."""
        ...

    def save_checkpoint(self, stem: Path) -> None:
        """Write all that resuming takes, into files named ``stem`` with a suffix."""
        ...

    def restore_checkpoint(self, stem: Path) -> None:
        """Go on from what ``save_checkpoint`` wrote."""
        ...


def train(
    data: Path,
    output: Path,
    params: TrainParams,
    card: NetworkCard,
    make_learner: Callable[[Split, TrainParams], Learner],
    *,
    resume: bool = False,
    best: str = BEST_FILE,
    tell: Told = quietly,
) -> Iterator[Event]:
    """Train a network on a data set; yields every step and every epoch's figures.

    Args:
        data: Folder of the data set.
        output: Folder of the training.
        params: How to train; when resuming, those that the training began with hold.
        card: What the network sees and says.
        make_learner: Makes the learner for a training split.
        resume: Go on from the state in ``output``.
        best: Name of the file of the best epoch's network.
        tell: Is told how many frames of a split are made ready, and of how many.

    Raises:
        UsageError: The output folder holds a training and ``resume`` is not set, the card says
            what can't be learned from labels of v and w, or the training went astray.
        DataError: The data set is broken or not the one that the training began with.
        UnavailableError: The learner's framework is not installed.
    """
    index = data / INDEX_FILE
    if not index.is_file():
        raise DataError(f"{data} is no data set: make one with `harness dataset build`")
    made_from = sha256_of(index)
    _open_state(made_from, output, params, resume)
    view = View(card.sees)
    training = read_pictures(data, "train", view, tell)
    validation = read_pictures(data, "validation", view, tell)
    if not len(training.labels) or not len(validation.labels):
        raise DataError(f"{data} needs runs in train and validation: record at least 3 a circuit")
    yield from fit(
        training,
        validation,
        output,
        params,
        card,
        make_learner,
        made_from=made_from,
        resume=resume,
        best=best,
    )


def fit(
    training: Split,
    validation: Split,
    output: Path,
    params: TrainParams,
    card: NetworkCard,
    make_learner: Callable[[Split, TrainParams], Learner],
    *,
    made_from: str,
    resume: bool = False,
    best: str = BEST_FILE,
) -> Iterator[Event]:
    """As ``train``, on splits that the caller has.

    Args:
        training: What it learns from.
        validation: What tells the best epoch.
        output: See ``train``; so the others.
        params: How to train.
        card: What the network sees and says.
        make_learner: Makes the learner.
        made_from: Names the content of both splits; a training resumes with the same alone.
        resume: Go on from the state in ``output``.
        best: Name of the file of the best epoch's network.
    """
    check_learnable(card)
    state = _open_state(made_from, output, params, resume)
    params = state.params
    learner = make_learner(training, params)
    if state.checkpoint is not None:
        learner.restore_checkpoint(output / state.checkpoint)

    steps = params.steps or math.ceil(len(training.labels) / params.batch)
    while not state.finished:
        epoch = len(state.history) + 1
        started_s = time.monotonic()
        losses: list[float] = []
        random = np.random.default_rng([params.seed, epoch])
        for images, wanted in prefetched(batches(training, card, random, steps, params.batch)):
            done = (epoch - 1) * steps + len(losses)
            rate = learning_rate(params, done, params.epochs * steps)
            losses.append(learner.step(images, wanted, rate))
            yield StepDone(epoch, len(losses), steps, losses[-1])
        figures = EpochFigures(
            epoch=epoch,
            train_loss=float(np.mean(losses)),
            seconds=time.monotonic() - started_s,
            **evaluate(learner.answers, validation, card, params.steering_weight),
        )
        if not math.isfinite(figures.train_loss + figures.validation_loss):
            raise UsageError(
                f"the training went astray in epoch {epoch} (its loss is {figures.train_loss}): "
                "try a lower --learning-rate"
            )
        state.history.append(figures)
        if state.best.epoch == epoch:
            learner.save_weights(output / best)
        _save_state(state, learner, output)
        yield figures


def check_learnable(card: NetworkCard) -> None:
    """A data set says what this network is to be told and to answer.

    Raises:
        UsageError: It does not; what stands in the way.
    """
    if card.keeps != "none":
        raise UsageError("a network that keeps a state learns from sequences: train it yourself")
    if card.sees.numbers:
        told = ", ".join(card.sees.numbers)
        raise UsageError(f"data sets hold frames alone, and this network is told {told} too")
    if card.says.v.constant is not None and card.says.w.constant is not None:
        raise UsageError("the card says constants for v and w: there is nothing to learn")
    card.says.to_picked(np.zeros((1, 2)))


def pixel_statistics(training: Split, view: View, sample: int = 1024) -> tuple[Floats, Floats]:
    """Mean and variance of each channel of scaled frames, from an even sample of a split."""
    rows = np.linspace(0, len(training.labels) - 1, sample).astype(int)
    pixels = view.scaled(np.asarray(training.pictures[np.unique(rows)]))
    pixels = pixels.reshape(-1, pixels.shape[-1])
    return pixels.mean(axis=0), pixels.var(axis=0)


def learning_rate(params: TrainParams, step: int, steps: int) -> float:
    """Rate of a step: linear rise, then a cosine from the highest rate to 1 % of it."""
    rise = min(1.0, (step + 1) / max(1, min(params.warm_up_steps, steps // 10)))
    fall = 0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2
    return params.learning_rate * rise * fall


def loss_weights(says: Says, steering_weight: float) -> Floats:
    """Weights of the squared errors of both picked outputs; the loss is the mean of both.

    They make them errors of v and w in parts of the expert's ranges, the one of w times
    ``steering_weight``; what the card says is constant weighs nothing.
    """
    gains = [0.0 if value.constant is not None else value.gain for value in (says.v, says.w)]
    return np.asarray((np.array(gains) / SPANS) ** 2 * [1.0, steering_weight], np.float32)


def evaluate(
    answers: Answers, split: Split, card: NetworkCard, steering_weight: float
) -> dict[str, float]:
    """Errors of a network on a split: the loss, the mse in parts of the ranges, and mean errors.

    The error of what the card says is constant counts in the mean errors alone.
    """
    view, says = View(card.sees), card.says
    given = [
        answers(images_at(split, np.arange(i, min(i + EVALUATION_BATCH, len(split.labels))), view))
        for i in range(0, len(split.labels), EVALUATION_BATCH)
    ]
    picked = np.concatenate(given).astype(np.float64)
    squares = ((picked - says.to_picked(split.labels)) ** 2).mean(axis=0)
    squares[[says.v.constant is not None, says.w.constant is not None]] = 0.0
    v_mae, w_mae = np.abs(says.commands(picked) - split.labels).mean(axis=0)
    return {
        "validation_loss": float((squares * loss_weights(says, steering_weight)).mean()),
        "mse": float((squares * loss_weights(says, 1.0)).mean()),
        "v_mae_m_s": float(v_mae),
        "w_mae_rad_s": float(w_mae),
    }


def _open_state(made_from: str, output: Path, params: TrainParams, resume: bool) -> TrainState:
    """The state to go on from; checks that it belongs to the data."""
    if not resume:
        if (output / STATE_FILE).exists():
            raise UsageError(f"{output} holds a training: add --resume, or choose another folder")
        output.mkdir(parents=True, exist_ok=True)
        return TrainState(params=params, data_sha256=made_from)
    state = read_state(output)
    if state.data_sha256 != made_from:
        raise DataError(f"{output} was trained on another data set than this one")
    return state


def read_state(output: Path) -> TrainState:
    """State of a training.

    Raises:
        DataError: The folder holds none.
    """
    try:
        return TrainState.model_validate_json((output / STATE_FILE).read_text())
    except (OSError, ValidationError) as error:
        line = " ".join(str(error).split())
        raise DataError(f"{output} holds no training to go on from: {line}") from error


def _save_state(state: TrainState, learner: Learner, output: Path) -> None:
    """Write curve and checkpoint, then the state that names it, then drop the older one."""
    older = state.checkpoint
    state.checkpoint = f"checkpoint_{len(state.history):03d}"
    learner.save_checkpoint(output / state.checkpoint)
    write_curve(state.history, output)
    part = output / f".{STATE_FILE}.part"
    part.write_text(state.model_dump_json(indent=1))
    part.replace(output / STATE_FILE)
    if older is not None:
        for path in output.glob(f"{older}.*"):
            path.unlink()


def write_curve(history: list[EpochFigures], output: Path) -> None:
    """Write ``curve.csv`` and ``curve.png``."""
    with (output / "curve.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(EpochFigures.model_fields))
        writer.writeheader()
        writer.writerows(figures.model_dump() for figures in history)
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    epochs = [figures.epoch for figures in history]
    axes.semilogy(epochs, [f.train_loss for f in history], marker=".", label="training")
    axes.semilogy(epochs, [f.validation_loss for f in history], marker=".", label="validation")
    axes.set_xlabel("epoch")
    axes.set_ylabel("weighted squared error of the scaled outputs")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    figure.savefig(output / "curve.png", dpi=120)
