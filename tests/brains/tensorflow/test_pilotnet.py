"""PilotNet's size as published, its weights file, and integer inputs and outputs."""

from pathlib import Path

import numpy as np
import pytest

from brains import pilotnet
from brains.catalogue import find_model
from brains.interface import Command
from brains.pilotnet_file import PARAMETERS
from brains.preprocess import to_command
from brains.recipes.tflite import convert_keras
from harness.errors import DataError, UnavailableError

MIB = 2**20


def test_without_tensorflow_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorflow", None)
    with pytest.raises(UnavailableError, match="make setup EXTRAS=tf"):
        pilotnet.build_network()


def test_parameters_and_published_sizes(random_weights: Path) -> None:
    network = pilotnet.load_network(random_weights / "pilotnet.npz")
    assert network.count_params() == PARAMETERS
    assert network.input_shape == (None, 66, 200, 3)
    assert len(convert_keras(network)) / MIB == pytest.approx(64.917, rel=0.01)
    dynamic_mib = (random_weights / "pilotnet_dynamic.tflite").stat().st_size / MIB
    assert 16.24 * 0.99 <= dynamic_mib <= 16.26 * 1.01


def test_weights_file_is_lossless_once_rounded(random_weights: Path, tmp_path: Path) -> None:
    path = random_weights / "pilotnet.npz"
    network = pilotnet.load_network(path)
    pilotnet.save_weights(network.get_weights(), tmp_path / "again.npz")
    again = pilotnet.load_network(tmp_path / "again.npz")
    for one, other in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    for bad in (np.nan, np.inf, 1e6):
        with pytest.raises(DataError, match="not finite"):
            pilotnet.save_weights([np.array([1.0, bad])], tmp_path / "bad.npz")
    assert not list(tmp_path.iterdir())


def test_file_without_pilotnet(tmp_path: Path, random_weights: Path) -> None:
    np.savez(tmp_path / "other.npz", w00=np.zeros(3))
    (tmp_path / "cut.npz").write_bytes((random_weights / "pilotnet.npz").read_bytes()[:5000])
    for name in ("other.npz", "cut.npz", "missing.npz"):
        with pytest.raises(DataError, match=name):
            pilotnet.load_network(tmp_path / name)


def test_integer_network_answers_as_the_float_one(tmp_path: Path) -> None:
    """An int8 network with a linear answer known in closed form: mean of each colour, scaled."""
    tf, tf_keras = pilotnet.tensorflow()
    from brains.backends.tflite import TfliteBrain

    network = tf_keras.Sequential(
        [
            tf_keras.layers.Input((66, 200, 3)),
            tf_keras.layers.AveragePooling2D((66, 200)),
            tf_keras.layers.Flatten(),
            tf_keras.layers.Dense(2),
        ]
    )
    kernel = np.array([[0.2, 0.0], [0.0, 0.2], [0.0, 0.0]], np.float32)
    network.set_weights([kernel, np.array([0.5, 0.5], np.float32)])
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    random = np.random.default_rng(0)
    samples = [np.full((1, 66, 200, 3), x, np.float32) for x in np.linspace(-2.2, 2.7, 50)]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    path = tmp_path / "integer.tflite"
    path.write_bytes(converter.convert())

    model = find_model("tflite_baseline").model_copy(update={"artifact": path.name})
    brain = TfliteBrain(model, path)
    for _ in range(20):
        colour = random.integers(0, 256, 3, np.uint8)
        frame = np.broadcast_to(colour, (480, 640, 3)).astype(np.uint8)
        (data,) = brain.preprocess(frame).values()
        assert data.dtype == np.int8
        normalised = (colour / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        wanted = to_command(np.asarray(normalised @ kernel + 0.5, np.float32))
        answered = brain.infer(frame)
        assert isinstance(answered, Command)
        # The output's step is about 1 / 255 of its range of 1: 0.07 m/s and 0.06 rad/s.
        assert answered.v_m_s == pytest.approx(wanted.v_m_s, abs=0.21)
        assert answered.w_rad_s == pytest.approx(wanted.w_rad_s, abs=0.18)
