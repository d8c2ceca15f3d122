"""The plain loop of each engine: its own call on one input array, without anything of ours.

Written against the engines alone, not against `brains.backends`, so that a brain whose settings
cost time is found out.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import checked_artifact
from brains.model import ModelSpec
from harness.errors import UsageError

Image = NDArray[np.float32]
Loop = Callable[[Image], Callable[[], object]]
"""Takes a normalised image, float32 (1, 66, 200, 3), and gives the engine's call on it."""


def bare_loop(model: ModelSpec) -> Loop:
    """The engine's own loop on the model's artifact.

    Raises:
        UsageError: There is none for the model's engine.
        DataError: The artifact is missing or broken.
    """
    opener = _OPENERS.get(model.backend)
    if opener is None:
        known = ", ".join(sorted(_OPENERS))
        raise UsageError(f"no bare loop for the engine {model.backend!r}: there is one for {known}")
    return opener(checked_artifact(model), int(model.options.get("threads") or 1))


def _tflite(path: Path, threads: int) -> Loop:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    (details,) = interpreter.get_input_details()

    def on(image: Image) -> Callable[[], object]:
        if details["dtype"] != np.float32:
            scale, zero_point = details["quantization"]
            limits = np.iinfo(details["dtype"])
            steps = np.rint(image / scale) + zero_point
            image = np.clip(steps, limits.min, limits.max).astype(details["dtype"])
        interpreter.set_tensor(details["index"], image)
        call: Callable[[], object] = interpreter.invoke
        return call

    return on


_OPENERS: dict[str, Callable[[Path, int], Loop]] = {"tflite": _tflite}
