"""Networks of TensorFlow and Keras, opened from their files: what recipes and backends share.

Everything here needs TensorFlow (extra ``tf``); it is imported inside the functions. A process has
Keras 2 (``tf_keras``) or Keras 3 (``keras``), not both: TensorFlow asks once which it is to use.
"""

import importlib
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brains.card import NetworkCard
from brains.loading import function_of
from brains.pilotnet_file import read_weights
from brains.source import SourceKind
from harness.errors import DataError, UnavailableError, one_line

Shape = tuple[int, ...]

LEGACY = "TF_USE_LEGACY_KERAS"
SERVING = "serving_default"
_CONFIG = "config.json"


def tensorflow(*, keras: int = 2) -> Any:
    """The module ``tensorflow``, in a process that is to have this Keras.

    Raises:
        UnavailableError: It is not installed.
    """
    if "tensorflow" not in sys.modules:
        os.environ[LEGACY] = "0" if keras == 3 else "1"
    return _imported("tensorflow")


def keras_2() -> Any:
    """The module ``tf_keras``.

    Raises:
        UnavailableError: It is not installed.
    """
    tensorflow()
    return _imported("tf_keras")


def keras_3() -> Any:
    """The module ``keras``, on TensorFlow.

    Raises:
        UnavailableError: It is not installed.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    tensorflow(keras=3)
    return _imported("keras")


def open_keras(source: Path, kind: SourceKind, card: NetworkCard, folder: Path) -> Any:
    """A Keras model from its file; no code that the file brings is run.

    Args:
        source: The file.
        kind: ``keras2``, ``keras3`` or ``keras_weights``.
        card: The network's card.
        folder: Where the card lies: its ``class`` is looked for there too.

    Raises:
        DataError: The file can't be loaded as such a model.
        UnavailableError: TensorFlow is not installed.
    """
    try:
        match kind:
            case SourceKind.KERAS_WEIGHTS:
                keras_2()
                network = function_of(str(card.class_), folder)()
                network.set_weights(read_weights(source))
                return network
            case SourceKind.KERAS2:
                return _open_h5(source, drop=card.lambda_ == "drop")
            case SourceKind.KERAS3:
                return _open_keras_3(source, drop=card.lambda_ == "drop")
            case _:
                raise DataError(f"{source} is no Keras network")
    except (DataError, UnavailableError):
        raise
    except Exception as error:
        # Keras raises whatever its layers raise.
        raise DataError(
            f"{source} is no Keras network that loads here: {one_line(error)}"
        ) from error


def _open_h5(source: Path, *, drop: bool) -> Any:
    tf_keras = keras_2()
    if not drop:
        return tf_keras.models.load_model(source, compile=False)
    with _imported("h5py").File(source, "r") as file:
        config = json.loads(file.attrs["model_config"])
    network = tf_keras.models.model_from_json(json.dumps(without_lambda(config)))
    network.load_weights(source)
    return network


def _open_keras_3(source: Path, *, drop: bool) -> Any:
    keras = keras_3()
    if not drop:
        return keras.models.load_model(source, compile=False, safe_mode=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / source.with_suffix(".keras").name
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
            for entry in old.infolist():
                content = old.read(entry)
                if entry.filename == _CONFIG:
                    content = json.dumps(without_lambda(json.loads(content))).encode()
                new.writestr(entry, content)
        return keras.models.load_model(path, compile=False, safe_mode=True)


def without_lambda(config: Any) -> Any:
    """A Keras configuration with Lambda layers that hand on what they take.

    Their place is kept, by an activation of the same name that changes nothing.
    """
    if isinstance(config, list):
        return [without_lambda(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "Lambda":
        kept = {key: config["config"][key] for key in ("name", "dtype") if key in config["config"]}
        config = config | {"class_name": "Activation", "config": kept | {"activation": "linear"}}
        # Keras 3 finds the class by these.
        return config | ({"module": "keras.layers"} if "module" in config else {})
    return {key: without_lambda(value) for key, value in config.items()}


def keras_ports(network: Any) -> tuple[list[str], list[str]]:
    """Names of a Keras model's inputs and outputs, in its order."""
    # A Sequential of Keras 3 keeps them in the functional model within it.
    named = network if hasattr(network, "output_names") else network._functional
    inputs = getattr(named, "input_names", None) or [tensor.name for tensor in network.inputs]
    return list(inputs), list(named.output_names)


