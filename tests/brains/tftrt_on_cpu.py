"""Run in the environment tftrt: TF-TRT's conversion, as far as it goes without a GPU.

``python -m tests.brains.tftrt_on_cpu FP16``: converts a random PilotNet and prints what came out.
The converter only asks whether new tensors would be on a GPU; told so, it rewrites the graph. To
build the engines it needs one.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from tensorflow.python.compiler.tensorrt import trt_convert

from brains.pilotnet import build_network
from brains.recipes import tftrt as recipe
from brains.tf_network import concrete, save
from brains.tftrt import content_of, gpu_of_tensorflow, tensorrt_versions
from harness.errors import UnavailableError


def main(precision: str) -> dict[str, Any]:
    told: list[tuple[str, int, int]] = []
    found: dict[str, Any] = {"versions": asdict(tensorrt_versions()), "told": told}
    try:
        gpu_of_tensorflow()
    except UnavailableError as error:
        found["without_gpu"] = str(error)
    with tempfile.TemporaryDirectory() as folder:
        network = build_network()
        save(concrete(network, {}), network.variables, Path(folder, "saved"))
        converter = recipe.new_converter(str(Path(folder, "saved")), precision)
        zeros = trt_convert.array_ops.zeros
        gpu = SimpleNamespace(device="/device:GPU:0")
        trt_convert.array_ops.zeros = lambda shape, *more: (
            gpu if shape == [] else zeros(shape, *more)
        )
        # Calibration runs the graph; here only its frames are drawn.
        converter._execute_calibration = lambda frames: list(frames())
        frames = [{"image": np.zeros((1, 66, 200, 3), np.float32)}] * 3
        graph = recipe.convert(
            converter, precision, frames, lambda *step: told.append(step), "model"
        )
        recipe.check(graph, precision)
        found["content"] = asdict(content_of(graph))
        whole = trt_convert._remove_native_segments(converter._converted_func)
        found["saved"] = asdict(content_of(whole.graph.as_graph_def()))
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
