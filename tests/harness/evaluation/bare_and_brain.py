"""``python -m tests.harness.evaluation.bare_and_brain MODEL``: answers to one frame, as JSON.

Those of the engine's bare loop and of the brain, on the last line.
"""

import json
import sys

import numpy as np

from brains.catalogue import find_model, load_brain
from brains.network import NetworkBrain
from brains.preprocess import normalise
from brains.training.evaluation import read_evaluation
from harness.evaluation.bare import bare_loop


def main(name: str) -> None:
    """Prints both answers."""
    image = normalise(read_evaluation().crops[:1])
    brain = load_brain(name)
    assert isinstance(brain, NetworkBrain)
    call, read = bare_loop(find_model(name))(image)
    call()
    answers = read(), brain.predict(brain.encode(image))
    print(json.dumps([np.asarray(answer).tolist() for answer in answers]))


if __name__ == "__main__":
    main(sys.argv[1])
