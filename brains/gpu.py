"""The NVIDIA GPUs of this machine."""

import shutil
import subprocess
from functools import cache


def nvidia_gpus() -> tuple[str, ...]:
    """Name and driver of each NVIDIA GPU; empty where there is none that answers.

    Asks the driver's own tool, once for each place it is found at: installed CUDA packages prove
    no device, and the answer takes the driver a second.
    """
    command = shutil.which("nvidia-smi")
    return () if command is None else _ask(command)


def nvidia_gpu() -> str | None:
    """Name and driver of the first NVIDIA GPU; None where there is none that answers."""
    return next(iter(nvidia_gpus()), None)


@cache
def _ask(command: str) -> tuple[str, ...]:
    query = [command, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = (line.strip() for line in answer.stdout.splitlines())
    return tuple(line for line in lines if line) if answer.returncode == 0 else ()
