"""pitwall_fast: its training by `harness optimize`."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tf_keras", reason="needs the extra tf")

from brains.artifacts import artifact_bytes
from brains.build import start_weights, train_file
from brains.catalogue import find_model
from brains.preprocess import normalise
from brains.training.calibration import read_calibration
from brains.training.driven import gather_driven
from tests.brains.asked import answers
from tests.brains.test_fast import MIB, brain_of_fast
from tests.brains.training_data import write_data_set, write_recording


def test_training_makes_a_file_that_drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    answered = answers(brain_of_fast(), normalise(read_calibration().crops[:2]))
    assert np.isfinite(answered).all()
    assert (answered[0] != answered[1]).any()