def fixed(shape: Sequence[int | None], seen: Sequence[int] | None = None) -> Shape:
    """A shape for one sample: batch 1, other free sizes as the view has them, else 1."""
    sizes = list(shape)
    given = list(seen) if seen is not None and len(seen) == len(sizes) else [1] * len(sizes)
    known = [want if size is None else size for size, want in zip(sizes, given, strict=True)]
    return (1, *map(int, known[1:]))


def concrete(
    network: Any, seen: Mapping[str, Sequence[int]], outputs: Sequence[str] | None = None
) -> Any:
    """A Keras model as a concrete function of one sample.

    Its arguments are named as the model's inputs. One output comes as a tensor, several as a
    dict by name: converters keep names, not the order.

    Args:
        network: A Keras model.
        seen: Shape of each input as the view gives it, by name; fills in free sizes.
        outputs: Names of the outputs in the model's order; None: its own.
    """
    tf = tensorflow()
    inputs, own = keras_ports(network)
    outputs = own if outputs is None else outputs
    specs = [
        tf.TensorSpec(fixed(tensor.shape, _seen(seen, name, len(inputs))), tf.float32, name=name)
        for name, tensor in zip(inputs, network.inputs, strict=True)
    ]

    def call(*given: Any) -> Any:
        answer = network(given[0] if len(given) == 1 else list(given), training=False)
        if isinstance(answer, Mapping):
            return dict(answer)
        if len(outputs) == 1:
            return answer[0] if isinstance(answer, list | tuple) else answer
        return dict(zip(outputs, answer, strict=True))

    # Unnamed, as SavedModels hold the function's name.
    function = tf.function(lambda *given: call(*given), autograph=False)  # noqa: PLW0108
    return function.get_concrete_function(*specs)


def _seen(seen: Mapping[str, Sequence[int]], name: str, count: int) -> Sequence[int] | None:
    """The view's shape of an input; of the only one whatever it is called."""
    if name in seen:
        return seen[name]
    return next(iter(seen.values())) if count == len(seen) == 1 else None


def open_savedmodel(folder: Path) -> tuple[Any, Any]:
    """A SavedModel and its serving signature, the only one, or the one called so.

    The first must be kept: a function holds its variables weakly.

    Raises:
        DataError: It is no SavedModel that runs here.
    """
    tf = tensorflow()
    try:
        saved = tf.saved_model.load(str(folder))
        signatures = saved.signatures
        names = list(signatures)
        name = names[0] if len(names) == 1 else SERVING
        return saved, signatures[name]
    except Exception as error:
        # TensorFlow's errors share no class but Exception.
        raise DataError(f"{folder} is no SavedModel that runs here: {one_line(error)}") from error


def concrete_signature(signature: Any, seen: Mapping[str, Sequence[int]]) -> Any:
    """A signature as a concrete function of one sample, with its names."""
    tf = tensorflow()
    given = signature.structured_input_signature[1]
    specs = [
        tf.TensorSpec(_fixed_spec(spec, _seen(seen, name, len(given))), spec.dtype, name=name)
        for name, spec in given.items()
    ]
    names = list(given)

    def call(*tensors: Any) -> Any:
        return signature(**dict(zip(names, tensors, strict=True)))

    return tf.function(call, autograph=False).get_concrete_function(*specs)


def _fixed_spec(spec: Any, seen: Sequence[int] | None) -> Shape:
    if spec.shape.rank is None:
        return tuple(seen or (1,))
    return fixed(spec.shape.as_list(), seen)


def output_names(function: Any) -> list[str]:
    """Names of a concrete function's outputs, in the order of its tensors."""
    structured = function.structured_outputs
    if isinstance(structured, Mapping):
        # TensorFlow flattens a dict in the order of its keys.
        return sorted(structured)
    return ["output"]


def save(function: Any, variables: Sequence[Any], folder: Path) -> None:
    """Write a SavedModel with a concrete function as its only signature."""
    tf = tensorflow()
    module = tf.Module()
    module.variables_of_network = list(variables)
    tf.saved_model.save(module, str(folder), signatures=function)


def variables_of(network: Any) -> list[Any]:
    """TensorFlow's variables of a Keras model, 2 or 3."""
    return [
        getattr(variable, "value", variable) if _is_keras_3(variable) else variable
        for variable in network.variables
    ]


def _is_keras_3(variable: Any) -> bool:
    return type(variable).__module__.partition(".")[0] == "keras"


def _imported(name: str) -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnavailableError(
            f"{name} is not installed ({error}): run `make setup EXTRAS=tf`"
        ) from error
