"""TensorRT's Python module, played by a few objects with the names of its own."""

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


def played_tensorrt() -> Any:
    """A module ``tensorrt`` whose builder works."""
    fake: Any = ModuleType("tensorrt")
    fake.__version__ = "10.16.1.11"
    fake.NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
    fake.ProfilingVerbosity = SimpleNamespace(DETAILED="detailed")
    fake.TensorIOMode = SimpleNamespace(INPUT="in", OUTPUT="out")
    fake.DataType = SimpleNamespace(FLOAT="float")
    fake.IProgressMonitor = type("IProgressMonitor", (), {})
    fake.Logger = type("Logger", (), {"WARNING": 2, "__init__": lambda self, level: None})
    fake.parses, fake.engine = True, memoryview(b"engine")
    network = SimpleNamespace(flags=None)
    config = SimpleNamespace(profiling_verbosity=None, progress_monitor=None)

    def built(given: Any, settings: Any) -> Any:
        assert (given, settings) == (network, config)
        assert given.flags == 1 << 1
        assert settings.profiling_verbosity == "detailed"
        if settings.progress_monitor is not None:
            settings.progress_monitor.phase_start("Building", None, 2)
            settings.progress_monitor.phase_start("Timing", "Building", 9)
            assert settings.progress_monitor.step_complete("Timing", 3)
            assert settings.progress_monitor.step_complete("Building", 0)
            settings.progress_monitor.phase_finish("Building")
        return fake.engine

    def create_network(flags: int) -> Any:
        network.flags = flags
        return network

    fake.Builder = lambda logger: SimpleNamespace(
        create_network=create_network,
        create_builder_config=lambda: config,
        build_serialized_network=built,
    )
    fake.OnnxParser = lambda given, logger: SimpleNamespace(
        parse=lambda graph: fake.parses,
        num_errors=1,
        get_error=lambda index: SimpleNamespace(desc=lambda: f"error {index}"),
    )
    return fake


def imported_with(monkeypatch: pytest.MonkeyPatch, library: Any, name: str) -> ModuleType:
    """The module ``name`` of ``brains``, imported anew while ``library`` is ``tensorrt``."""
    monkeypatch.setitem(sys.modules, "tensorrt", library)
    # Forgotten again with the library that it has imported.
    monkeypatch.setitem(sys.modules, name, library)
    del sys.modules[name]
    return importlib.import_module(name)
