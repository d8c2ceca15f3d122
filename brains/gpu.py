"""The NVIDIA GPU of this machine."""

import shutil
import subprocess


def nvidia_gpu() -> str | None:
    """Name and driver of the first NVIDIA GPU; None where there is none that answers.

    Asks the driver's own tool: installed CUDA packages prove no device.
    """
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    query = [command, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.strip().splitlines()
    return lines[0] if answer.returncode == 0 and lines else None
