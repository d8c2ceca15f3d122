"""Any network as OpenVINO's intermediate representation (a folder of network.xml and network.bin).

OpenVINO reads the ONNX graph of ``brains.recipes.hub``.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import openvino

from brains.layouts import Inputs, arranged, with_states
from brains.workshop import Workshop

NETWORK_FILE = "network.xml"


def float32(workshop: Workshop) -> None:
    """Weights in float32; in which precision they are used is the brain's choice."""
    _save(_read_network(workshop), workshop.target)


def static_int8(workshop: Workshop) -> None:
    """NNCF's post-training quantisation.

    MIXED: activations after the normalisation have both signs, those after ReLU one. Ranges are
    whole: NNCF's own choice cuts off rare values, and foreign networks then lose 18 to 40 % of the
    variance of their answers instead of 1 % at most. ``recipe_options`` may say ``ranges: nncf``,
    and name nodes that stay float (``float_nodes``).
    """
    network = _read_network(workshop)
    frames = _calibration(workshop, network)
    with _without_torch():
        import nncf  # noqa: PLC0415 - without torch
        from nncf.quantization.range_estimator import (  # noqa: PLC0415
            RangeEstimatorParametersSet,
        )

        whole = nncf.AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
        )
        quantised = nncf.quantize(
            network,
            nncf.Dataset(frames),
            subset_size=len(frames),
            preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=nncf.IgnoredScope(names=workshop.options.get("float_nodes", [])),
            advanced_parameters=None if workshop.options.get("ranges") == "nncf" else whole,
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
    """The network as OpenVINO reads it from ONNX."""
    # From memory: read from a file, it would carry the file's name.
    return openvino.Core().read_model(workshop.hub().read_bytes(), b"")


def _calibration(workshop: Workshop, network: Any) -> list[Inputs]:
    """Calibration frames as the graph takes them; with its state, where it has one."""
    shapes = {port.any_name: tuple(int(size) for size in port.shape) for port in network.inputs}
    keeps = workshop.card.keeps
    if not isinstance(keeps, dict):
        return [arranged(sample, shapes) for sample in workshop.calibration()]
    compiled = openvino.Core().compile_model(network, "CPU")

    def answer(given: Inputs) -> Inputs:
        answered = compiled(given)
        return {port.any_name: answered[port] for port in compiled.outputs}

    return with_states(workshop.calibration_sequences(), shapes, keeps, answer)


def _save(network: Any, folder: Path) -> None:
    folder.mkdir()
    # Otherwise the weights would be rounded to float16.
    openvino.save_model(network, folder / NETWORK_FILE, compress_to_fp16=False)
