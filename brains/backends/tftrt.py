"""PilotNet converted by TF-TRT: TensorFlow 2.14 calls engines of TensorRT on an NVIDIA GPU."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.backends.keras import SavedModelBrain
from brains.model import ModelSpec
from brains.network import EngineProof
from brains.pilotnet import tensorflow
from brains.pilotnet_file import PARAMETERS
from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH
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

    def encode(self, images: NDArray[np.float32]) -> Any:
        """The images as a tensor in the host's memory: the way to the GPU is part of a call."""
        tf, _ = tensorflow()
        with tf.device("/CPU:0"):
            return tf.constant(images)

    def predict(self, data: Any) -> NDArray[np.float32]:
        """Scaled outputs, shape (1, 2), in the host's memory: the GPU has finished."""
        answer: NDArray[np.float32] = self._call(data).numpy()
        return answer

    def engine(self) -> EngineProof:
        """TensorFlow, engines by precision, and what TensorFlow computes itself."""
        content = self._content
        engines = {f"TRTEngineOp {kind}": count for kind, count in content.engines.items()}
        operators = {"tensorrt": engines}
        if content.native_operators:
            operators["tensorflow"] = content.native_operators
        return {
            "engine": f"tensorflow ({self.kind}, TensorRT {self._versions.loaded})",
            "engine_version": str(tensorflow()[0].__version__),
            "device": self._device,
            "operators": operators,
            "parameters": PARAMETERS,
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
        """Median time of an image's way to the GPU."""
        tf, _ = tensorflow()
        image = self.encode(np.zeros((1, INPUT_HEIGHT, INPUT_WIDTH, 3), np.float32))

        def copy() -> None:
            with tf.device("/GPU:0"):
                tf.identity(image)
            tf.test.experimental.sync_devices()

        return median_ms(copy)
