"""The simulator root: Debian 11 with Gazebo 11, roscpp and what builds our plugins.

Debian 12 has no Gazebo; the two releases can't be mixed in one apt. So Gazebo lives in a folder
of its own that mmdebstrap fills and bubblewrap enters. One root serves both to build the plugins
and to run them: half the time of two, and no chance that they differ.
"""

from pathlib import Path

from harness.setup import debian
from harness.setup.cache import build_once, cache_root, key_of, remove_tree
from harness.setup.steps import run_step

_SUITE = "bullseye"
_LIST = Path(__file__).with_name("simulator-packages.txt")
_LEFT_OUT = ("doc", "man", "locale", "info")


def simulator_root() -> Path:
    """Where the simulator root of this version of the project stands, or would stand."""
    return cache_root() / f"simroot-{key_of(_SUITE, *_packages(), *_LEFT_OUT)}"


def build_simulator_root() -> Path:
    """Makes the simulator root unless it is there; about 2 GB, some minutes.

    Raises:
        UnavailableError: no root rights, or mmdebstrap failed.
    """
    target = simulator_root()

    def build() -> None:
        run_step(
            "simulator root: Debian 11 with Gazebo 11 (about 2 GB, some minutes)",
            [
                *debian.as_root(),
                *("mmdebstrap", "--variant=apt", "--architectures=amd64"),
                '--aptopt=APT::Install-Recommends "false"',
                *debian.proxy_options(),
                *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEFT_OUT),
                f"--include={','.join(_packages())}",
                *(_SUITE, str(target), debian.mirror()),
            ],
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
