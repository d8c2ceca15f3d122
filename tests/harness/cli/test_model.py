"""`harness model add`: what it says of a file, what it writes, what it refuses."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.paths import project_root
from tests.brains import hostile_files as made

pytest.importorskip("h5py", reason="comes with the extra tf")

HARNESS = project_root() / "harness" / "bin" / "harness"


def add(path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(HARNESS), "model", "add", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_tflite_network(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    kept = project_root() / "brains" / "weights" / "pitwall_fast.tflite"
    path.write_bytes(kept.read_bytes())
    done = add(path)
    assert done.returncode == 0, done.stderr
    assert "takes image 1x66x200x3 float32\n  gives output_0 1x2 float32\n" in done.stdout
    assert f"wrote {tmp_path}/net.yaml: fill in what is marked ??? (lines 5, 7" in done.stdout
    assert "size: [200, 66]" in (tmp_path / "net.yaml").read_text()
    again = add(path)
    assert (again.returncode, again.stdout) == (2, "")
    assert "is there already" in again.stderr


def cut(path: Path) -> Path:
    kept = project_root() / "brains" / "weights" / "pitwall_fast.tflite"
    path.write_bytes(kept.read_bytes()[:5000])
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


HOSTILE: dict[str, Callable[[Path], Path]] = {
    "lambda.h5": lambda p: made.h5(p, [made.writing_lambda(p.parent / "touched")]),
    "lambda.keras": lambda p: made.keras_zip(p, [made.writing_lambda(p.parent / "touched")]),
    "pickled.pt": lambda p: made.torch_zip(p, made.Touching(p.parent / "touched")),
    "sample.pt2": lambda p: made.exported(p, made.Touching(p.parent / "touched")),
    "cut.tflite": cut,
    "empty.onnx": empty,
    "other.onnx": made.tflite,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_one_line_and_exit_code_3(name: str, tmp_path: Path) -> None:
    done = add(HOSTILE[name](tmp_path / name))
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path}/{name}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]
