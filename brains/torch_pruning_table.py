"""What zeros cost: the table that the shares in ``models.yaml`` were chosen by.

Prunes as the models' own recipe does, but further, and judges by validation frames, never by those
of the evaluation. Each share's training is kept in the folder: a killed table goes on, and
`harness optimize` with the same folder finds what it needs done.

Run as ``python -m brains.torch_pruning_table MODEL DATA FOLDER``.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from brains.artifacts import weights_dir
from brains.build import hub_of, scratch_of, silent
from brains.card import NetworkCard
from brains.catalogue import find_model
from brains.model import ModelSpec
from brains.recipes.torch_pruning import FLOAT_WEIGHTS, pruned, stages
from brains.torch_pilotnet import load_network
from brains.training.loop import TrainParams, evaluate
from brains.training.pictures import Split, read_pictures
from brains.training.torch_train import TorchLearner
from brains.view import View
from brains.workshop import Workshop
from harness.errors import PitwallError, UsageError

RECIPE = f"{pruned.__module__}:{pruned.__name__}"
SHARES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)


def table(
    model: ModelSpec, shares: Sequence[float], data: Path, folder: Path
) -> Iterator[tuple[float, float]]:
    """Prune by one share after the other.

    Args:
        model: A model that ``torch_pruning.pruned`` makes.
        shares: Shares of zeros, rising.
        data: Data set.
        folder: Weights folder to be; takes what lets trainings go on.

    Yields:
        Share, and the mean squared error over the float network's.

    Raises:
        UsageError: Another recipe makes the model.
        DataError: Data set or weights are missing or broken.
    """
    if model.training != RECIPE:
        raise UsageError(f"model {model.name} is not made by {RECIPE}")
    further = model.model_copy(update={"recipe_options": model.recipe_options | {"zeros": shares}})
    workshop = Workshop(
        model=further,
        target=folder / model.weights,
        folder=weights_dir(),
        scratch=scratch_of(model, folder),
        data=data,
        progress=silent,
        hub_of=hub_of,
    )
    card = workshop.card
    validation = read_pictures(data, "validation", View(card.sees))
    floats = mse(load_network(workshop.weights_file(FLOAT_WEIGHTS)), validation, card)
    for zeros, network in stages(workshop):
        yield zeros, mse(network, validation, card) / floats


def mse(network: Any, frames: Split, card: NetworkCard) -> float:
    """Mean squared error of a network's scaled outputs."""
    params = TrainParams()
    learner = TorchLearner(network, params, card)
    return evaluate(learner.answers, frames, card, params.steering_weight)["mse"]


def main() -> int:
    """Prints the table, each line as soon as it is known; the exit code."""
    parser = argparse.ArgumentParser(description="What zeros cost a PyTorch PilotNet.")
    parser.add_argument("model", help="torch_pruned_local or torch_pruned_global")
    parser.add_argument("data", type=Path, help="data set")
    parser.add_argument("folder", type=Path, help="weights folder to be; keeps the trainings")
    options = parser.parse_args()
    try:
        model = find_model(options.model)
        for zeros, ratio in table(model, SHARES, options.data, options.folder):
            print(f"{model.name}, {zeros:.0%} zeros: MSE {ratio:.3f} x float", flush=True)
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
