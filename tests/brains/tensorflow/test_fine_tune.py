"""Fine-tuning of a small network: what it promises holds in the file that it leaves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra tf")

from brains import artifacts, build
from brains.backends.tflite import TfliteBrain
from brains.model import ModelSpec
from brains.pilotnet import tensorflow
from brains.recipes import fine_tune
from brains.source import SourceKind
from brains.versions import BUILT_IN
from harness.errors import DataError
from tests.brains.asked import answers
from tests.brains.training_data import write_data_set

MODEL = ModelSpec(
    name="toy",
    title="Toy",
    family="pilotnet",
    card=str(BUILT_IN / "pilotnet.yaml"),
    kind=SourceKind.KERAS_WEIGHTS,
    backend="tflite",
    brain="brains.backends.tflite:TfliteBrain",
    artifact="toy.tflite",
    training="brains.recipes.fine_tune:quantised",
    recipe_options={"training": {"epochs": 2, "steps": 3, "batch": 8}},
    options={"threads": 1},
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data_set(tmp_path_factory.mktemp("fine_tune") / "data", 24)


def small_network(zeros: float) -> Any:
    """A network of PilotNet's kinds of layers, with a share of zeros in its dense layer."""
    _, tf_keras = tensorflow()
    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    network = tf_keras.Sequential(
        [
            layers.Input((66, 200, 3)),
            layers.BatchNormalization(),
            layers.Conv2D(6, 5, strides=8, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(20, activation="relu"),
            layers.Dense(2),
        ]
    )
    kernel = network.layers[3].kernel
    small = np.abs(kernel.numpy()) < np.quantile(np.abs(kernel.numpy()), zeros)
    kernel.assign(np.where(small, 0, kernel.numpy()))
    # Answers near the middle of the scale, as a trained network's are.
    network.layers[-1].kernel.assign(0.05 * network.layers[-1].kernel)
    network.layers[-1].bias.assign([0.3, 0.5])
    return network


Train = Callable[..., Path]


@pytest.fixture
def train(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Makes a model's file in a folder of weights, from the small network."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "pilotnet.npz").write_bytes(b"read by load_network alone")
    artifacts.write_sums(tmp_path / "weights")
    monkeypatch.setenv("PITWALL_WEIGHTS", str(tmp_path / "weights"))

    def run(model: ModelSpec, zeros: float = 0.0, name: str = "trained") -> Path:
        monkeypatch.setattr(fine_tune, "load_network", lambda path: small_network(zeros))
        folder = tmp_path / name
        build.start_weights(folder, [model])
        return build.train_file(model, data, folder)

    return run


def spec(**options: object) -> ModelSpec:
    return MODEL.model_copy(update={"recipe_options": MODEL.recipe_options | options})


@pytest.mark.parametrize("clusters", [None, 12])
def test_integer_files_keep_zeros_and_clusters(train: Train, clusters: int | None) -> None:
    training = {"epochs": 1, "steps": 2, "batch": 8, "learning_rate": 1e-5}
    model = spec(clusters=clusters, training=training)
    brain = TfliteBrain(model, train(model, zeros=0.6))
    operators = brain.engine()["operators"]
    assert operators.keys() == {"xnnpack"}
    assert operators["xnnpack"]["CONV_2D"] == 1
    step = brain.output_step()
    assert step is not None
    # The range of [-0.1, 1] in 255 steps, a little narrower after a few steps of learning.
    assert 0.0042 < step <= 1.1 / 255 + 1e-6
    stored = dict(brain.weights())
    assert {values.dtype for values in stored.values()} == {np.dtype(np.int8)}
    great = max(stored.values(), key=lambda values: values.size)
    assert np.count_nonzero(great == 0) >= 0.6 * great.size
    images = np.random.default_rng(1).uniform(-2, 2.5, (5, 66, 200, 3)).astype(np.float32)
    wanted = small_network(0.6).predict_on_batch(images)
    np.testing.assert_allclose(answers(brain, images), wanted, atol=0.05)
    if clusters is not None:
        assert all(len(np.unique(values)) <= clusters for values in stored.values())


def test_a_killed_fine_tuning_goes_on_and_ends_the_same(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(MODEL)
    step, calls = fine_tune.ConstrainedLearner.step, iter(range(100))

    def killed(*args: Any) -> float:
        if next(calls) == 4:
            raise KeyboardInterrupt
        return step(*args)

    with monkeypatch.context() as patch:
        patch.setattr(fine_tune.ConstrainedLearner, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            train(MODEL, name="cut")
    taken = 0

    def counted(*args: Any) -> float:
        nonlocal taken
        taken += 1
        return step(*args)

    monkeypatch.setattr(fine_tune.ConstrainedLearner, "step", counted)
    again = train(MODEL, name="cut")
    assert taken == 3
    images = np.random.default_rng(2).uniform(-2, 2.5, (3, 66, 200, 3)).astype(np.float32)
    one, other = (answers(TfliteBrain(MODEL, path), images) for path in (whole, again))
    np.testing.assert_allclose(one, other, atol=0.02)


def test_pruned_weights_are_sparse_or_refused(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fine_tune, "PRUNED_FROM_WEIGHTS", 1000)
    update = {"training": "brains.recipes.fine_tune:pruned", "recipe": "x:y", "weights": "toy.npz"}
    model = spec(sparsity=0.7, ramp_steps=3).model_copy(update=update)
    with np.load(train(model)) as arrays:
        kernel = max((arrays[name] for name in arrays.files), key=lambda array: array.size)
    assert np.count_nonzero(kernel == 0) / kernel.size == pytest.approx(0.7, abs=1e-3)
    with pytest.raises(DataError, match=r"only 2.% sparse"):
        train(
            model.model_copy(update={"recipe_options": model.recipe_options | {"sparsity": 0.2}}),
            name="less",
        )
