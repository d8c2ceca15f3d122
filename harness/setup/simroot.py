"""The simulator root: Debian 11 with Gazebo 11, roscpp and what builds our plugins.

Debian 12 has no Gazebo; the two releases can't be mixed in one apt. So Gazebo lives in a folder
of its own that mmdebstrap fills and bubblewrap enters. One root serves both to build the plugins
and to run them: half the time of two, and no chance that they differ.
"""

import re
from pathlib import Path

from harness.setup import debian
from harness.setup.cache import build_once, cache_root, key_of, remove_tree
from harness.setup.steps import run_step

_SUITE = "bullseye"
_LIST = Path(__file__).with_name("simulator-packages.txt")
_LEFT_OUT = ("doc", "man", "locale", "info")
# What apt and dpkg print for each package, and what is said instead.
_WORK = {"Get:": "fetched", "Unpacking ": "unpacked", "Setting up ": "set up"}


class BootstrapProgress:
    """Tells of each line of `mmdebstrap --verbose` how far it is: its phase, packages so far."""

    def __init__(self) -> None:
        """Starts before the first line."""
        self._begin("mmdebstrap")

    def _begin(self, phase: str) -> None:
        self._phase = self._told = phase
        self._total = ""
        self._counts = dict.fromkeys(_WORK, 0)

    def __call__(self, line: str) -> str:
        """What to show after this line."""
        if line.startswith("I: "):
            self._begin(line.removeprefix("I: ").strip(" .\n"))
        elif found := re.match(r"\d+ upgraded, (\d+) newly installed", line):
            self._total = f" of {found[1]}"
        for start, done in _WORK.items():
            if line.startswith(start):
                self._counts[start] += 1
                self._told = f"{self._phase}: {self._counts[start]}{self._total} {done}"
        return self._told


def simulator_root() -> Path:
    """Where the simulator root of this version of the project stands, or would stand."""
    return cache_root() / f"simroot-{key_of(_SUITE, *_packages(), *_LEFT_OUT)}"


def build_simulator_root() -> Path:
    """Makes the simulator root unless it is there; about 2 GB, some minutes.

    Raises:
        UnavailableError: no root rights, or mmdebstrap failed.
    """
    target = simulator_root()
    options = [
        *("--variant=apt", "--architectures=amd64", "--verbose"),
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEFT_OUT),
        f"--include={','.join(_packages())}",
    ]

    def build() -> None:
        run_step(
            "simulator root: Debian 11 with Gazebo 11 (about 2 GB, some minutes)",
            [*debian.as_root(), *debian.bootstrap(_SUITE, target, options)],
            progress=BootstrapProgress(),
        )
        # The marker is written by the user the cache belongs to.
        if debian.as_root():
            run_step(
                "simulator root: hand over",
                [*debian.as_root(), "chown", str(target.parent.stat().st_uid), str(target)],
            )

    build_once(target, build, lambda half: remove_tree(half, debian.as_root()))
    return target


def _packages() -> list[str]:
    return [line for line in _LIST.read_text().splitlines() if not line.startswith("#")]
