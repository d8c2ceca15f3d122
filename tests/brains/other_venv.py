"""A second virtual environment with the first one's packages, and a model that runs in it."""

import hashlib
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROW = """
models:
  - name: {name}
    title: PilotNet under another interpreter
    family: pilotnet
    backend: tflite
    environment: elsewhere
    brain: brains.backends.tflite:TfliteBrain
    artifact: pilotnet_dynamic.tflite
    {more}
"""


def other_venv(folder: Path) -> Path:
    """Make it: another prefix and executable, the same packages. Needs no network."""
    command = ["/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages"]
    subprocess.run([*command, str(folder)], check=True)
    (site_packages,) = folder.glob("lib/python3*/site-packages")
    (site_packages / "same.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def use(monkeypatch: pytest.MonkeyPatch, venv: Path, name: str, more: str = "") -> None:
    """Put a model of this name into the catalogue that runs in the environment."""
    text = ROW.format(name=name, more=more)
    # A catalogue is read once a process: another content, another file.
    rows = venv.with_name(f"{hashlib.sha256(text.encode()).hexdigest()}.yaml")
    rows.write_text(text)
    monkeypatch.setenv("PITWALL_MODELS", str(rows))
    monkeypatch.setenv("PITWALL_VENV_ELSEWHERE", str(venv))
