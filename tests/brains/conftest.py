"""Weights of a small life: random PilotNets, exported as a training would export its own."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from brains.check import road_frame
from brains.preprocess import crop
from brains.workshop import Workshop


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with a random PilotNet."""
    pytest.importorskip("tensorflow", reason="needs the extra tf")
    from brains.pilotnet import build_network, save_weights, tensorflow
    from brains.training.export import export
    from brains.training.frames import FrameSet

    folder = tmp_path_factory.mktemp("random_weights")
    best = folder / "best.npz"
    random = np.random.default_rng(0)
    # Fresh biases are all zero, and a converter drops those: a trained network has none.
    tensorflow()[1].utils.set_random_seed(0)
    weights = build_network().get_weights()
    weights = [w + random.uniform(0.001, 0.01, w.shape) if w.ndim == 1 else w for w in weights]
    # Answers about the middle of the scale, as a trained network's are.
    weights[-1] += 0.5
    save_weights(weights, best)
    road = crop(road_frame((480, 640, 3)))
    crops = np.stack([np.roll(road, shift, axis=1) for shift in random.integers(-60, 60, 40)])
    check = FrameSet(crops, np.zeros((40, 2), np.float32), np.full(40, "loop"))
    return export(best, check, folder / "weights")


@pytest.fixture
def weights(
    random_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The random weights in use, with an empty cache of built artifacts."""
    monkeypatch.setenv("PITWALL_WEIGHTS", str(random_weights))
    monkeypatch.setenv("PITWALL_CACHE", str(tmp_path / "cache"))
    yield random_weights


@pytest.fixture
def few_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibration on a few of its frames, so that it takes a second."""
    whole = Workshop.calibration
    monkeypatch.setattr(Workshop, "calibration", lambda workshop: whole(workshop)[::15])
