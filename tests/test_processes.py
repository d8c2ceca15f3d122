"""pytest runs the tests of each framework in a process of their own, and refuses mixtures."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import PROCESSES, TESTS, process_of, processes_below

SAYS_ITS_PROCESS = """
import os
from pathlib import Path

def test_it():
    import {module}
    Path({log!r}).open("a").write(f"{module} {{os.getpid()}}\\n")
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Tests with this project's hooks, and frameworks that are empty modules."""
    tests = tmp_path / "tests"
    for process in PROCESSES:
        (tests / process).mkdir(parents=True)
    for name in ("__init__.py", "conftest.py", "processes.py"):
        shutil.copyfile(TESTS / name, tests / name)
    for name in ("torch", "tensorflow", "onnx", "openvino"):
        (tmp_path / f"{name}.py").write_text("")
    return tmp_path


def write_test(tree: Path, name: str, module: str) -> None:
    text = SAYS_ITS_PROCESS.format(module=module, log=str(tree / "log"))
    (tree / "tests" / name).write_text(text)


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )


def log(tree: Path) -> list[list[str]]:
    path = tree / "log"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def test_each_framework_has_a_process_of_its_own(tree: Path) -> None:
    files = {"test_a.py": "json", "torch/test_b.py": "torch", "tensorflow/test_c.py": "tensorflow"}
    for name, module in files.items():
        write_test(tree, name, module)
    for words in (["tests"], [f"tests/{name}" for name in files]):
        done = run(tree, *words)
        assert done.returncode == 0, done.stdout
        told = log(tree)
        assert [module for module, _ in told] == ["json", "tensorflow", "torch"]
        assert len({process for _, process in told}) == 3
        (tree / "log").unlink()


@pytest.mark.parametrize(
    ("name", "module", "process"),
    [
        ("test_a.py", "torch", "plain"),
        ("torch/test_a.py", "tensorflow", "torch"),
        ("sim/test_a.py", "onnx", "sim"),
    ],
)
def test_a_framework_of_another_process_is_refused(
    tree: Path, name: str, module: str, process: str
) -> None:
    write_test(tree, name, module)
    done = run(tree, "tests")
    assert done.returncode == 1
    assert f"{module} does not belong into the process '{process}'" in done.stdout
    assert not log(tree)
    # What only looks whether it is there, or does without, is not in the way; nor is a skip one.
    (tree / "tests" / name).write_text(
        "import importlib.util, pytest\n"
        f"def test_looks(): assert importlib.util.find_spec('{module}')\n"
        f"def test_hides():\n    try: import {module}\n    except Exception: pass\n"
        f"def test_skips(): pytest.importorskip('{module}')\n"
    )
    done = run(tree, "tests")
    assert "2 failed, 1 passed" in done.stdout


def test_a_failure_in_any_process_is_a_failure_of_all(tree: Path) -> None:
    (tree / "tests" / "test_a.py").write_text("def test_a(): assert False\n")
    (tree / "tests" / "torch" / "test_b.py").write_text("import os\ndef test_b(): os.abort()\n")
    write_test(tree, "onnx/test_c.py", "openvino")
    done = run(tree, "tests")
    assert done.returncode == 128 + 6
    assert "the process torch died of signal 6" in done.stdout
    assert [module for module, _ in log(tree)] == ["openvino"]
    assert run(tree, "tests", "-x").returncode == 1
    assert run(tree, "tests", "-k", "no_such_test").returncode == 5
    assert run(tree, "tests/no_such_file.py").returncode == 4


def test_the_folder_names_the_process() -> None:
    assert process_of(TESTS / "brains" / "torch" / "test_x.py") == "torch"
    assert process_of(TESTS / "brains" / "test_torch.py") == "plain"
    with pytest.raises(ValueError, match="torch, onnx"):
        process_of(TESTS / "torch" / "onnx" / "test_x.py")
    assert processes_below(TESTS) == list(PROCESSES)
    assert processes_below(TESTS / "sim") == ["sim"]
    assert processes_below(TESTS.parent) == list(PROCESSES)
    assert processes_below(TESTS.parent / "harness") == []
