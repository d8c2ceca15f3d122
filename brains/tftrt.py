"""TF-TRT of TensorFlow 2.14: is it there, and what a converted graph holds.

Needs the environment ``tftrt``; TensorFlow is imported inside the functions.
"""

import ctypes
import importlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brains.pilotnet import tensorflow
from harness.errors import DataError, UnavailableError

LIBRARY = "tensorrt/libnvinfer.so.8"
ENGINE = "TRTEngineOp"
# Of a converted graph, what only names its ends.
_ENDS = {"Placeholder", "Identity", "NoOp"}
_NATIVE = "native_segment"


@dataclass(frozen=True)
class Versions:
    """Versions of TensorRT: TensorFlow was built with one and has loaded another."""

    linked: str
    loaded: str


@dataclass(frozen=True)
class Content:
    """What a converted graph holds.

    Attributes:
        engines: How many TensorRT engines, by precision.
        native_segments: Copies of what is in the engines as TensorFlow operators, to which an
            engine that fails falls back silently.
        native_operators: TensorFlow operators outside of engines, and how many of each.
    """

    engines: dict[str, int]
    native_segments: int
    native_operators: dict[str, int]


def tensorrt_versions() -> Versions:
    """Load TensorRT as TensorFlow will.

    Raises:
        UnavailableError: This TensorFlow is built without it, or its library can't be loaded.
    """
    tf, _ = tensorflow()
    remedy = "run `make setup EXTRAS=tftrt`"
    try:
        utilities = importlib.import_module("tensorflow.compiler.tf2tensorrt._pywrap_py_utils")
    except ImportError as error:
        raise UnavailableError(f"TensorFlow {tf.__version__} has no TF-TRT: {remedy}") from error
    if not utilities.is_tensorrt_enabled():
        raise UnavailableError(f"TensorFlow {tf.__version__} is built without TensorRT: {remedy}")
    # Asked for the version of a library that is not there, TensorFlow aborts the process.
    library = Path(tf.__file__).parents[1] / LIBRARY
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        raise UnavailableError(f"TensorRT can't be loaded ({error}): {remedy}") from error
    linked = utilities.get_linked_tensorrt_version()
    loaded = utilities.get_loaded_tensorrt_version()
    return Versions(".".join(map(str, linked)), ".".join(map(str, loaded)))


def gpu_of_tensorflow() -> str:
    """Name of the GPU that TensorFlow uses; it takes only the memory it needs.

    Raises:
        UnavailableError: TensorFlow finds none.
    """
    tf, _ = tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        raise UnavailableError(
            f"TensorFlow {tf.__version__} finds no GPU: `harness doctor` looks at driver and device"
        )
    tf.config.experimental.set_memory_growth(gpus[0], True)
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", gpus[0].name))


def content_of(graph: Any) -> Content:
    """What a graph definition holds, its functions included.

    Raises:
        DataError: No engine: all of it would run as plain TensorFlow.
    """
    engines: Counter[str] = Counter()
    native: Counter[str] = Counter()
    for node in _nodes(graph):
        if node.op == ENGINE:
            engines[node.attr["precision_mode"].s.decode()] += 1
        elif node.op not in _ENDS:
            native[node.op] += 1
    segments = [f for f in graph.library.function if _NATIVE in f.signature.name]
    if not engines:
        raise DataError("the converted graph has no TensorRT engine: all of it is plain TensorFlow")
    return Content(dict(engines), len(segments), dict(native))


def _nodes(graph: Any) -> Iterator[Any]:
    """Nodes of a graph and of its functions, less those of native segments."""
    yield from graph.node
    for function in graph.library.function:
        if _NATIVE not in function.signature.name:
            yield from function.node_def
