"""The plain loop of each engine: its own call on one input array, without anything of ours.

Written against the engines alone, not against `brains.backends`, so that a brain whose settings
cost time is found out. Input and output stay where they are from call to call.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import checked_artifact
from brains.model import ModelSpec
from brains.network import Inputs, NetworkBrain
from harness.errors import UsageError

# The engines are imported by the loops that need them: one a process, that of the model evaluated.
# ruff: noqa: PLC0415

Image = NDArray[np.float32]
Call = Callable[[], object]
Read = Callable[[], NDArray[Any]]
Loop = Callable[[Image], tuple[Call, Read]]
"""Takes a picture, float32 in the network's layout; gives the engine's call, and what reads its raw
output afterwards."""


def bare_loop(model: ModelSpec, brain: NetworkBrain) -> Callable[[Inputs], tuple[Call, Read]]:
    """The engine's own loop on the model's artifact, for inputs as the brain's view gives them.

    Raises:
        UsageError: There is none for the model's engine, or for more than a picture.
        DataError: The artifact is missing or broken.
    """
    opener = OPENERS.get(model.backend)
    if opener is None:
        known = ", ".join(sorted(OPENERS))
        raise UsageError(f"no bare loop for the engine {model.backend!r}: there is one for {known}")
    if len(brain.view.shapes()) > 1 or brain.stateful_engine:
        raise UsageError("no bare loop for a network that takes more than a picture")
    loop = opener(model, checked_artifact(model))

    def on(sample: Inputs) -> tuple[Call, Read]:
        (image,) = brain.engine_inputs(sample).values()
        return loop(image)

    return on


def _threads(model: ModelSpec) -> int | None:
    threads = model.options.get("threads")
    return None if threads is None else int(threads)


def _tflite(model: ModelSpec, path: Path) -> Loop:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=_threads(model))
    interpreter.allocate_tensors()
    (details,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()

    def on(image: Image) -> tuple[Call, Read]:
        if details["dtype"] != np.float32:
            scale, zero_point = details["quantization"]
            limits = np.iinfo(details["dtype"])
            steps = np.rint(image / scale) + zero_point
            image = np.clip(steps, limits.min, limits.max).astype(details["dtype"])
        interpreter.set_tensor(details["index"], image)
        return interpreter.invoke, lambda: interpreter.get_tensor(output["index"])

    return on


def _onnxruntime(model: ModelSpec, path: Path) -> Loop:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads(model) or 0
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (input_,), (output,) = session.get_inputs(), session.get_outputs()

    def on(image: Image) -> tuple[Call, Read]:
        binding = session.io_binding()
        value = onnxruntime.OrtValue.ortvalue_from_numpy(image)
        binding.bind_ortvalue_input(input_.name, value)
        answer = onnxruntime.OrtValue.ortvalue_from_shape_and_type(output.shape, np.float32)
        binding.bind_ortvalue_output(output.name, answer)
        return lambda: session.run_with_iobinding(binding), answer.numpy

    return on


def _openvino(model: ModelSpec, path: Path) -> Loop:
    import openvino

    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": _threads(model) or 0}
    if "precision" in model.options:
        settings["INFERENCE_PRECISION_HINT"] = model.options["precision"]
    network = openvino.Core().compile_model(next(path.glob("*.xml")), "CPU", settings)

    def on(image: Image) -> tuple[Call, Read]:
        request = network.create_infer_request()
        request.set_input_tensor(openvino.Tensor(image))
        return request.infer, lambda: request.get_output_tensor().data

    return on


def _torch(model: ModelSpec, path: Path) -> Loop:
    import torch

    torch.set_num_threads(_threads(model) or torch.get_num_threads())
    network: Any
    if path.suffix == ".pt2":
        network = torch._inductor.aoti_load_package(str(path), run_single_threaded=True)
    else:
        script = torch.jit.load(path, map_location="cpu").eval()
        network = torch.jit.optimize_for_inference(torch.jit.freeze(script))

    def on(image: Image) -> tuple[Call, Read]:
        tensor = torch.from_numpy(image)

        def call() -> Any:
            with torch.inference_mode():
                return network(tensor)

        return call, lambda: call().numpy()

    return on


OPENERS: dict[str, Callable[[ModelSpec, Path], Loop]] = {
    "tflite": _tflite,
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
    "torch": _torch,
}
