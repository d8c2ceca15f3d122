"""A small torch network is trained by its card, into each file that a torch network may have."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from brains.card import read_card
from brains.source import SourceKind, kind_of
from brains.torch_network import named_outputs, open_module
from brains.training.loop import EpochFigures, TrainParams, TrainState
from brains.training.own import train_own
from brains.training.pictures import read_pictures
from brains.view import View, to_layout
from harness.errors import UsageError

torch = pytest.importorskip("torch", reason="needs the extra torch")

MODULE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ELU(), nn.Flatten(),
            nn.Dropout(0.1), nn.Linear(216, 16), nn.ELU(),
        )
        self.speed, self.turn = nn.Linear(16, 1), nn.Linear(16, 1)

    def forward(self, image):
        x = self.features(image)
        return self.turn(x), self.speed(x)
"""
CARD = """
network: NAME
sees:
  image: {crop: [0, 0.5, 1, 1], size: [20, 10], layout: nchw, scale: 2/255, offset: -1}
says:
  v: {output: output_1, gain: 6, offset: 10}
  w: {output: output_0, gain: 3}
"""
PARAMS = TrainParams(epochs=2, batch=16, learning_rate=3e-3, warm_up_steps=5)
BUILDER = "own_net_of_torch:Net"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "own_net_of_torch.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("own_net_of_torch", None)


@pytest.mark.parametrize(
    ("name", "extra", "kind"),
    [
        ("net.pt", "", SourceKind.TORCHSCRIPT),
        ("net.pt2", "", SourceKind.TORCH_EXPORT),
        ("net.pth", f"class: {BUILDER}\n", SourceKind.TORCH_WEIGHTS),
    ],
)
def test_a_training_writes_the_file_that_the_card_names(
    folder: Path, data: Path, name: str, extra: str, kind: SourceKind
) -> None:
    (folder / "net.yaml").write_text(CARD.replace("NAME", name) + extra)
    builder = None if extra else BUILDER
    list(train_own(builder, folder / "net.yaml", data, folder / "out", PARAMS))
    assert kind_of(folder / name) == kind
    card = read_card(folder / "net.yaml")
    network = open_module(folder / name, kind, card, folder)
    view = View(card.sees)
    split = read_pictures(data, "validation", view)
    answers = []
    for picture in split.pictures:
        image = to_layout(view.scaled(np.asarray(picture))[np.newaxis], "nchw")
        with torch.inference_mode():
            outputs = named_outputs(network(torch.from_numpy(np.ascontiguousarray(image))))
        answers.append(card.says.picked({key: value.numpy() for key, value in outputs.items()}))
    commands = card.says.commands(np.concatenate(answers))
    state = TrainState.model_validate_json((folder / "out" / "state.json").read_text())
    assert np.abs(commands - split.labels).mean(axis=0) == pytest.approx(
        [state.best.v_mae_m_s, state.best.w_mae_rad_s], rel=1e-3
    )


def test_it_learns_and_a_cut_training_goes_on(folder: Path, data: Path) -> None:
    (folder / "net.yaml").write_text(CARD.replace("NAME", "net.pt"))
    params = PARAMS.model_copy(update={"epochs": 12})
    for event in train_own(BUILDER, folder / "net.yaml", data, folder / "out", params):
        if isinstance(event, EpochFigures):
            break
    resumed = train_own(BUILDER, folder / "net.yaml", data, folder / "out", params, resume=True)
    assert next(event.epoch for event in resumed if isinstance(event, EpochFigures)) == 2
    list(resumed)
    state = TrainState.model_validate_json((folder / "out" / "state.json").read_text())
    assert state.history[-1].train_loss < 0.7 * state.history[0].train_loss
    assert {path.suffix for path in (folder / "out").glob("best.*")} == {".pt"}


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("layout: nchw, ", "", r"must tell sees\.image\.layout"),
        ("size: [20, 10]", "size: [30, 10]", r"fails on what the card's view gives, \(1, 3, 10, "),
        ("NAME", "net.h5", r"of PyTorch, whose file ends in \.pt .*the card names net\.h5"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(
    folder: Path, data: Path, old: str, new: str, text: str
) -> None:
    (folder / "net.yaml").write_text(CARD.replace(old, new).replace("NAME", "net.pt"))
    with pytest.raises(UsageError, match=text) as caught:
        list(train_own(BUILDER, folder / "net.yaml", data, folder / "out", PARAMS))
    assert "\n" not in str(caught.value)
