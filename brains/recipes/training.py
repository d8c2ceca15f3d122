"""How every recipe that learns runs its training."""

from collections.abc import Callable
from pathlib import Path

from brains.training import loop
from brains.training.loop import Learner, StepDone, TrainParams
from brains.training.pictures import Split
from brains.workshop import Workshop


def run_training(
    workshop: Workshop, params: TrainParams, make_learner: Callable[[Split, TrainParams], Learner]
) -> Path:
    """Train to the last epoch in the scratch folder; a killed training goes on.

    Returns:
        The best epoch's weights file.
    """
    scratch = workshop.scratch
    resume = (scratch / loop.STATE_FILE).exists()
    for event in loop.train(
        workshop.data_set(), scratch, params, workshop.card, make_learner, resume=resume
    ):
        if isinstance(event, StepDone):
            text = f"{workshop.model.name}: epoch {event.epoch} loss {event.loss:.5f}"
            workshop.progress(text, event.step, event.steps)
        else:
            text = f"{workshop.model.name}: mse {event.mse:.6f} after epoch {event.epoch}"
            workshop.progress(text, 1, 1)
    return scratch / loop.BEST_FILE
