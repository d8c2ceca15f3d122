"""What each share of zeros costs: the table that the shares in ``models.yaml`` were chosen by.

Prunes as the models' own recipe does and judges by validation frames, never by those of the
evaluation. What has been trained stays in the folder: a killed table goes on.

Run as ``python -m brains.torch_pruning_table DATA FOLDER``.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from brains.artifacts import weights_dir
from brains.build import start_weights, train_file
from brains.catalogue import find_model
from brains.model import ModelSpec
from brains.recipes.torch_pruning import FLOAT_WEIGHTS
from brains.torch_pilotnet import load_network
from brains.training.dataset import Split, read_split
from brains.training.loop import TrainParams, evaluate
from brains.training.torch_train import TorchLearner
from harness.errors import PitwallError

MODELS = ("torch_pruned_local", "torch_pruned_global")
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def table(model: ModelSpec, shares: tuple[float, ...], data: Path, folder: Path) -> Iterator[float]:
    """Prune by each share; yields the mean squared error over the float network's.

    Args:
        model: A model that ``torch_pruning.pruned`` makes.
        shares: Shares of zeros.
        data: Data set.
        folder: Weights folder that takes what is trained.

    Raises:
        DataError: Data set or weights are missing or broken.
    """
    validation = read_split(data, "validation")
    floats = mse(weights_dir() / FLOAT_WEIGHTS, validation)
    tries = [with_share(model, share) for share in shares]
    start_weights(folder, tries)
    for tried in tries:
        yield mse(train_file(tried, data, folder), validation) / floats


def with_share(model: ModelSpec, zeros: float) -> ModelSpec:
    """The model pruned by another share, into a file of its own."""
    name = f"{model.name}_{zeros:g}"
    options = model.recipe_options | {"zeros": zeros}
    update = {"name": name, "weights": f"{name}.npz", "recipe_options": options}
    return model.model_copy(update=update)


def mse(weights: Path, frames: Split) -> float:
    """Mean squared error of the scaled outputs of a network's weights file."""
    params = TrainParams()
    learner = TorchLearner(load_network(weights), params, bfloat16=False)
    return evaluate(learner.answers, frames, params.steering_weight)["mse"]


def main() -> int:
    """Prints the table, each line as soon as it is known; the exit code."""
    parser = argparse.ArgumentParser(description="What each share of zeros costs.")
    parser.add_argument("data", type=Path, help="data set")
    parser.add_argument("folder", type=Path, help="weights folder that takes what is trained")
    options = parser.parse_args()
    try:
        for name in MODELS:
            ratios = table(find_model(name), SHARES, options.data, options.folder)
            for share, ratio in zip(SHARES, ratios, strict=True):
                print(f"{name}, {share:.0%} zeros: MSE {ratio:.3f} x float", flush=True)
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
