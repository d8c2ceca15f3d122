"""The virtual environment: Debian's Python 3.11 (it sees rospy) and the pinned packages."""

import os
import tomllib
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.setup.cache import build_once, cache_root, key_of
from harness.setup.steps import run_step

_SYSTEM_PYTHON = "/usr/bin/python3"  # another python3 on PATH (pyenv, conda) has no rospy


def known_extras(project: Path) -> list[str]:
    """Names of the extras, as pyproject.toml has them."""
    return sorted(_pyproject(project)["project"]["optional-dependencies"])


def build_venv(project: Path, extras: set[str]) -> Path:
    """Makes the virtual environment of these extras unless it is there.

    Args:
        project: the clone.
        extras: names of extras besides the default install.

    Raises:
        UsageError: unknown extra.
        UnavailableError: pip failed.
    """
    config = _pyproject(project)
    unknown = extras - set(known_extras(project))
    if unknown:
        raise UsageError(
            f"unknown extra {', '.join(sorted(unknown))}; known: {', '.join(known_extras(project))}"
        )
    chosen = sorted(extras)
    optional = config["project"]["optional-dependencies"]
    packages: list[str] = [*config["project"]["dependencies"]]
    packages += [package for extra in chosen for package in optional[extra]]
    # Packages whose own requirements would pull in more than they need (see pyproject.toml).
    bare: dict[str, list[str]] = config["tool"]["pitwall"]["no-deps"]
    alone = [package for extra in chosen for package in bare.get(extra, [])]
    constraints = project / "harness" / "setup" / "constraints.txt"
    target = cache_root() / f"venv-{key_of(*packages, '|', *alone, constraints.read_text())}"

    def build() -> None:
        # Debian's Python must not see another environment's packages while it builds this one.
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--progress-bar=off"]
        run_step("venv", [_SYSTEM_PYTHON, "-m", "venv", "--system-site-packages", str(target)], env)
        title = f"venv packages: {', '.join(['default', *chosen])}"
        run_step(title, [*pip, "-c", str(constraints), *packages], env)
        if alone:
            run_step(f"venv more packages: {' '.join(alone)}", [*pip, "--no-deps", *alone], env)

    build_once(target, build)
    return target


def _pyproject(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text())
