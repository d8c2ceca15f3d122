"""A whole small training of PilotNet that is cut and resumed, and what it learns."""

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the extra tf")

from brains.artifacts import checked_sha256
from brains.card import read_card
from brains.pilotnet import load_network
from brains.training import evaluation
from brains.training.export import export
from brains.training.frames import PILOTNET
from brains.training.loop import BEST_FILE, EpochFigures, TrainParams, TrainState, evaluate
from brains.training.pictures import read_pictures
from brains.training.train import train
from brains.view import View
from harness.errors import DataError, UsageError


def losses(folder: Path) -> list[float]:
    state = TrainState.model_validate_json((folder / "state.json").read_text())
    return [figures.train_loss for figures in state.history]


def test_a_training_that_is_cut_resumes_and_ends_as_an_uncut_one(
    data: Path, tmp_path: Path
) -> None:

    params = TrainParams(epochs=2, batch=32, learning_rate=3e-4)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    list(train(data, whole, params))
    for event in train(data, cut, params):
        if isinstance(event, EpochFigures):
            break
    assert len(losses(cut)) == 1
    with pytest.raises(UsageError, match="--resume"):
        list(train(data, cut, params))
    list(train(data, cut, params, resume=True))
    assert losses(cut) == pytest.approx(losses(whole), rel=1e-3)
    assert {path.name.split(".")[0] for path in cut.glob("checkpoint*")} == {"checkpoint_002"}
    assert (cut / "curve.png").stat().st_size > 5000
    assert len((cut / "curve.csv").read_text().splitlines()) == 3

    weights = export(cut / BEST_FILE, evaluation.make_evaluation(data), cut / "weights")

    for name in ("pilotnet.npz", "pilotnet_dynamic.tflite", "reference.npz"):
        checked_sha256(weights / name)

    other = tmp_path / "other"
    other.mkdir()
    (other / "index.json").write_text((data / "index.json").read_text() + "\n")
    with pytest.raises(DataError, match="another data set"):
        list(train(other, cut, params, resume=True))


def test_a_network_learns_from_the_data(data: Path, tmp_path: Path) -> None:
    """Its error on the frames it saw is far below that of always answering their mean."""

    list(
        train(
            data,
            tmp_path / "out",
            TrainParams(epochs=20, batch=16, learning_rate=3e-4, warm_up_steps=5),
        )
    )
    card = read_card(PILOTNET)
    seen = read_pictures(data, "train", View(card.sees))
    network = load_network(tmp_path / "out" / BEST_FILE)
    variance = card.says.to_picked(seen.labels).var(axis=0).mean()
    assert (
        evaluate(network.predict_on_batch, seen, card, steering_weight=6.0)["mse"] < 0.5 * variance
    )
