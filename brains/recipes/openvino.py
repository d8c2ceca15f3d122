"""PilotNet as OpenVINO's intermediate representation (a folder of network.xml and network.bin).

OpenVINO reads the ONNX graph of ``brains.recipes.onnx``: these two frameworks share the process of
the conversion, in the order of the imports.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import openvino

from brains.pilotnet_file import read_weights
from brains.recipes import onnx
from brains.workshop import Workshop

NETWORK_FILE = "network.xml"


def float32(workshop: Workshop) -> None:
    """Weights in float32; in which precision they are used is the brain's choice."""
    _save(_read_network(workshop), workshop.target)


def static_int8(workshop: Workshop) -> None:
    """NNCF's post-training quantisation, the last products left in float.

    Quantised whole, the network loses accuracy. MIXED: activations after the normalisation have
    both signs, those after ReLU one.
    """
    frames = workshop.calibration()
    # How OpenVINO calls the product in an ONNX file's Gemm.
    float_products = [f"{name}/WithoutBiases" for name in onnx.LAST_PRODUCTS]
    with _without_torch():
        import nncf  # noqa: PLC0415 - without torch

        quantised = nncf.quantize(
            _read_network(workshop),
            nncf.Dataset(list(frames[:, None]), lambda frame: {onnx.INPUT: frame}),
            subset_size=len(frames),
            preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=nncf.IgnoredScope(names=float_products),
        )
    _save(quantised, workshop.target)


@contextmanager
def _without_torch() -> Iterator[None]:
    """PyTorch as if it were not installed: NNCF imports it where it is, and needs none of it here.

    The network comes out the same to the last bit.
    """
    if "torch" in sys.modules:
        yield
        return
    modules = cast(dict[str, Any], sys.modules)
    modules["torch"] = None
    try:
        yield
    finally:
        del modules["torch"]


def _read_network(workshop: Workshop) -> Any:
    """PilotNet as OpenVINO reads it from ONNX."""
    graph = onnx.pilotnet_graph(read_weights(workshop.weights()))
    return openvino.Core().read_model(graph.SerializeToString(), b"")


def _save(network: Any, folder: Path) -> None:
    folder.mkdir()
    # Otherwise the weights would be rounded to float16.
    openvino.save_model(network, folder / NETWORK_FILE, compress_to_fp16=False)
