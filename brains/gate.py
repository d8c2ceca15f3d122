"""The gate: no version of a network is offered before it agrees with the network as it came.

Both answer the same frames, which no calibration has seen. The network answers them once, in a
process of its own, and its answers are kept; those of Pitwall's own come with the weights.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains import loading
from brains.agreement import Agreement, compare
from brains.artifacts import AGREEMENT_FILE, checked_sha256, network_key, weights_dir
from brains.build_elsewhere import answer_elsewhere
from brains.card import NetworkCard, read_card
from brains.environment import interpreter
from brains.model import ModelSpec
from brains.network import NetworkBrain
from brains.samples import Samples, check_samples, frames_key
from brains.sources import sources_of
from brains.versions import Network
from brains.view import View
from brains.workshop import Progress
from harness.errors import BrainError, DataError
from harness.setup.cache import build_once, cache_root, key_of

_ANSWERS = "answers.npy"
_Picked = NDArray[np.float32]


def asks(model: ModelSpec) -> bool:
    """Whether the gate judges a model: a version of a network, made here."""
    return model.built and model.card is not None and model.method is not None


def passes(model: ModelSpec, artifact: Path, progress: Progress) -> bool:
    """Judge a fresh artifact, and write what was found beside it; true where it may be offered.

    Raises:
        DataError: The version can't be loaded.
    """
    if not asks(model):
        return True
    progress(f"{model.name}: comparing with its network")
    found = judge(model, artifact, original_answers(model, progress))
    (artifact.parent / AGREEMENT_FILE).write_text(found.model_dump_json(indent=1) + "\n")
    return found.verdict != "refused"


def judge(model: ModelSpec, artifact: Path, original: _Picked) -> Agreement:
    """Compare what an artifact answers with what its network did.

    Args:
        model: The version.
        artifact: Its file or folder.
        original: What the card picks of the network's outputs, (n, 2).
    """
    brain_class = loading.brain_class(str(model.brain))
    if not issubclass(brain_class, NetworkBrain):
        raise BrainError(f"{model.name}: {model.brain} is no network's brain")
    brain = brain_class(model, artifact)
    card = _card(model)
    version = answers_of(brain, _samples(model, card))
    return compare(card.says.commands(original), card.says.commands(version))


def answers_of(brain: NetworkBrain, samples: Samples) -> _Picked:
    """What the card picks of a network's outputs for each sample, (n, 2)."""
    if not brain.stateful:
        return np.asarray(brain.answers(samples.inputs))
    found = []
    for sequence in samples.sequences():
        brain.reset()
        found.append(np.asarray(brain.answers(sequence)))
    return np.concatenate(found)


def original_answers(model: ModelSpec, progress: Progress) -> _Picked:
    """What the card picks of the outputs of the network as it came, for the check frames, (n, 2).

    Raises:
        DataError: The network can't be loaded, or answers what is no number.
        UnavailableError: What runs it is not installed.
    """
    if (kept := _kept(model)) is not None:
        with np.load(kept) as reference:
            return np.asarray(reference["outputs"], np.float32)
    folder = _answers_dir(model)

    def build() -> None:
        # Only here: a process of another environment finds the answers, and could not open the file.
        original = _original(model)
        folder.mkdir()
        python = interpreter(original) or Path(sys.executable)
        answer_elsewhere(python, original, folder / _ANSWERS, progress)

    build_once(folder, build)
    answers: _Picked = np.load(folder / _ANSWERS)
    commands = _card(model).says.commands(answers)
    if bad := int(np.count_nonzero(~np.isfinite(commands).all(axis=1))):
        raise DataError(
            f"{model.weights} itself answers {bad} of {len(commands)} frames with what is no "
            "number: look at the card's scale and offset"
        )
    return answers


def _samples(model: ModelSpec, card: NetworkCard) -> Samples:
    view = View(card.sees)
    kept = _kept(model)
    if kept is None:
        return check_samples(model, view)
    with np.load(kept) as reference:
        images = view.scaled(reference["crops"])
    inputs = [{view.image_input: image[np.newaxis]} for image in images]
    return Samples(inputs, list(range(len(inputs))))


def _original(model: ModelSpec) -> ModelSpec:
    """The network as it came; of a version that was trained on labels, that of its own weights.

    What a training changed is no fault of a conversion: evaluation and laps judge it.
    """
    network = Network(Path(str(model.card)), weights_folder=model.folder is None).model()
    if model.weights == network.weights:
        return network
    return network.model_copy(update={"weights": model.weights, "artifact": model.weights})


def _kept(model: ModelSpec) -> Path | None:
    """File of the weights folder with check frames and the network's answers to them."""
    if model.folder is not None or model.reference is None:
        return None
    if model.weights != _card(model).network:
        return None
    path = weights_dir() / model.reference
    if not path.is_file():
        return None
    checked_sha256(path)
    return path


def _answers_dir(model: ModelSpec) -> Path:
    """Cache folder of the network's answers, keyed by all that decides them."""
    code = [path.read_bytes() for path in sources_of(__name__)]
    key = key_of(network_key(model), frames_key(model), *code)
    return cache_root() / "answers" / f"{Path(str(model.card)).stem}-{key}"


def _card(model: ModelSpec) -> NetworkCard:
    return read_card(Path(str(model.card)))
