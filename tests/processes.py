"""Which tests share a process: those that need no framework, or those of the same one.

Frameworks bring libraries that don't bear each other: with PyPI's builds, for one,
``import tensorflow, torchao.quantization`` ends in a segmentation fault. So a test file says by
its folder to which process it belongs (``tests/brains/torch/test_torch.py``), pytest runs the
processes one after the other, whatever files it is given, and in each of them every other
framework is refused: a test that imports it fails, and says so.

pytest finds the hooks here by ``tests/conftest.py``.
"""

import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

TESTS = Path(__file__).parent
PLAIN = "plain"
PROCESSES: dict[str, frozenset[str]] = {
    PLAIN: frozenset(),
    "tensorflow": frozenset({"tensorflow"}),
    "torch": frozenset({"torch"}),
    # OpenVINO reads the ONNX graph that its networks are made of.
    "onnx": frozenset({"onnx", "openvino"}),
    # Runs drive in processes of their own; five frameworks beside their threads and signals once
    # ended in a segmentation fault.
    "sim": frozenset(),
}
"""Processes in the order in which they run: name, also of a folder, and frameworks in it."""

FRAMEWORKS = {
    "tensorflow": "tensorflow",
    "tf_keras": "tensorflow",
    "tensorflow_model_optimization": "tensorflow",
    "tf2onnx": "tensorflow",
    "torch": "torch",
    "torchao": "torch",
    "triton": "torch",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "openvino": "openvino",
    "nncf": "openvino",
    "tensorrt": "tensorrt",
}
"""Modules and the frameworks that they are part of. LiteRT is none: it is small and bears all."""


_NO_TESTS = pytest.ExitCode.NO_TESTS_COLLECTED
_STOPPED = {
    pytest.ExitCode.INTERRUPTED,
    pytest.ExitCode.INTERNAL_ERROR,
    pytest.ExitCode.USAGE_ERROR,
}


def process_of(path: Path, tests: Path = TESTS) -> str:
    """The process that a test file belongs to.

    Raises:
        ValueError: Its folders name two.
    """
    parts = path.relative_to(tests).parts[:-1]
    named = [part for part in parts if part in PROCESSES]
    if len(named) > 1:
        raise ValueError(f"{path} is in folders of {len(named)} processes: {', '.join(named)}")
    return named[0] if named else PLAIN


def processes_below(path: Path, tests: Path = TESTS) -> list[str]:
    """The processes of a test file, or of all below a folder, in their order."""
    if path.is_relative_to(tests):
        files = path.rglob("test_*.py") if path.is_dir() else [path]
    else:
        files = tests.rglob("test_*.py") if tests.is_relative_to(path) else []
    found = {process_of(file, tests) for file in files if file.exists()}
    return [process for process in PROCESSES if process in found]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option by which one process is chosen."""
    parser.addoption("--process", choices=list(PROCESSES), help="run the tests of this one alone")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Goes on here with the tests of one process; starts a pytest for each of several."""
    below = {arg: processes_below(_path_of(config, arg)) for arg in config.args}
    wanted = [process for process in PROCESSES if process in {p for b in below.values() for p in b}]
    if config.option.process is None and len(wanted) > 1 and not config.option.help:
        return _run_each(config, wanted)
    process = config.option.process = config.option.process or (wanted or [PLAIN])[0]
    # pytest itself says what is wrong with a path that has no tests.
    config.args[:] = [arg for arg in config.args if process in (below[arg] or [process])]
    return None if config.args else int(_NO_TESTS)


def pytest_configure(config: pytest.Config) -> None:
    """From now on other frameworks than this process's are refused."""
    sys.meta_path.insert(0, OneFramework(config.option.process))


def pytest_report_header(config: pytest.Config) -> str:
    """Says which process this is."""
    return f"process: {config.option.process}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out what belongs to other processes; not even imported, its files may import more."""
    if collection_path.is_dir() or collection_path.match("test_*.py"):
        return config.option.process not in processes_below(collection_path) or None
    return None


class OneFramework(MetaPathFinder):
    """The first finder of modules: a framework of another process is found, but not imported."""

    def __init__(self, process: str) -> None:
        self._process = process

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a framework that may not be here, with a loader that refuses."""
        if FRAMEWORKS.get(name, "") in {"", *PROCESSES[self._process]}:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None:
            spec.loader = _Refusal(f"{name} does not belong into the process {self._process!r}")
        return spec


class _Refusal(Loader):
    def __init__(self, reason: str) -> None:
        self._reason = reason

    def exec_module(self, module: ModuleType) -> NoReturn:
        """Fails the test; by no ``Exception``, which who imports could take for an absence."""
        pytest.fail(f"{self._reason}: a test of it goes into a folder of its name ({__name__})")


def _run_each(config: pytest.Config, processes: Iterable[str]) -> int:
    """Runs the same command for each process.

    Returns:
        The highest of their exit codes; that of none that had no tests.
    """
    codes = set()
    invocation = config.invocation_params
    for process in processes:
        command = [sys.executable, "-m", "pytest", *map(str, invocation.args)]
        with subprocess.Popen([*command, f"--process={process}"], cwd=invocation.dir) as child:
            # An interrupt is for the child, which tidies up and says that it was stopped.
            before = signal.signal(signal.SIGINT, _wait)
            code = child.wait()
            signal.signal(signal.SIGINT, before)
        if code < 0:
            print(f"the process {process} died of signal {-code}")
            code = 128 - code
        codes.add(code)
        if code in _STOPPED or (code and config.option.maxfail):
            break
    return int(max(codes - {_NO_TESTS}, default=_NO_TESTS))


def _wait(*_: Any) -> None:
    """Goes on."""


def _path_of(config: pytest.Config, arg: str) -> Path:
    """The file or folder that an argument of pytest's names."""
    return (config.invocation_params.dir / arg.partition("::")[0]).resolve()
