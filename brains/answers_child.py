"""``python -m brains.answers_child MODEL FILE``: a network's answers to its check frames.

MODEL is a ``ModelSpec`` as JSON. FILE gets them as float32 (n, 2), what the card picks of the
outputs. ``brains.build_elsewhere`` starts it.
"""

import sys

import numpy as np

from brains.build_child import telling
from brains.gate import answers_of
from brains.loading import load
from brains.model import ModelSpec
from brains.network import NetworkBrain
from brains.samples import check_samples
from brains.view import View
from brains.workshop import Progress
from harness.errors import BrainError


def main() -> int:
    """Answers the frames of the model that the command line names."""
    spec, target = sys.argv[1:]
    model = ModelSpec.model_validate_json(spec)

    def answer(progress: Progress) -> None:
        progress(f"{model.name}: answering the check frames")
        brain = load(model)
        if not isinstance(brain, NetworkBrain):
            raise BrainError(f"{model.name} is no network: it has no outputs to compare")
        samples = check_samples(model, View(brain.card.sees))
        np.save(target, answers_of(brain, samples))

    return telling(answer)


if __name__ == "__main__":
    sys.exit(main())
