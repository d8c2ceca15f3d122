"""Virtual environments of Debian's Python 3.11 (it sees rospy) with pinned packages.

One is the default; engines that can't live in it have environments of their own (pyproject.toml).
"""

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.setup.cache import build_once, cache_root, key_of
from harness.setup.pytorch import cpu_build, index_options, why_cuda
from harness.setup.steps import run_step, say

_SYSTEM_PYTHON = "/usr/bin/python3"  # another python3 on PATH (pyenv, conda) has no rospy
_CONSTRAINTS = "constraints.txt"


def known_extras(project: Path) -> list[str]:
    """Names of the extras, as pyproject.toml has them."""
    return sorted(_pyproject(project)["project"]["optional-dependencies"])


def check_extras(project: Path, extras: set[str]) -> None:
    """Refuses what is no extra.

    Raises:
        UsageError: unknown extra.
    """
    if unknown := extras - set(known_extras(project)):
        raise UsageError(
            f"unknown extra {', '.join(sorted(unknown))}; known: {', '.join(known_extras(project))}"
        )


def build_venvs(project: Path, extras: set[str], python: str = _SYSTEM_PYTHON) -> dict[str, Path]:
    """Makes the virtual environments of these extras unless they are there.

    Args:
        project: the clone.
        extras: names of extras besides the default install.
        python: the interpreter that they are made of.

    Returns:
        The folders by the variables that name them: PITWALL_VENV, and PITWALL_VENV_NAME for each
        environment of its own that an extra asks for.

    Raises:
        UsageError: unknown extra, or PITWALL_TORCH_INDEX names nothing.
        UnavailableError: pip failed.
    """
    check_extras(project, extras)
    config = _pyproject(project)
    environments = config["tool"]["pitwall"]["environments"]
    elsewhere = {extra for environment in environments.values() for extra in environment["extras"]}
    contents = {"PITWALL_VENV": _content(project, config, "", sorted(extras - elsewhere))}
    for name, environment in environments.items():
        if chosen := sorted(extras & set(environment["extras"])):
            contents[f"PITWALL_VENV_{name.upper()}"] = _content(project, config, name, chosen)
    return {variable: _build(content, python) for variable, content in contents.items()}


@dataclass(frozen=True)
class _Content:
    """What an environment holds.

    Attributes:
        name: part of its folder's name; empty for the default one.
        extras: of which it is made.
        packages: to install with all that they need.
        alone: to install without what they ask for.
        foreign: the same, but wheels of another Python version, for the libraries in them.
        foreign_python: that version.
        constraints: files that pin the rest.
    """

    name: str
    extras: tuple[str, ...]
    packages: tuple[str, ...]
    alone: tuple[str, ...]
    foreign: tuple[str, ...]
    foreign_python: str
    constraints: tuple[Path, ...]


def _content(project: Path, config: dict[str, Any], name: str, chosen: Sequence[str]) -> _Content:
    pitwall = config["tool"]["pitwall"]
    environment: dict[str, Any] = pitwall["environments"].get(name, {})
    optional: dict[str, list[str]] = config["project"]["optional-dependencies"]
    without = environment.get("without", [])
    default = [p for p in config["project"]["dependencies"] if _name(p) not in without]
    folder = project / "harness" / "setup"
    return _Content(
        name=name,
        extras=tuple(chosen),
        packages=(*default, *(package for extra in chosen for package in optional[extra])),
        # Packages whose own requirements would pull in more than they need (see pyproject.toml).
        alone=tuple(p for extra in chosen for p in pitwall["no-deps"].get(extra, [])),
        foreign=tuple(environment.get("foreign", [])),
        foreign_python=environment.get("foreign-python", ""),
        constraints=tuple(folder / f for f in environment.get("constraints", [_CONSTRAINTS])),
    )


def _build(content: _Content, python: str) -> Path:
    texts = [path.read_text() for path in content.constraints]
    foreign = ["|", *content.foreign, content.foreign_python] if content.foreign else []
    other = [] if python == _SYSTEM_PYTHON else [python]
    torch = cpu_build(content.packages)
    index = index_options() if torch else []
    key = key_of(*content.packages, "|", *content.alone, *foreign, *other, *index, *texts)
    target = cache_root() / "-".join(part for part in ("venv", content.name, key) if part)
    title = " ".join(part for part in ("venv", content.name) if part)

    def build() -> None:
        # Debian's Python must not see another environment's packages while it builds this one.
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        pip = [str(target / "bin" / "python"), "-m", "pip"]
        run_step(title, [python, "-m", "venv", "--system-site-packages", str(target)], env)
        pins = [word for path in content.constraints for word in ("-c", str(path))]
        names = ", ".join(["default", *content.extras])
        if torch and (warning := why_cuda(pip, torch, env)):
            say(warning)
        pip += ["install", "--progress-bar=off"]
        run_step(f"{title} packages: {names}", [*pip, *index, *pins, *content.packages], env)
        if content.alone:
            alone = [*pip, "--no-deps", *content.alone]
            run_step(f"{title} more packages: {' '.join(content.alone)}", alone, env)
        if content.foreign:
            (site_packages,) = target.glob("lib/python3*/site-packages")
            libraries = [*pip, "--no-deps", "--only-binary=:all:", "--target", str(site_packages)]
            libraries += ["--python-version", content.foreign_python, *content.foreign]
            run_step(f"{title} libraries: {' '.join(content.foreign)}", libraries, env)

    build_once(target, build)
    return target


def _name(requirement: str) -> str:
    """The package that a requirement asks for."""
    return re.split(r"[=<>!~\[; ]", requirement, maxsplit=1)[0]


def _pyproject(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text())
