"""``pitwall_fast``: a small network of our own, trained as PilotNet is, with float16 weights."""

from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from brains.artifacts import WEIGHTS_FILE
from brains.card import NetworkCard
from brains.fast import build_fast_network
from brains.pilotnet import load_network, tensorflow, with_weights
from brains.preprocess import V_MIN_M_S, W_MIN_RAD_S, normalise, to_output
from brains.recipes.tflite import convert_keras, halve
from brains.recipes.training import run_training
from brains.training.calibration import read_calibration
from brains.training.driven import Driven, read_driven
from brains.training.loop import TrainParams
from brains.training.pictures import Split
from brains.training.train import WeightsLearner
from brains.workshop import Workshop

BATCH = 256
CALIBRATION_WEIGHT = 2
"""How much a calibration frame, off the line, counts beside one of PilotNet's own laps."""
ANTICIPATED_FRAMES, STEERING_GAIN, SPEED_OFFSET_M_S = 1.4, 1.07, 0.03
"""What makes so quick a network drive PilotNet's line: chosen by laps of SimpleCircuit.

PilotNet learnt from commands that took effect a while after their frames, and drives best with
some latency: commands that take effect at once turn in too early. The small network gives those
that PilotNet gave this many frames before. Gain and offset make up for least squares, which rounds
off what its features can't tell.
"""

Floats = NDArray[np.float32]


def train(workshop: Workshop) -> None:
    """Train the network on the data set, write it with float16 weights, fit its last layer.

    ``recipe_options`` are fields of ``TrainParams``. So few weights take no time to read, and
    float32 arithmetic is quick on every CPU: int8 kernels are so only on those with VNNI.
    """
    driven = read_driven(workshop.data_set())
    best = run_training(
        workshop,
        TrainParams(**workshop.model.recipe_options),
        lambda training, params: _new_learner(training, params, workshop.card),
    )
    content = convert_keras(with_weights(build_fast_network(), best), halve)
    workshop.progress("pitwall_fast: fitting the last layer")
    pilotnet = load_network(workshop.weights_file(WEIGHTS_FILE))
    workshop.target.write_bytes(fit_last_layer(content, driven, pilotnet))


def fit_last_layer(content: bytes, driven: Driven, pilotnet: Any) -> bytes:
    """Fit the last layer by least squares to how PilotNet drives.

    Training saw frames in changed light and the expert's labels. Here the last layer learns what
    the rest makes of plain frames, and gives what PilotNet gives on its own laps; frames of the
    calibration set keep it right off their line.

    Args:
        content: The network as TFLite with float16 weights.
        driven: PilotNet's own laps.
        pilotnet: PilotNet, a Keras model.

    Returns:
        The same file with other values in its last layer.
    """
    laps, apart = normalise(driven.crops), normalise(read_calibration().crops)
    taught = _answer(pilotnet, laps)
    before = np.concatenate([taught[:1], taught[:-1]])
    before[driven.firsts] = taught[driven.firsts]
    taught += ANTICIPATED_FRAMES * (before - taught)
    interpreter = Interpreter(
        model_content=content, num_threads=1, experimental_preserve_all_tensors=True
    )
    features = np.concatenate([_features(interpreter, images) for images in (laps, apart)])
    wanted = np.concatenate([taught, _answer(pilotnet, apart)])
    weights = np.sqrt(np.repeat([1, CALIBRATION_WEIGHT], [len(laps), len(apart)]))[:, np.newaxis]
    columns = np.column_stack([features, np.ones(len(features))])
    solution, *_ = np.linalg.lstsq(columns * weights, wanted * weights, rcond=1e-6)
    solution[:, 1] *= STEERING_GAIN
    solution[-1] += to_output(np.array([V_MIN_M_S + SPEED_OFFSET_M_S, W_MIN_RAD_S * STEERING_GAIN]))
    _, kernel, bias = _last_layer(interpreter)
    for index, values in ((kernel, solution[:-1].T), (bias, solution[-1])):
        stored = interpreter.get_tensor(_stored(interpreter, index))
        content = _replaced(content, stored, values.astype(stored.dtype))
    return content


def _answer(network: Any, images: Floats) -> Floats:
    return np.asarray(network.predict(images, batch_size=BATCH, verbose=0))


def _last_layer(interpreter: Interpreter) -> tuple[int, int, int]:
    """Tensors of the last product: its input, kernel and bias."""
    operators = interpreter._get_ops_details()
    last = [details for details in operators if details["op_name"] == "FULLY_CONNECTED"][-1]
    given, kernel, bias = (int(index) for index in last["inputs"])
    return given, kernel, bias


def _stored(interpreter: Interpreter, tensor: int) -> int:
    """The tensor of the file that becomes ``tensor`` when the network starts."""
    (source,) = (
        int(operator["inputs"][0])
        for operator in interpreter._get_ops_details()
        if operator["op_name"] == "DEQUANTIZE" and tensor in operator["outputs"]
    )
    return source


def _features(interpreter: Interpreter, images: Floats) -> Floats:
    """What the last layer gets, (n, features), of images one by one."""
    interpreter.allocate_tensors()
    (taken,) = interpreter.get_input_details()
    given, *_ = _last_layer(interpreter)
    features = []
    for image in images:
        interpreter.set_tensor(taken["index"], image[np.newaxis])
        interpreter.invoke()
        features.append(interpreter.get_tensor(given)[0])
    return np.array(features)


def _replaced(content: bytes, old: NDArray[Any], new: NDArray[Any]) -> bytes:
    """A file with other values of the same size in one of its buffers."""
    if content.count(old.tobytes()) != 1:
        raise ValueError("the last layer's values are not found once in the file")
    return content.replace(old.tobytes(), new.reshape(old.shape).tobytes())


def _new_learner(training: Split, params: TrainParams, card: NetworkCard) -> WeightsLearner:
    """The network with random weights."""
    del training
    tensorflow()[1].utils.set_random_seed(params.seed)
    return WeightsLearner(build_fast_network(), params, card)
