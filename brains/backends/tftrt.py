"""Networks converted by TF-TRT: TensorFlow 2.14 calls engines of TensorRT on an NVIDIA GPU."""

from pathlib import Path
from typing import Any

import numpy as np

from brains.backends.keras import SavedModelBrain
from brains.model import ModelSpec
from brains.network import EngineProof, Inputs
from brains.tf_network import tensorflow
from brains.tftrt import content_of, gpu_of_tensorflow, tensorrt_versions
from brains.timing import median_ms


class TfTrtBrain(SavedModelBrain):
    """A SavedModel with TensorRT engines, by its serving signature."""

    kind = "TF-TRT"

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        self._versions = tensorrt_versions()
        self._device = gpu_of_tensorflow()
        super().__init__(model, artifact)
        self._content = content_of(self._graph.as_graph_def())

    def encode(self, inputs: Inputs) -> Any:
        """The inputs as tensors in the host's memory: the way to the GPU is part of a call."""
        with tensorflow().device("/CPU:0"):
            return super().encode(inputs)

    def predict(self, data: Any) -> Any:
        """Answers by name, in the host's memory: the GPU has finished."""
        return {name: answer.numpy() for name, answer in super().predict(data).items()}

    def engine(self) -> EngineProof:
        """TensorFlow, engines by precision, and what TensorFlow computes itself."""
        content = self._content
        engines = {f"TRTEngineOp {kind}": count for kind, count in content.engines.items()}
        operators = {"tensorrt": engines}
        if content.native_operators:
            operators["tensorflow"] = content.native_operators
        return {
            "engine": f"tensorflow ({self.kind}, TensorRT {self._versions.loaded})",
            "engine_version": str(tensorflow().__version__),
            "device": self._device,
            "operators": operators,
            "parameters": self.model.options.get("parameters"),
        }

    def proof(self) -> dict[str, Any]:
        """As of every network, with what TF-TRT could do silently."""
        return {
            **super().proof(),
            "host_to_device_ms": self._host_to_device_ms(),
            "tensorrt_loaded": self._versions.loaded,
            "tensorrt_linked": self._versions.linked,
            "engines": self._content.engines,
            "native_segments": self._content.native_segments,
            "native_operators": self._content.native_operators,
        }

    def _host_to_device_ms(self) -> float:
        """Median time of the inputs' way to the GPU."""
        tf = tensorflow()
        shapes = self.engine_shapes()
        inputs = self.encode({name: np.zeros(shape, np.float32) for name, shape in shapes.items()})

        def copy() -> None:
            with tf.device("/GPU:0"):
                for tensor in inputs.values():
                    tf.identity(tensor)
            tf.test.experimental.sync_devices()

        return median_ms(copy)
