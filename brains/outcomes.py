"""What became of each version that was to be made: made, refused, not possible, and why."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brains import availability
from brains.agreement import Agreement
from brains.artifacts import artifact_bytes, built_dir, read_agreement, refusal
from brains.build import build_artifact, train_file
from brains.model import ModelSpec
from brains.workshop import Progress
from harness.errors import DataError, PitwallError, UnavailableError

State = Literal["made", "refused", "not possible", "left out"]


@dataclass(frozen=True)
class Outcome:
    """One version.

    Attributes:
        model: What was to be made.
        state: ``made`` (or there already); ``refused`` by the gate; ``not possible`` with this
            network; ``left out`` as this machine lacks something.
        detail: Where it is, or why not, in one line.
        agreement: What the gate found; None where it was not asked.
        size_bytes: Of what was made.
        error: What stood in the way.
    """

    model: ModelSpec
    state: State
    detail: str
    agreement: Agreement | None = None
    size_bytes: int | None = None
    error: PitwallError | None = None


def make(model: ModelSpec, progress: Progress, *, apart: bool = True) -> Outcome:
    """Make a version's file, unless it is there; never raises for what stands in its way.

    Args:
        model: The version.
        progress: Is told how far it is.
        apart: Make it in a process of its own, as frameworks don't bear each other.
    """
    try:
        if model.built or model.artifact is None:
            # Told apart from what fails later: the machine lacks something, not the network.
            availability.to_load(model).require()
        path = build_artifact(model, progress, apart=apart)
    except UnavailableError as error:
        return Outcome(model, "left out", _bare(model, error), error=error)
    except PitwallError as error:
        return _not_made(model, error)
    found = read_agreement(path.parent) if model.built else None
    return Outcome(model, "made", str(path), found, artifact_bytes(path))


def train(model: ModelSpec, data: Path, folder: Path, progress: Progress) -> Outcome:
    """Train a model's kept file in a process of its own, unless it is there; never raises."""
    try:
        path = train_file(model, data, folder, progress, apart=True)
    except PitwallError as error:
        return Outcome(model, "not possible", str(error), error=error)
    return Outcome(model, "made", str(path))


def _not_made(model: ModelSpec, error: PitwallError) -> Outcome:
    text = _bare(model, error)
    try:
        folder = built_dir(model) if model.built else None
        if folder is not None and refusal(folder) is not None:
            found = read_agreement(folder)
            return Outcome(model, "refused", found.detail if found else text, found, error=error)
    except DataError:
        # The network's own file is broken: that is what is told.
        pass
    return Outcome(model, "not possible", text, error=error)


def _bare(model: ModelSpec, error: PitwallError) -> str:
    """What an error says, without the model's name in front."""
    text = str(error)
    for prefix in (f"model {model.name}: ", f"model {model.name} "):
        text = text.removeprefix(prefix)
    return text
