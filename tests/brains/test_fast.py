"""pitwall_fast: its training by `harness optimize`, and the network that is kept."""

from pathlib import Path

import numpy as np
import pytest

from brains.artifacts import artifact_bytes, artifact_path
from brains.build import start_weights, train_file
from brains.catalogue import find_model, load_brain
from brains.network import NetworkBrain
from brains.preprocess import normalise, to_output
from brains.training.calibration import read_calibration
from brains.training.driven import gather_driven
from brains.training.evaluation import read_evaluation
from tests.brains.training_data import write_data_set, write_recording

MIB = 2**20
LAYERS = {"CONV_2D": 4, "RESHAPE": 1, "FULLY_CONNECTED": 3}


def brain_of_fast() -> NetworkBrain:
    brain = load_brain("pitwall_fast")
    assert isinstance(brain, NetworkBrain)
    return brain


def test_the_kept_network_is_small_and_sees_better_than_pilotnet() -> None:
    path = artifact_path(find_model("pitwall_fast"))
    assert path is not None
    assert artifact_bytes(path) < MIB
    evaluation = read_evaluation()
    images, wanted = normalise(evaluation.crops), to_output(evaluation.labels)
    errors = {
        name: ((brain.outputs(images) - wanted) ** 2).mean()
        for name in ("pitwall_fast", "tflite_dynamic")
        if isinstance(brain := load_brain(name), NetworkBrain)
    }
    assert errors["pitwall_fast"] < errors["tflite_dynamic"]


def test_all_its_layers_are_executed_by_the_delegate() -> None:
    proof = brain_of_fast().proof()
    assert proof["operators"]["xnnpack"] == {**LAYERS, "DEQUANTIZE": 14}
    assert proof["parameters"] < 400_000


def test_training_makes_a_file_that_drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tf_keras", reason="needs the extra tf")
    model = find_model("pitwall_fast")
    options = {"epochs": 2, "batch": 16, "learning_rate": 1e-3}
    quick = model.model_copy(update={"recipe_options": options})
    data = write_data_set(tmp_path / "data", frames_per_split=32)
    frames = read_calibration().crops[:40]
    laps = [
        write_recording(tmp_path / name, frames, np.zeros((40, 2), np.float32))
        for name in ("one", "two")
    ]
    assert gather_driven(laps, data).firsts.tolist() == [0, 40]
    folder = tmp_path / "weights"
    start_weights(folder, [quick])
    assert not (folder / str(model.artifact)).exists()
    told: list[str] = []
    path = train_file(quick, data, folder, lambda text, *_: told.append(text))
    assert [text.split("epoch")[-1][:2] for text in told[:-1]] == [" 1"] * 3 + [" 2"] * 3
    assert "last layer" in told[-1]
    monkeypatch.setenv("PITWALL_WEIGHTS", str(folder))
    assert artifact_bytes(path) < MIB
    answers = brain_of_fast().outputs(normalise(read_calibration().crops[:2]))
    assert np.isfinite(answers).all()
    assert (answers[0] != answers[1]).any()
