"""From a finished training to the weights folder: master weights, default model, check frames."""

import shutil
from pathlib import Path

import numpy as np

from brains.artifacts import REFERENCE_FILE, WEIGHTS_FILE, write_sums
from brains.catalogue import default_model, find_model
from brains.pilotnet import load_network
from brains.preprocess import normalise
from brains.recipes.tflite import convert_keras, optimise
from brains.reference import write_reference
from brains.training.frames import FrameSet
from harness.errors import DataError

CHECK_FRAMES = 32


def export(weights: Path, check: FrameSet, folder: Path) -> Path:
    """Make a weights folder, usable as ``$PITWALL_WEIGHTS`` or as ``brains/weights``.

    Args:
        weights: Weights file of the training (``best.npz``), float16.
        check: Frames of which 32 become the check frames.
        folder: Where the weights folder goes.

    Raises:
        DataError: The weights are broken, or there are no frames.
        UnavailableError: TensorFlow is not installed.
    """
    if not len(check.crops):
        raise DataError("no frames to check the exported network with")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights, folder / WEIGHTS_FILE)
    network = load_network(folder / WEIGHTS_FILE)
    rows = np.linspace(0, len(check.crops) - 1, min(CHECK_FRAMES, len(check.crops))).astype(int)
    crops = check.crops[rows]
    outputs = np.asarray(network.predict_on_batch(normalise(crops)), np.float32)
    write_reference(folder / REFERENCE_FILE, crops, outputs)
    artifact = find_model(default_model()).artifact
    if artifact is None:
        raise DataError(f"the default model {default_model()} has no artifact to export")
    (folder / artifact).write_bytes(convert_keras(network, optimise))
    write_sums(folder)
    return folder
