"""Weights of a small life, random PilotNets, and data of the expert's on a small loop."""

import importlib.util
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from brains import agreement
from brains.chosen_frames import choose_frames
from brains.training import dataset
from brains.versions import Network
from brains.workshop import Workshop
from tests.brains.own_networks import write_frames, write_network
from tests.brains.training_data import expert_frames, write_recording
from worlds.centreline import Centreline


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with a random PilotNet."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("needs the extra tf")
    folder = tmp_path_factory.mktemp("random_weights")
    command = [sys.executable, "-m", "tests.brains.random_pilotnet", str(folder)]
    subprocess.run(command, check=True)
    return folder / "weights"


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
    """Calibration on a few of its frames, so that it takes a second, and no gate.

    A random network answers nearly the same whatever it sees: rounding changes that by more than
    the tenth of its variance that the gate allows.
    """
    whole = Workshop.calibration
    monkeypatch.setattr(Workshop, "calibration", lambda workshop: whole(workshop)[::15])
    monkeypatch.setattr(agreement, "REFUSE_FROM", math.inf)


@pytest.fixture(scope="session")
def loop() -> Centreline:
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return Centreline.from_control_points(
        np.column_stack([18 * np.cos(angle), 11 * np.sin(angle) * (1 + 0.3 * np.cos(angle))])
    )


@pytest.fixture(scope="session")
def recordings(loop: Centreline, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("recordings")
    made = []
    for seed in range(5):
        frames, labels = expert_frames(loop, seed, distance_m=25, s_m=10.0 * seed)
        made.append(write_recording(root / f"run{seed}", frames, labels, labels_from=seed))
    return made


@pytest.fixture(scope="session")
def data(recordings: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    list(dataset.build_dataset(recordings, folder))
    return folder


@pytest.fixture(scope="session")
def own_frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few labelled frames of a user's, so that making a version takes a second."""
    return write_frames(tmp_path_factory.mktemp("own") / "frames")


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of a module's own: what one test makes, the next one finds."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PITWALL_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def own_network(
    tmp_path_factory: pytest.TempPathFactory, own_cache: Path, own_frames: Path
) -> Callable[[str], Path]:
    """Writes a small network and its card; its versions take the few frames."""

    @cache
    def card(name: str) -> Path:
        path = write_network(name, tmp_path_factory.mktemp(name))
        choose_frames(Network(path).model(), own_frames)
        return path

    return card
