"""The simulator root: Debian 11 with Gazebo 11, roscpp and what builds our plugins.

Debian 12 has no Gazebo; the two releases can't be mixed in one apt. So Gazebo lives in a folder
of its own that mmdebstrap fills and bubblewrap enters. One root serves both to build the plugins
and to run them: half the time of two, and no chance that they differ.
"""

from pathlib import Path

from harness.setup import debian
from harness.setup.cache import build_once, cache_root, key_of
from harness.setup.steps import run_step

_SUITE = "bullseye"
_RUN = ("gazebo", "libroscpp3d", "xvfb", "xauth", "libgl1-mesa-dri", "libgl1")
_BUILD = (
    *("g++", "make", "cmake", "catkin", "libgazebo-dev", "libroscpp-dev", "python3-gencpp"),
    *("python3-genpy", "ros-message-generation", "libstd-msgs-dev", "libgeometry-msgs-dev"),
    *("libsensor-msgs-dev", "libnav-msgs-dev", "libstd-srvs-dev", "libros-rosgraph-msgs-dev"),
    *("ros-std-msgs", "ros-geometry-msgs", "ros-sensor-msgs", "ros-nav-msgs"),
    *("ros-rosgraph-msgs", "ros-std-srvs", "libtrajectory-msgs-dev", "ros-trajectory-msgs"),
)
_LEFT_OUT = ("doc", "man", "locale", "info")


def simulator_root() -> Path:
    """Where the simulator root of this version of the project stands, or would stand."""
    return cache_root() / f"simroot-{key_of(_SUITE, *_RUN, *_BUILD, *_LEFT_OUT)}"


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
                f"--include={','.join(_RUN + _BUILD)}",
                *(_SUITE, str(target), debian.mirror()),
            ],
        )
        # The marker is written by the user the cache belongs to.
        if debian.as_root():
            run_step(
                "simulator root: hand over",
                [*debian.as_root(), "chown", str(target.parent.stat().st_uid), str(target)],
            )

    remove = [*debian.as_root(), "rm", "-rf", "--one-file-system"] if target.exists() else None
    build_once(target, build, remove)
    return target
