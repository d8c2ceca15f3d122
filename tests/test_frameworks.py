"""Frameworks don't meet in a process: by what imports what, and in the processes themselves."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from harness.paths import project_root
from tests.processes import FRAMEWORKS

PACKAGES = ("brains", "harness", "worlds")
# Where a module brings frameworks together, and why its own text says so.
TOGETHER = {
    "brains.recipes.tensorrt": {"onnx", "tensorflow", "tensorrt", "torch"},
    "brains.backends.tensorrt": {"tensorrt", "torch"},
    # ONNX with that of the file's kind, which converts it.
    "brains.recipes.hub": {"onnx", "tensorflow", "torch"},
    # That of the one file which the process looks at.
    "brains.look_child": {"onnx", "torch"},
    # A process trains one network.
    "harness.cli.train": {"tensorflow", "torch"},
    # One of them in each process: the module starts them.
    "brains.gpu_probe": {"onnx", "tensorflow", "tensorrt", "torch"},
    # One loop in each process, that of the model which is evaluated.
    "harness.evaluation.bare": {"onnx", "openvino", "torch"},
}


@cache
def modules() -> dict[str, Path]:
    """All modules of the product, by name."""
    root = project_root()
    files = (path for package in PACKAGES for path in (root / package).rglob("*.py"))
    named = {".".join(path.relative_to(root).with_suffix("").parts): path for path in files}
    return {name.removesuffix(".__init__"): path for name, path in named.items()}


@cache
def imported(path: Path) -> frozenset[str]:
    """What a file imports anywhere in it, by statement or by ``import_module`` of a constant."""
    return frozenset(_imported(ast.parse(path.read_bytes())))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Call(args=[ast.Constant(value=str(name)), *_], func=function):
                if ast.unparse(function).endswith("import_module"):
                    yield name


def reached(module: str) -> frozenset[str]:
    """Frameworks that a module or what it imports, directly or not, may bring."""
    found: set[str] = set()
    seen: set[str] = set()
    pending = [module]
    while pending:
        if (name := pending.pop()) in seen:
            continue
        seen.add(name)
        if framework := FRAMEWORKS.get(name.partition(".")[0]):
            found.add(framework)
        elif name in modules():
            pending += imported(modules()[name])
    return frozenset(found)


def test_only_the_modules_that_say_why_bring_frameworks_together() -> None:
    meetings = {}
    for module, path in modules().items():
        together = reached(module)
        # Where one import alone brings all of them, it is that module which has to say why.
        own = {name for name in imported(path) if name != module}
        if len(together) > 1 and together not in map(reached, own):
            meetings[module] = together
    assert meetings == TOGETHER


@pytest.mark.parametrize("words", ["models", "doctor", "optimize tflite_dynamic"])
def test_a_command_about_many_models_imports_no_framework(words: str) -> None:
    code = f"""
import json, sys
from harness.cli.main import build_app
build_app()({words.split()!r}, standalone_mode=False)
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project_root(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    assert not set(FRAMEWORKS) & set(json.loads(done.stdout.splitlines()[-1]))
