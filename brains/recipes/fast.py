"""``pitwall_fast``: a small network of our own, trained as PilotNet is, with int8 weights."""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from brains.artifacts import WEIGHTS_FILE
from brains.fast import build_fast_network
from brains.pilotnet import load_network, tensorflow, with_weights
from brains.preprocess import normalise, to_output
from brains.recipes.tflite import convert, optimise
from brains.recipes.training import run_training
from brains.training.dataset import Split, read_split
from brains.training.loop import TrainParams
from brains.training.train import KerasLearner
from brains.workshop import Workshop

FITTED_FRAMES = 4000
BATCH = 256

Floats = NDArray[np.float32]


def train(workshop: Workshop) -> None:
    """Train the network on the data set, write it as TFLite with int8 weights, fit its last layer.

    ``recipe_options`` are fields of ``TrainParams``. Activations stay in float between the
    layers: int8 ones would be a few microseconds faster, and the steering coarser.
    """
    best = run_training(workshop, TrainParams(**workshop.model.recipe_options), _new_learner)
    network = with_weights(build_fast_network(), best)
    training = read_split(workshop.data_set(), "train")
    workshop.progress("pitwall_fast: fitting the last layer")
    fit_last_layer(network, training, workshop.weights_file(WEIGHTS_FILE))
    workshop.target.write_bytes(convert(network, optimise))


def fit_last_layer(network: Any, training: Split, pilotnet: Path) -> None:
    """Fit the last layer by least squares to frames as the camera gives them.

    Training saw frames in changed light and float weights. Here the last layer learns what the
    rest, with its weights in int8, makes of plain frames. It is to answer halfway between the
    expert's label and PilotNet, whose driving it is to match.

    Args:
        network: The trained network; its last layer is changed. So small a layer stays in float.
        training: Training split, of which evenly spread frames are taken.
        pilotnet: PilotNet's weights file.
    """
    _, tf_keras = tensorflow()
    rows = np.linspace(0, len(training.labels) - 1, FITTED_FRAMES).astype(int)
    images = normalise(np.asarray(training.crops[np.unique(rows)]))
    labels = to_output(training.labels[np.unique(rows)])
    taught = np.asarray(load_network(pilotnet).predict(images, batch_size=BATCH, verbose=0))
    trunk = tf_keras.Model(network.input, network.layers[-2].output)
    features = _answers(convert(trunk, optimise), images)
    columns = np.column_stack([features, np.ones(len(features))])
    solution, *_ = np.linalg.lstsq(columns, (labels + taught) / 2, rcond=1e-6)
    network.layers[-1].set_weights([solution[:-1], solution[-1]])


def _answers(content: bytes, images: Floats) -> Floats:
    """What a TFLite file answers to images, one by one."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for image in images:
        interpreter.set_tensor(taken["index"], image[np.newaxis])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(given["index"]))
    return np.concatenate(answers)


def _new_learner(training: Split, params: TrainParams) -> KerasLearner:
    """The network with random weights."""
    del training
    tensorflow()[1].utils.set_random_seed(params.seed)
    return KerasLearner(build_fast_network(), params)
