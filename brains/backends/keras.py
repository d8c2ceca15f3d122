"""PilotNet in Keras: ``model.predict`` on one frame, as the published study drives."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brains.model import ModelSpec
from brains.network import EngineProof, NetworkBrain
from brains.pilotnet import load_network, tensorflow


class KerasBrain(NetworkBrain):
    """PilotNet from its weights file."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        self._network = load_network(artifact)

    def predict(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled outputs, shape (n, 2)."""
        return np.asarray(self._network.predict(data, verbose=0))

    def engine(self) -> EngineProof:
        """TensorFlow, and the network's layers."""
        return {
            "engine": "tensorflow (tf_keras predict)",
            "engine_version": str(tensorflow()[0].__version__),
            "device": "cpu",
            "operators": {"keras layers": {"layers": len(self._network.layers)}},
            "parameters": int(self._network.count_params()),
        }
