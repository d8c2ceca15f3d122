"""Training of a network of one's own, as its card describes it."""

import os
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from brains.card import NetworkCard, read_card
from brains.loading import called, function_of
from brains.training import loop
from brains.training.loop import Event, Learner, TrainParams, check_learnable
from brains.training.pictures import Told, quietly
from harness.errors import UsageError

ENDINGS = (".h5", ".keras", ".pt", ".pth", ".pt2")
"""Of files that a training can write."""


def train_own(
    builder: str | None,
    card_file: Path,
    data: Path,
    output: Path,
    params: TrainParams,
    *,
    resume: bool = False,
    tell: Told = quietly,
) -> Iterator[Event]:
    """Train a network and write the file that its card names; yields steps and epochs' figures.

    Args:
        builder: ``module:function`` that returns the network with random weights, of Keras or
            PyTorch, where the user's own modules are; None: the card's ``class``.
        card_file: The card; its network's file is written beside it at the end.
        data: Folder of the data set.
        output: Folder of the training.
        params: How to train.
        resume: Go on from the state in ``output``.
        tell: Is told how many frames of a split are made ready, and of how many.

    Raises:
        UsageError: Card, builder and network don't fit one another, the network's file is there
            already, or the training went astray.
        DataError: The card or the data set is broken.
        BrainError: The builder's own code failed.
        UnavailableError: A framework is not installed.
    """
    card = read_card(card_file)
    check_learnable(card)
    target = card_file.parent / card.network
    _check_target(target, card_file)
    builder = builder or card.class_
    if builder is None:
        raise UsageError("what builds the network? Add --network my_module:build")
    best = f"best{target.suffix}"
    if target.exists():
        raise UsageError(f"{target} is there already: move it away, the training would replace it")
    # For modules that import Keras from TensorFlow.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "0" if target.suffix == ".keras" else "1")
    begun = loop.read_state(output) if resume else None
    if begun is None or not begun.finished:
        # Before the frames are made ready: that takes long, and a network may not fit its card.
        learner = _learner(builder, begun.params if begun else params, card, target)
        yield from loop.train(
            data, output, params, card, lambda *_: learner, resume=resume, best=best, tell=tell
        )
    part = target.with_name(f".part.{target.name}")
    shutil.copyfile(output / best, part)
    part.replace(target)


def _learner(builder: str, params: TrainParams, card: NetworkCard, target: Path) -> Learner:
    """What trains the network that a builder returns, told by what it is."""
    build = function_of(builder, target.parent)
    _seed(params.seed)
    network = called(build, builder)
    origins = {(kind.__name__, kind.__module__.partition(".")[0]) for kind in type(network).__mro__}
    ending = target.suffix
    if ("Model", "tf_keras") in origins or ("Model", "keras") in origins:
        from brains.training.keras_train import KerasLearner  # noqa: PLC0415 - imports TensorFlow

        version, wanted = (2, ".h5") if ("Model", "tf_keras") in origins else (3, ".keras")
        if ending != wanted:
            raise UsageError(
                f"{builder} returns a network of Keras {version}, whose file ends in {wanted}: the"
                f" card names {target.name}"
            )
        return KerasLearner(network, params, card)
    if ("Module", "torch") in origins:
        from brains.training.torch_train import TorchLearner, WeightsLearner  # noqa: PLC0415

        if ending not in (".pt", ".pth", ".pt2"):
            raise UsageError(
                f"{builder} returns a network of PyTorch, whose file ends in .pt (TorchScript) or"
                f" .pt2 (exported): the card names {target.name}"
            )
        kind = TorchLearner if card.class_ is None else WeightsLearner
        return kind(network, params, card)
    raise UsageError(f"{builder} returns {type(network).__name__}, no network of Keras or PyTorch")


def _check_target(target: Path, card_file: Path) -> None:
    if target.suffix not in ENDINGS:
        written = ", ".join(ENDINGS)
        raise UsageError(f"{card_file} names {target.name}: a training writes {written}")
    if not target.parent.is_dir():
        raise UsageError(f"{card_file} names {target}, and the folder {target.parent} is not there")


def _seed(seed: int) -> None:
    """Seed all that may draw weights, of the frameworks that are imported."""
    random.seed(seed)
    np.random.seed(seed)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)
    for keras in ("tf_keras", "keras"):
        if (module := sys.modules.get(keras)) is not None:
            module.utils.set_random_seed(seed)
