"""``python -m tests.harness.evaluation.bare_and_brain MODEL``: answers to one frame, as JSON.

Those of the engine's bare loop and of the brain, on the last line.
"""

import json
import sys

import numpy as np

from brains.catalogue import find_model, load_brain
from brains.network import NetworkBrain
from brains.samples import evaluation_samples
from harness.evaluation.bare import bare_loop


def main(name: str) -> None:
    """Prints both answers."""
    brain = load_brain(name)
    assert isinstance(brain, NetworkBrain)
    model = find_model(name)
    sample = evaluation_samples(model, brain.view).inputs[0]
    call, read = bare_loop(model, brain)(sample)
    call()
    (answer,) = brain.decode(brain.predict(brain.encoded(sample))).values()
    print(json.dumps([np.asarray(told).tolist() for told in (read(), answer)]))


if __name__ == "__main__":
    main(sys.argv[1])
