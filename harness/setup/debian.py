"""Debian packages of the machine, and the mirror its own apt configuration names."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.errors import UnavailableError
from harness.setup.steps import run_step

HOST_PACKAGES = (
    # ROS Noetic's runtime
    *(
        "python3-rospy",
        "python3-roslaunch",
        "python3-rosbag",
        "python3-rostopic",
        "python3-rosnode",
    ),
    *("python3-rosservice", "python3-rosparam", "python3-rosmsg", "rosbash"),
    *("python3-sensor-msgs", "python3-nav-msgs", "python3-geometry-msgs"),
    *("python3-rosgraph-msgs", "python3-std-srvs", "python3-trajectory-msgs", "python3-tf2-msgs"),
    "python3-venv",
    # the simulator's root
    *("mmdebstrap", "bubblewrap"),
)

# What an extra takes besides its Python packages: a browser to test pages in, a compiler for
# torch_compile.
EXTRA_PACKAGES = {"dev": ("chromium",), "torch": ("g++",)}


def as_root(missing: Sequence[str] = ("the simulator root",)) -> list[str]:
    """Prefix that runs a command as root: nothing for root, sudo for a user who has it.

    Args:
        missing: what it is needed for.

    Raises:
        UnavailableError: for a user without sudo.
    """
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    raise UnavailableError(
        "set-up installs Debian packages: run it as root, or as a user with sudo"
        f" (missing now: {' '.join(missing)})"
    )


def missing_packages(extras: Iterable[str] = ()) -> list[str]:
    """The host packages, those of extras among them, that are not installed."""
    wanted = [*HOST_PACKAGES, *(name for extra in extras for name in EXTRA_PACKAGES.get(extra, ()))]
    query = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Status}\n", *wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    installed = {
        line.split()[0] for line in query.stdout.splitlines() if line.endswith("ok installed")
    }
    return [name for name in wanted if name not in installed]


def install_packages(extras: Iterable[str] = ()) -> None:
    """Installs the host packages, those of extras among them, that are missing.

    Raises:
        UnavailableError: not a Debian 12, no root, or apt failed.
    """
    if not shutil.which("apt-get"):
        raise UnavailableError("set-up needs Debian 12 (no apt-get here): see docker/ or README.md")
    missing = missing_packages(extras)
    if not missing:
        return
    root = [*as_root(missing), "env", "DEBIAN_FRONTEND=noninteractive"]
    run_step("apt update", [*root, "apt-get", "update"])
    run_step(
        f"apt install: {len(missing)} packages of ROS Noetic, the set-up and the tests",
        [*root, "apt-get", "install", "-y", "--no-install-recommends", *missing],
    )


def mirror() -> str:
    """Address of the Debian mirror: $PITWALL_DEBIAN_MIRROR, else the one apt uses here.

    Raises:
        UnavailableError: if apt names none.
    """
    override = os.environ.get("PITWALL_DEBIAN_MIRROR")
    if override:
        return override
    codename = _os_release().get("VERSION_CODENAME", "")
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)"],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in targets.stdout.splitlines():
        release, _, address = line.partition(" ")
        if release == codename:
            return address
    raise UnavailableError(
        f"apt names no mirror of Debian {codename}: set PITWALL_DEBIAN_MIRROR to one"
    )


def proxy_options() -> list[str]:
    """mmdebstrap options that hand on the proxies of the machine's apt configuration."""
    dump = subprocess.run(
        ["apt-config", "dump", "--format", '%f "%v";%n', "Acquire::http", "Acquire::https"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [f"--aptopt={line}" for line in dump.stdout.splitlines() if "::Proxy" in line]


def bootstrap(suite: str, target: Path, options: Sequence[str]) -> list[str | Path]:
    """Command line of mmdebstrap that makes a root of this machine's mirror.

    Args:
        suite: Debian's release.
        target: folder, or archive, that it makes.
        options: more of mmdebstrap's.
    """
    return ["mmdebstrap", *options, *proxy_options(), suite, target, mirror()]


def _os_release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text().splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
