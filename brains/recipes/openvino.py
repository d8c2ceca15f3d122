"""PilotNet as OpenVINO's intermediate representation (a folder of network.xml and network.bin)."""

from pathlib import Path
from typing import Any

import nncf
import openvino
from nncf import IgnoredScope, QuantizationPreset

from brains.pilotnet import read_weights
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
    quantised = nncf.quantize(
        _read_network(workshop),
        nncf.Dataset(list(frames[:, None]), lambda frame: {onnx.INPUT: frame}),
        subset_size=len(frames),
        preset=QuantizationPreset.MIXED,
        # How OpenVINO calls the product in an ONNX file's Gemm.
        ignored_scope=IgnoredScope(names=[f"{name}/WithoutBiases" for name in onnx.LAST_PRODUCTS]),
    )
    _save(quantised, workshop.target)


def _read_network(workshop: Workshop) -> Any:
    """PilotNet as OpenVINO reads it from ONNX."""
    graph = onnx.pilotnet_graph(read_weights(workshop.weights()))
    return openvino.Core().read_model(graph.SerializeToString(), b"")


def _save(network: Any, folder: Path) -> None:
    folder.mkdir()
    # Otherwise the weights would be rounded to float16.
    openvino.save_model(network, folder / NETWORK_FILE, compress_to_fp16=False)
