"""A small network of another kind is trained by its card, its file loads, its answers are right."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra tf")

from brains.card import read_card
from brains.source import SourceKind, kind_of
from brains.tf_network import keras_2, open_keras
from brains.training.loop import EpochFigures, Event, StepDone, TrainParams, TrainState
from brains.training.own import train_own
from brains.training.pictures import read_pictures
from brains.view import View
from harness.errors import BrainError, UsageError

MODULE = """
from tf_keras import Model, Sequential, layers


def build(height=10, width=20, channels=3):
    image = layers.Input((height, width, channels), name="image")
    x = layers.Conv2D(6, 3, strides=2, activation="elu")(image)
    x = layers.Dense(16, activation="elu")(layers.Flatten()(x))
    speed = layers.Dense(1, name="speed")(x)
    turn = layers.Dense(1, name="turn")(x)
    return Model(image, [turn, speed])


def other():
    return build(height=20, width=20)


def stacked():
    return build(channels=9)


def failing():
    return layers.Conv2D(4, 3)(None)


def nothing():
    return 4
"""
CARD = """
network: NAME
sees:
  image: {crop: [0, 0.5, 1, 1], size: [20, 10], scale: 2/255, offset: -1}
says:
  v: {output: speed, gain: 6, offset: 10}
  w: {output: turn, gain: 3}
"""
PARAMS = TrainParams(epochs=2, batch=16, learning_rate=3e-3, warm_up_steps=5)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the network's code and card, which is also the current one."""
    (tmp_path / "own_net_of_keras.py").write_text(MODULE)
    (tmp_path / "net.yaml").write_text(CARD.replace("NAME", "net.h5"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("own_net_of_keras", None)


def run(
    folder: Path, data: Path, builder: str = "build", output: str = "out", resume: bool = False
) -> list[Event]:
    name = f"own_net_of_keras:{builder}"
    card, out = folder / "net.yaml", folder / output
    return list(train_own(name, card, data, out, PARAMS, resume=resume))


def test_a_training_writes_the_file_that_the_card_names(folder: Path, data: Path) -> None:
    events = run(folder, data)
    assert [type(event) for event in events].count(EpochFigures) == 2
    assert any(isinstance(event, StepDone) for event in events)
    file = folder / "net.h5"
    assert kind_of(file) == SourceKind.KERAS2
    card = read_card(folder / "net.yaml")
    network = open_keras(file, SourceKind.KERAS2, card, folder)
    # Its best epoch: on the validation frames it errs as the state says.
    view = View(card.sees)
    split = read_pictures(data, "validation", view)
    turn, speed = network.predict_on_batch(view.scaled(np.asarray(split.pictures)))
    commands = card.says.commands(card.says.picked({"turn": turn, "speed": speed}))
    state = TrainState.model_validate_json((folder / "out" / "state.json").read_text())
    assert np.abs(commands - split.labels).mean(axis=0) == pytest.approx(
        [state.best.v_mae_m_s, state.best.w_mae_rad_s], rel=1e-3
    )
    # It is there now: neither a new training nor a network of the user's is overwritten.
    with pytest.raises(UsageError, match="is there already"):
        run(folder, data, output="other")


def test_it_learns(folder: Path, data: Path) -> None:
    params = PARAMS.model_copy(update={"epochs": 25})
    name = "own_net_of_keras:build"
    events = train_own(name, folder / "net.yaml", data, folder / "out", params)
    figures = [event for event in events if isinstance(event, EpochFigures)]
    assert figures[-1].train_loss < 0.5 * figures[0].train_loss


def test_a_cut_training_goes_on_and_ends_as_an_uncut_one(folder: Path, data: Path) -> None:
    name = "own_net_of_keras:build"
    for event in train_own(name, folder / "net.yaml", data, folder / "cut", PARAMS):
        if isinstance(event, EpochFigures):
            break
    assert not (folder / "net.h5").exists()
    run(folder, data, output="cut", resume=True)
    cut = keras_2().models.load_model(folder / "net.h5", compile=False).get_weights()
    # Finished already: the file is written again, nothing is trained.
    (folder / "net.h5").unlink()
    assert run(folder, data, output="cut", resume=True) == []
    (folder / "net.h5").unlink()
    run(folder, data, output="whole")
    whole = keras_2().models.load_model(folder / "net.h5", compile=False).get_weights()
    for one, other in zip(cut, whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_network_of_stacked_frames_is_trained(folder: Path, data: Path) -> None:
    stacked = CARD.replace("NAME", "net.h5") + "  # three frames\n"
    stacked = stacked.replace("says:", "  frames: [-2, -1, 0]\n  axis: channels\nsays:")
    (folder / "net.yaml").write_text(stacked)
    run(folder, data, builder="stacked")
    assert (folder / "net.h5").is_file()


@pytest.mark.parametrize(
    ("builder", "kind", "text"),
    [
        ("other", UsageError, r"takes \(None, 20, 20, 3\), and the card's view gives \(None, 10,"),
        ("failing", BrainError, "own_net_of_keras:failing failed: "),
        ("nothing", UsageError, "returns int, no network of Keras or PyTorch"),
        ("missing", UsageError, "has nothing called 'missing'"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_made(
    folder: Path, data: Path, builder: str, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text) as caught:
        run(folder, data, builder=builder)
    assert "\n" not in str(caught.value)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("net.keras", r"of Keras 2, whose file ends in \.h5: the card names net\.keras"),
        ("net.onnx", r"names net\.onnx: a training writes \.h5, "),
        ("gone/net.h5", "folder .*gone is not there"),
    ],
)
def test_a_card_that_names_another_file(folder: Path, data: Path, name: str, text: str) -> None:
    (folder / "net.yaml").write_text(CARD.replace("NAME", name))
    with pytest.raises(UsageError, match=text):
        run(folder, data)


def test_an_output_that_the_network_has_not(folder: Path, data: Path) -> None:
    card = CARD.replace("NAME", "net.h5").replace("speed", "throttle")
    (folder / "net.yaml").write_text(card)
    with pytest.raises(Exception, match="no output 'throttle': name one of turn, speed"):
        run(folder, data)


def test_a_training_that_goes_astray_says_so(folder: Path, data: Path) -> None:
    params = PARAMS.model_copy(update={"learning_rate": 1e12, "epochs": 30})
    name = "own_net_of_keras:build"
    with pytest.raises(UsageError, match=r"went astray in epoch .*lower --learning-rate"):
        list(train_own(name, folder / "net.yaml", data, folder / "out", params))
