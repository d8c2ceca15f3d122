"""Networks in TensorFlow: by Keras' predict as the published study drives, and without Keras."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brains.model import ModelSpec
from brains.network import EngineProof, Inputs, NetworkBrain, Shape
from brains.source import SourceKind
from brains.tf_network import (
    concrete,
    keras_ports,
    open_keras,
    open_savedmodel,
    output_names,
    tensorflow,
)


class KerasBrain(NetworkBrain):
    """A Keras network from its file, by ``model.predict``."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        self._network = open_network(self, artifact)
        self._inputs, self._outputs = keras_ports(self._network)
        self.takes(input_shapes(self._network))

    def encode(self, inputs: Inputs) -> Any:
        """The inputs in the network's order."""
        ordered = [inputs[name] for name in self._inputs]
        return ordered[0] if len(ordered) == 1 else ordered

    def predict(self, data: Any) -> Any:
        """Keras' answer to a batch."""
        return self._network.predict(data, verbose=0)

    def decode(self, output: Any) -> Mapping[str, NDArray[np.float32]]:
        """By the names of the output layers."""
        if isinstance(output, Mapping):
            return {name: np.asarray(values, np.float32) for name, values in output.items()}
        several = list(output) if isinstance(output, list | tuple) else [output]
        named = zip(self._outputs, several, strict=True)
        return {name: np.asarray(values, np.float32) for name, values in named}

    def answers(self, samples: Iterable[Inputs]) -> NDArray[np.float32]:
        """As of every network; in one batch where no answer depends on another."""
        listed = list(samples)
        if self.stateful_engine or not listed:
            return super().answers(listed)
        batch = {name: np.concatenate([one[name] for one in listed]) for name in listed[0]}
        answered: NDArray[np.float32] = self.says.picked(self.decode(self._raw(batch)))
        return answered

    def reset_engine(self) -> None:
        """Set the states of its recurrent layers to zero."""
        for layer in self._network.layers:
            reset = getattr(layer, "reset_states", None) or getattr(layer, "reset_state", None)
            if getattr(layer, "stateful", False) and reset is not None:
                reset()

    def engine(self) -> EngineProof:
        """TensorFlow, and the network's layers."""
        keras = "keras" if self.model.kind == SourceKind.KERAS3 else "tf_keras"
        return {
            "engine": f"tensorflow ({keras} predict)",
            "engine_version": str(tensorflow().__version__),
            "device": "cpu",
            "operators": {"keras layers": {"layers": len(self._network.layers)}},
            "parameters": int(self._network.count_params()),
        }


class GraphBrain(NetworkBrain):
    """A TensorFlow graph that is called as it is; subclasses say where it comes from."""

    kind: str
    _graph: Any
    _specs: dict[str, Any]

    def encode(self, inputs: Inputs) -> Any:
        """The inputs as tensors, by name, of the types that the graph takes."""
        tf = tensorflow()
        return {
            name: tf.constant(as_type(values, self._specs[name].dtype))
            for name, values in inputs.items()
        }

    def decode(self, output: Any) -> Mapping[str, NDArray[np.float32]]:
        """The tensors as arrays."""
        return {name: np.asarray(values, np.float32) for name, values in output.items()}

    def engine(self) -> EngineProof:
        """TensorFlow, and the graph's operators."""
        definition = self._graph.as_graph_def()
        nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
        operators = Counter(node.op for node in nodes)
        return {
            "engine": f"tensorflow ({self.kind})",
            "engine_version": str(tensorflow().__version__),
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
        self._network = open_network(self, artifact)
        self.takes(input_shapes(self._network))
        self._function = concrete(self._network, self.engine_shapes())
        self._graph = self._function.graph
        self._specs = {spec.name: spec for spec in self._function.structured_input_signature[0]}
        self._names = output_names(self._function)

    def encode(self, inputs: Inputs) -> Any:
        """The inputs as tensors, in the function's order."""
        tensors = super().encode(inputs)
        return [tensors[name] for name in self._specs]

    def predict(self, data: Any) -> Any:
        """Tensors of the answer; on the CPU a call returns when it is done."""
        return self._function(*data)

    def decode(self, output: Any) -> Mapping[str, NDArray[np.float32]]:
        """The tensors as arrays; a single one has the name of the only output."""
        named = output if isinstance(output, Mapping) else {self._names[0]: output}
        return super().decode(named)


class SavedModelBrain(GraphBrain):
    """A SavedModel, by its serving signature."""

    kind = "SavedModel signature"

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        # Kept: a function holds its variables weakly.
        self._saved, self._signature = open_savedmodel(artifact)
        self._graph = self._signature.graph
        self._specs = self._signature.structured_input_signature[1]
        self.takes({name: shape_of(spec.shape) for name, spec in self._specs.items()})

    def predict(self, data: Any) -> Any:
        """Tensors of the answer, by name; on the CPU a call returns when it is done."""
        return self._signature(**data)


def open_network(brain: NetworkBrain, artifact: Path) -> Any:
    """The Keras model of a brain's file."""
    kind = SourceKind(brain.model.kind or SourceKind.KERAS_WEIGHTS)
    return open_keras(artifact, kind, brain.card, brain.card_folder)


def input_shapes(network: Any) -> dict[str, Shape | None]:
    """Shape of each input of a Keras model, by name."""
    names, _ = keras_ports(network)
    return {
        name: shape_of(tensor.shape) for name, tensor in zip(names, network.inputs, strict=True)
    }


def shape_of(shape: Any) -> Shape | None:
    """TensorFlow's or Keras' shape as a tuple; None where not even the rank is known."""
    if getattr(shape, "rank", 0) is None:
        return None
    return tuple(None if size is None else int(size) for size in shape)


def as_type(values: NDArray[np.float32], dtype: Any) -> NDArray[Any]:
    """The values in the type that a graph takes; integers are the values as they are, rounded."""
    wanted = dtype.as_numpy_dtype
    if wanted == np.float32:
        return values
    return np.rint(values).astype(wanted) if dtype.is_integer else values.astype(wanted)
