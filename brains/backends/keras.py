"""PilotNet in TensorFlow: by Keras' predict as the published study drives, and without Keras."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.model import ModelSpec
from brains.network import EngineProof, NetworkBrain
from brains.pilotnet import concrete_function, load_network, tensorflow
from harness.errors import DataError


class KerasBrain(NetworkBrain):
    """PilotNet from its weights file, by ``model.predict``."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        self._network = load_network(artifact)

    def predict(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled outputs, shape (n, 2)."""
        return np.asarray(self._network.predict(data, verbose=0))

    def outputs(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled outputs, shape (n, 2), in batches: one by one, 900 frames take minutes."""
        return self.predict(images)

    def engine(self) -> EngineProof:
        """TensorFlow, and the network's layers."""
        return {
            "engine": "tensorflow (tf_keras predict)",
            "engine_version": str(tensorflow()[0].__version__),
            "device": "cpu",
            "operators": {"keras layers": {"layers": len(self._network.layers)}},
            "parameters": int(self._network.count_params()),
        }


class GraphBrain(NetworkBrain):
    """A TensorFlow graph that is called as it is; subclasses say where it comes from."""

    kind: str
    _call: Callable[[Any], Any]
    _graph: Any

    def encode(self, images: NDArray[np.float32]) -> Any:
        """The images as a tensor."""
        return tensorflow()[0].constant(images)

    def predict(self, data: Any) -> Any:
        """Tensor of scaled outputs, shape (1, 2); on the CPU a call returns when it is done."""
        return self._call(data)

    def engine(self) -> EngineProof:
        """TensorFlow, and the graph's operators."""
        definition = self._graph.as_graph_def()
        nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
        operators = Counter(node.op for node in nodes)
        return {
            "engine": f"tensorflow ({self.kind})",
            "engine_version": str(tensorflow()[0].__version__),
            "device": "cpu",
            "operators": {"tensorflow": dict(operators)},
            "parameters": sum(int(v.shape.num_elements()) for v in self._graph.variables),
        }


class FunctionBrain(GraphBrain):
    """The network of ``KerasBrain`` as a concrete function: what the API alone costs."""

    kind = "concrete function"

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        # Kept: a function holds its variables weakly.
        self._network = load_network(artifact)
        function = concrete_function(self._network)
        self._call, self._graph = function, function.graph


class SavedModelBrain(GraphBrain):
    """A SavedModel, by its serving signature."""

    kind = "SavedModel signature"

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        tf, _ = tensorflow()
        try:
            # Kept: a function holds its variables weakly.
            self._saved = tf.saved_model.load(str(artifact))
            signature = self._saved.signatures["serving_default"]
        except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
            line = " ".join(str(error).split())
            raise DataError(f"{artifact} is no SavedModel that runs here: {line}") from error
        (name,) = signature.structured_outputs
        self._call = lambda image: signature(image=image)[name]
        self._graph = signature.graph
