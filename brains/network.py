"""What the brains of all network engines share: one way in, one way out, one form of proof."""

import sys
from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import artifact_bytes, checked_artifact, checked_sha256
from brains.interface import Brain, Command, Frame
from brains.model import ModelSpec
from brains.preprocess import V_SPAN_M_S, W_SPAN_RAD_S, preprocess, to_command
from brains.reference import greatest_difference

UNIQUE_VALUES_LIMIT = 4096


class EngineProof(TypedDict):
    """What executes a network.

    Attributes:
        engine: Its name.
        engine_version: Its version.
        device: ``cpu``, or the GPU's name.
        operators: Count of executed operators by kind, for each delegate or provider.
        parameters: Number of weights.
    """

    engine: str
    engine_version: str
    device: str
    operators: dict[str, dict[str, int]]
    parameters: int


class NetworkBrain(Brain):
    """A network that answers one preprocessed frame with scaled speed and yaw rate."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        """Keeps what the proof tells of; a subclass loads the artifact with its engine.

        Args:
            model: The model; its option ``threads`` says how many the engine may use.
            artifact: Checked file or folder.
        """
        self.model = model
        self.artifact = artifact
        threads = model.options.get("threads")
        self.threads = None if threads is None else int(threads)

    @classmethod
    def load(cls, model: ModelSpec) -> Self:
        """Load the artifact of ``model``, once it is the stated one."""
        return cls(model, checked_artifact(model))

    def encode(self, images: NDArray[np.float32]) -> Any:
        """What the engine takes for normalised images, float32 (n, 66, 200, 3): as they are."""
        return images

    @abstractmethod
    def predict(self, data: Any) -> Any:
        """Call the engine on one encoded image; it has finished when this returns."""

    def decode(self, output: Any) -> NDArray[np.float32]:
        """Scaled outputs, shape (n, 2), of the engine's raw output."""
        return np.asarray(output, np.float32)

    @abstractmethod
    def engine(self) -> EngineProof:
        """What really executes the network."""

    def output_step(self) -> float | None:
        """Size of one step of the scaled outputs where they are integers; None for floats."""
        return None

    def weights(self) -> Iterable[tuple[str, NDArray[Any]]]:
        """Name and values of each tensor of weights as the engine stores it, where it tells."""
        return ()

    def preprocess(self, frame: Frame) -> Any:
        """The engine's input for one frame."""
        return self.encode(preprocess(frame))

    def postprocess(self, output: Any) -> Command:
        """Command of the raw output."""
        return to_command(self.decode(output))

    def outputs(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled outputs, shape (n, 2), for normalised images, shape (n, 66, 200, 3)."""
        # Copied: an engine may answer with a view of a buffer that the next call overwrites.
        return np.concatenate(
            [
                np.array(self.decode(self.predict(self.encode(image[np.newaxis]))))
                for image in images
            ]
        )

    def proof(self) -> dict[str, Any]:
        """What executes, of which file, how exactly, and how far from the float network."""
        step = self.output_step()
        return {
            **self.engine(),
            "interpreter": sys.executable,
            "threads": self.threads,
            "artifact": self.artifact.name,
            "artifact_bytes": artifact_bytes(self.artifact),
            "artifact_sha256": checked_sha256(self.artifact),
            "reference_difference": greatest_difference(self.outputs, self.model.reference),
            "output_step_m_s": None if step is None else step * V_SPAN_M_S,
            "output_step_rad_s": None if step is None else step * W_SPAN_RAD_S,
            "weights": {name: weights_summary(values) for name, values in self.weights()},
        }


def weights_summary(values: NDArray[Any]) -> dict[str, int | float | None]:
    """How sparse and how clustered a tensor of weights is.

    Returns:
        ``elements``, ``sparsity`` (share of zeros) and ``unique_values`` (None where there are
        more than any clustering leaves).
    """
    unique = len(np.unique(values))
    return {
        "elements": int(values.size),
        "sparsity": float(np.count_nonzero(values == 0) / values.size),
        "unique_values": unique if unique <= UNIQUE_VALUES_LIMIT else None,
    }
