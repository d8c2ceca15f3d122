"""``python -m tests.brains.random_pilotnet FOLDER``: a weights folder with a random PilotNet.

Exported as a training would export its own. A process of its own has TensorFlow, so that tests of
other frameworks can build from it.
"""

import sys
from pathlib import Path

import numpy as np

from brains.check import road_frame
from brains.pilotnet import build_network, save_weights, tensorflow
from brains.preprocess import crop
from brains.training.export import export
from brains.training.frames import FrameSet


def main(folder: Path) -> None:
    """Writes FOLDER/best.npz and FOLDER/weights."""
    best = folder / "best.npz"
    random = np.random.default_rng(0)
    # Fresh biases are all zero, and a converter drops those: a trained network has none.
    tensorflow()[1].utils.set_random_seed(0)
    weights = build_network().get_weights()
    weights = [w + random.uniform(0.001, 0.01, w.shape) if w.ndim == 1 else w for w in weights]
    # Answers about the middle of the scale, as a trained network's are.
    weights[-1] += 0.5
    save_weights(weights, best)
    road = crop(road_frame((480, 640, 3)))
    crops = np.stack([np.roll(road, shift, axis=1) for shift in random.integers(-60, 60, 40)])
    check = FrameSet(crops, np.zeros((40, 2), np.float32), np.full(40, "loop"))
    export(best, check, folder / "weights")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
