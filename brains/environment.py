"""Environments of their own, for engines that can't be installed beside the others.

A model may name its environment, a virtual one of Debian's Python like the default. Whatever
process loads such a model then runs under that environment's interpreter; code, messages and files
are the same.
"""

import importlib.util
import os
import sys
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NoReturn

from brains.model import ModelSpec
from harness.errors import UnavailableError


def variable(environment: str) -> str:
    """The variable that names an environment's folder; set-up writes it, a user may."""
    return f"PITWALL_VENV_{environment.upper()}"


def why_no_environment(model: ModelSpec) -> str | None:
    """Why the model's environment is not there, in one line; None where it is, or needs none."""
    if model.environment is None:
        return None
    name = variable(model.environment)
    folder = os.environ.get(name, "")
    if not folder:
        how = f"run `make setup EXTRAS={model.extra}`" if model.extra else f"set {name}"
        return (
            f"model {model.name} runs in the environment {model.environment!r}: {how}, "
            "then `source env.sh`"
        )
    if not (Path(folder) / "pyvenv.cfg").is_file():
        return f"model {model.name}: {name}={folder} is no virtual environment: run `make setup`"
    return None


def interpreter(model: ModelSpec) -> Path | None:
    """The Python that the model must run under; None where it is the one that runs this.

    Raises:
        UnavailableError: The model's environment is not there.
    """
    if (reason := why_no_environment(model)) is not None:
        raise UnavailableError(reason)
    folder = _folder(model)
    if folder is None or folder.resolve() == Path(sys.prefix).resolve():
        return None
    return folder / "bin" / "python3"


def enter(model: ModelSpec) -> None:
    """Go on under the model's interpreter: it replaces this process and runs its command anew.

    Returns where this is the right interpreter already. Process id, environment, and what stands
    on the command line stay the same.

    Raises:
        UnavailableError: The model's environment is not there.
    """
    python = interpreter(model)
    if python is not None:
        _replace_process(python)


def absent(model: ModelSpec, names: list[str]) -> list[str]:
    """Those of the modules that are not installed where the model runs."""
    folder = _folder(model)
    where = None if folder is None else [str(path) for path in _site_packages(folder)]
    return [name for name in names if not _is_installed(name, where)]


def installed(model: ModelSpec) -> tuple[str, ...]:
    """What is installed in the model's environment, with versions; empty for the default one."""
    folder = _folder(model)
    return () if folder is None else _distributions(tuple(map(str, _site_packages(folder))))


def _folder(model: ModelSpec) -> Path | None:
    if model.environment is None:
        return None
    folder = os.environ.get(variable(model.environment), "")
    return Path(folder) if folder else None


def _site_packages(folder: Path) -> list[Path]:
    return sorted(folder.glob("lib/python3*/site-packages"))


def _is_installed(name: str, where: list[str] | None) -> bool:
    if where is None:
        return importlib.util.find_spec(name) is not None
    return PathFinder.find_spec(name, where) is not None


@cache
def _distributions(where: tuple[str, ...]) -> tuple[str, ...]:
    found = metadata.distributions(path=list(where))
    return tuple(sorted(f"{one.name} {one.version}" for one in found))


def _replace_process(python: Path) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(python, [str(python), *sys.orig_argv[1:]])
