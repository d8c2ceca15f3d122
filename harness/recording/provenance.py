"""What a result was made with: code, packages, machine, model."""

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from brains.gpu import nvidia_gpus

# The packages whose version can change a figure; those not installed are left out.
PACKAGES = (
    "ai-edge-litert",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-python-headless",
    "openvino",
    "rosbags",
    "scipy",
    "tensorflow",
    "tensorflow-cpu",
    "tensorrt",
    "tf-keras",
    "torch",
)

REVISION = "PITWALL_REVISION"
_PROBE_TIMEOUT_S = 10.0


class Provenance(BaseModel):
    """Where a figure comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    git_commit: str | None
    git_dirty: bool | None
    python: str
    packages: dict[str, str]
    os: str
    cpu_model: str | None
    cpu_cores: int
    gpus: tuple[str, ...]
    model_sha256: str | None


def collect_provenance(
    repository: Path, model_sha256: str | None = None, packages: Iterable[str] = PACKAGES
) -> Provenance:
    """Describe this machine and this code.

    Args:
        repository: The project's clone; outside a git clone the commit is what
            $PITWALL_REVISION says, as `git describe --always --abbrev=40 --dirty` prints it.
        model_sha256: Hash of the model's artifact, None for a model without one.
        packages: Distributions whose versions are wanted.
    """
    commit, dirty = _revision(repository)
    # The affinity mask, not the machine's count: a container may own fewer.
    cores = len(os.sched_getaffinity(0))
    return Provenance(
        git_commit=commit,
        git_dirty=dirty,
        python=platform.python_version(),
        packages=_versions(packages),
        os=_os_name(),
        cpu_model=_cpu_model(),
        cpu_cores=cores,
        gpus=nvidia_gpus(),
        model_sha256=model_sha256,
    )


def _revision(repository: Path) -> tuple[str | None, bool | None]:
    """The commit, and whether files differ from it; None where nobody knows."""
    # A container image holds no clone, but was told what it was made from.
    told = os.environ.get(REVISION, "")
    if told and not (repository / ".git").exists():
        return told.removesuffix("-dirty"), told.endswith("-dirty")
    commit = _answer(["git", "-C", str(repository), "rev-parse", "HEAD"])
    status = _answer(["git", "-C", str(repository), "status", "--porcelain"])
    return commit or None, None if status is None else bool(status)


def _answer(command: list[str]) -> str | None:
    """What a command prints; None if it is not installed or fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _versions(packages: Iterable[str]) -> dict[str, str]:
    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _os_name() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return f"{platform.system()} {platform.release()}"
    return release.get("PRETTY_NAME", release["NAME"])


def _cpu_model() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, None)
