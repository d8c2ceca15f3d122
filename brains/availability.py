"""Whether a model can be built, loaded and driven on this machine, and what is missing if not.

Cheap: looks for devices, modules and files, imports no framework and loads nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from brains import environment
from brains.artifacts import artifact_path, missing
from brains.cpu import cpu_flags
from brains.gpu import nvidia_gpu
from brains.model import ModelSpec
from harness.errors import DataError, UnavailableError


class Lack(Enum):
    """What kind of thing is missing."""

    HARDWARE = "a GPU or a processor"
    SOFTWARE = "a brain, an environment or Python modules"
    FILE = "what the engine loads"


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether something can be done with a model here; both attributes are None where it can.

    Attributes:
        lack: The kind of the first thing that is missing.
        reason: What it is and how to get it, in one line.
    """

    lack: Lack | None = None
    reason: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is known to be missing."""
        return self.lack is None

    def require(self) -> None:
        """Go on only where nothing is missing.

        Raises:
            UnavailableError: What is missing and how to get it.
        """
        if self.reason is not None:
            raise UnavailableError(self.reason)


def to_drive(model: ModelSpec) -> Availability:
    """Whether the model can drive here: it can be loaded, and its file is there."""
    return _first_lack(model, *_LOADING, (Lack.FILE, _file))


def to_load(model: ModelSpec) -> Availability:
    """Whether the model's engine can run here, whatever there is of its file."""
    return _first_lack(model, *_LOADING)


def to_build(model: ModelSpec) -> Availability:
    """Whether the model's file can be built or trained here."""
    return _first_lack(model, *_PLACE, (Lack.SOFTWARE, _build_modules))


_Check = tuple[Lack, Callable[[ModelSpec], str | None]]


def _first_lack(model: ModelSpec, *checks: _Check) -> Availability:
    for lack, check in checks:
        if (reason := check(model)) is not None:
            return Availability(lack, reason)
    return Availability()


def _gpu(model: ModelSpec) -> str | None:
    if model.nvidia is None or nvidia_gpu() is not None:
        return None
    return f"model {model.name} needs an NVIDIA GPU, and here is none; with one: {model.nvidia}"


def _processor(model: ModelSpec) -> str | None:
    if not model.cpu or cpu_flags().intersection(model.cpu):
        return None
    return f"model {model.name} needs a CPU with {' or '.join(model.cpu)}, and this has none"


def _brain(model: ModelSpec) -> str | None:
    return None if model.brain else f"model {model.name} names no brain that loads it"


def _modules(model: ModelSpec) -> str | None:
    return _absent(model, "", model.needs, model.extra)


def _build_modules(model: ModelSpec) -> str | None:
    return _absent(model, ": building it", model.build_needs, model.build_extra)


def _absent(model: ModelSpec, what: str, needs: list[str], extra: str | None) -> str | None:
    absent = environment.absent(model, needs)
    if not absent:
        return None
    how = f"run `make setup EXTRAS={extra}`" if extra else "run `make setup`"
    return f"model {model.name}{what} needs {', '.join(absent)}: {how}"


def _file(model: ModelSpec) -> str | None:
    try:
        path = artifact_path(model)
    except DataError as error:
        return f"model {model.name}: {error}"
    return None if path is None or path.exists() else missing(model, path)


# What is looked at, in this order: a later check may need what an earlier one found.
_PLACE: tuple[_Check, ...] = (
    (Lack.HARDWARE, _gpu),
    (Lack.HARDWARE, _processor),
    (Lack.SOFTWARE, _brain),
    (Lack.SOFTWARE, environment.why_no_environment),
)
_LOADING: tuple[_Check, ...] = (*_PLACE, (Lack.SOFTWARE, _modules))
