"""Whether bubblewrap may enter the simulator root here, and how. Standard library only.

Bubblewrap takes namespaces of its own and mounts in them, which any user may do on a plain Debian,
and which containers forbid in parts: see docs/guides/containers.md.
"""

import os
import shutil
import subprocess
from pathlib import Path

from harness.errors import UnavailableError

_TRIAL = ("--unshare-pid", "--unshare-ipc", "--share-net", "--ro-bind", "/", "/", "--dev", "/dev")
_OWN_PROC = ("--proc", "/proc")
# A container's runtime covers parts of /proc, and the kernel then lets nobody mount it uncovered.
_OUTER_PROC = ("--bind", "/proc", "/proc")
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
# Settings of the kernel that forbid user namespaces, with the value that does.
_KERNEL = (
    ("kernel/unprivileged_userns_clone", "0", "1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ("user/max_user_namespaces", "0", "10000"),
)


def proc_options() -> tuple[str, ...]:
    """Bubblewrap's options for /proc: one of its own, in a container the container's.

    Raises:
        UnavailableError: bubblewrap is missing, or may not work here; says what would let it.
    """
    if not shutil.which("bwrap"):
        raise UnavailableError("bubblewrap (bwrap) is missing; run `make setup`")
    if _refusal(_OWN_PROC) is None:
        return _OWN_PROC
    if (said := _refusal(_OUTER_PROC)) is None:
        return _OUTER_PROC
    advice = advise(said, in_container(), _confined(), _forbidding_settings())
    raise UnavailableError(f"bubblewrap can't enter the simulator root here ({said}); {advice}")


def in_container() -> bool:
    """Whether this process runs in a container of Docker or Podman."""
    return "container" in os.environ or any(Path(mark).exists() for mark in _CONTAINER_MARKS)


def advise(said: str, container: bool, confined: bool, settings: list[str]) -> str:
    """What lets bubblewrap do its work.

    Args:
        said: bubblewrap's own last line.
        container: whether this is a container.
        confined: whether an AppArmor profile holds this process.
        settings: settings of the kernel that forbid user namespaces, each `name=mending value`.
    """
    if container and confined and "Permission denied" in said:
        return "start the container with --security-opt apparmor=unconfined"
    if settings:
        return f"run `sysctl {' '.join(settings)}` as root, on the host if this is a container"
    if container:
        options = "--security-opt seccomp=docker/seccomp.json"
        if confined:
            options += " --security-opt apparmor=unconfined"
        return f"start the container with {options}, see docs/guides/containers.md"
    return "user namespaces must be allowed to this user, ask your system's administrator"


def _refusal(options: tuple[str, ...]) -> str | None:
    """Why bubblewrap fails with these options; None if it works."""
    done = subprocess.run(
        ["bwrap", *_TRIAL, *options, "/bin/true"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"bwrap: exit code {done.returncode}"])[-1]


def _confined() -> bool:
    try:
        label = Path("/proc/self/attr/current").read_text().rstrip("\0\n")
    except OSError:  # a kernel without such a module
        return False
    return bool(label) and label != "unconfined"


def _forbidding_settings() -> list[str]:
    found = []
    for name, forbids, mends in _KERNEL:
        path = Path("/proc/sys") / name
        if path.is_file() and path.read_text().strip() == forbids:
            found.append(f"{name.replace('/', '.')}={mends}")
    return found
