"""PilotNet in Keras: ``model.predict`` on one frame, as the published study drives."""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import checked_artifact, sha256_of
from brains.interface import Brain, Command, Frame
from brains.model import ModelSpec
from brains.pilotnet import load_network, tensorflow
from brains.preprocess import preprocess, to_command
from brains.reference import greatest_difference


class KerasBrain(Brain):
    """PilotNet from its weights file."""

    def __init__(self, path: Path) -> None:
        self._network = load_network(path)
        self._path = path

    @classmethod
    def load(cls, model: ModelSpec) -> Self:
        """Load the weights that ``model`` names."""
        return cls(checked_artifact(model))

    def preprocess(self, frame: Frame) -> NDArray[np.float32]:
        """Network input, shape (1, 66, 200, 3)."""
        return preprocess(frame)

    def predict(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled outputs, shape (n, 2)."""
        return np.asarray(self._network.predict(data, verbose=0))

    def postprocess(self, output: NDArray[np.float32]) -> Command:
        """Command from the scaled output."""
        return to_command(output)

    def proof(self) -> dict[str, Any]:
        """Engine, layers, parameters, artifact and difference from the stored float answers."""
        return {
            "engine": "tensorflow (tf_keras predict)",
            "engine_version": str(tensorflow()[0].__version__),
            "device": "cpu",
            "threads": None,
            "operators": {"keras layers": len(self._network.layers)},
            "parameters": int(self._network.count_params()),
            "artifact": self._path.name,
            "artifact_bytes": self._path.stat().st_size,
            "artifact_sha256": sha256_of(self._path),
            "reference_difference": greatest_difference(self.predict),
        }
