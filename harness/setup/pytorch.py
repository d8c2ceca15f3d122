"""Which build of PyTorch pip takes: the one for CPUs, where one is offered.

The default environment's models run on the CPU. PyPI's build for x86-64 is one for CUDA all the
same, with its libraries beside it.
"""

import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import UsageError

VARIABLE = "PITWALL_TORCH_INDEX"
# Of torch 2.13.0 and what it asks for, as pip told the sizes of what it fetched (2,730 MB, and
# 192 MB for CPUs), and `du -sm` of the environments with all extras (7,555 and 3,713 MB).
_MORE_TO_FETCH_GB, _MORE_ON_DISK_GB = 2.5, 3.8


def cpu_build(packages: Sequence[str]) -> str | None:
    """The version of the build for CPUs that would satisfy these requirements.

    Args:
        packages: requirements; ``torch==2.13.0`` is also satisfied by ``2.13.0+cpu``, as against
            ``torch===2.13.0``.
    """
    pinned = (re.fullmatch(r"torch==([^=]+)", package) for package in packages)
    return next((f"{match[1]}+cpu" for match in pinned if match), None)


def index_options(environment: Mapping[str, str] = os.environ) -> list[str]:
    """pip's options for the index, or the folder of wheels, that the variable names.

    Raises:
        UsageError: it names neither.
    """
    value = environment.get(VARIABLE, "")
    if not value:
        return []
    if "://" in value:
        return ["--extra-index-url", value]
    if Path(value).is_dir():
        return ["--find-links", str(Path(value).absolute())]
    raise UsageError(f"{VARIABLE}={value} is no folder, and no address of an index")


def why_cuda(pip: Sequence[str], version: str, env: Mapping[str, str]) -> str | None:
    """What it costs that pip finds no build for CPUs, in one line; None where it finds one.

    Args:
        pip: the command.
        version: as ``cpu_build`` gives it.
        env: whole environment of the command.
    """
    if platform.machine() != "x86_64":
        return None
    command = [*pip, "index", "versions", "torch", *index_options(env)]
    # Silent where pip can't tell: then the installation will say what is wrong.
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)
    return None if done.returncode != 0 else cost(done.stdout, version)


def cost(listing: str, version: str) -> str | None:
    """As ``why_cuda``, of what ``pip index versions torch`` printed."""
    (offered,) = re.findall(r"^Available versions: (.*)$", listing, re.MULTILINE)
    if version in offered.split(", "):
        return None
    return (
        f"pip finds no torch {version} and takes the build for CUDA, which no model of this "
        f"environment needs: {_MORE_TO_FETCH_GB} GB more to fetch, {_MORE_ON_DISK_GB} GB more on "
        f"disk. To avoid it, stop and set {VARIABLE} to an index or folder that has torch's CPU "
        "build (README.md)"
    )
