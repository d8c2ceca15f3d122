import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from brains.availability import to_drive
from brains.catalogue import find_model, read_catalogue
from brains.model import ModelSpec
from brains.network import EngineProof, NetworkBrain
from brains.preprocess import normalise, to_output
from brains.training.evaluation import read_evaluation
from harness.errors import BrainError
from harness.evaluation.accuracy import SPANS, errors, errors_by_circuit
from harness.evaluation.bare import OPENERS
from harness.evaluation.remote import Remote
from harness.evaluation.worker import Session

V_OFF, W_OFF = 0.1, -0.02


class OffBrain(NetworkBrain):
    """Answers the expert's labels of the held-out frames, off by known amounts."""

    @classmethod
    def load(cls, model: ModelSpec) -> Self:
        artifact = Path(os.environ["PITWALL_OFF_ARTIFACT"])
        brain = cls(model, artifact)
        brain.takes({"image": (1, 66, 200, 3)})
        found = read_evaluation()
        brain.labels = {
            image.tobytes(): label
            for image, label in zip(normalise(found.crops), to_output(found.labels), strict=True)
        }
        return brain

    labels: dict[bytes, NDArray[np.float32]]

    def predict(self, data: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        print("engines print what they like")
        known = self.labels.get(data["image"][0].tobytes(), np.zeros(2, np.float32))
        return known[np.newaxis] + np.array([V_OFF, W_OFF], np.float32)

    def decode(self, output: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return {"output": output}

    def engine(self) -> EngineProof:
        return {
            "engine": "off",
            "engine_version": "1",
            "device": "cpu",
            "operators": {"none": {"LOOK_UP": 1}},
            "parameters": 0,
        }


@pytest.fixture
def artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "off.bin"
    path.write_bytes(b"1234")
    digest = "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4"
    (tmp_path / "SHA256SUMS").write_text(f"{digest}  off.bin\n")
    monkeypatch.setenv("PITWALL_OFF_ARTIFACT", str(path))
    return path


NAME = f"{__name__}:OffBrain"


def test_known_errors_are_measured(artifact: Path) -> None:
    judged = Session(NAME).judge(bare=False)
    assert judged["errors"]["frames"] == 900
    assert judged["errors"]["mse"] == pytest.approx((V_OFF**2 + W_OFF**2) / 2, rel=1e-5)
    assert judged["errors"]["mae_v_m_s"] == pytest.approx(17.5 * V_OFF, rel=1e-5)
    assert judged["errors"]["mae_w_rad_s"] == pytest.approx(14.2 * -W_OFF, rel=1e-4)
    assert set(judged["circuits"]) == {"simple_circuit", "montreal", "montmelo"}
    assert sum(found["frames"] for found in judged["circuits"].values()) == 900
    assert judged["proof"]["artifact_bytes"] == 4


def test_a_real_worker_answers_in_its_own_process(artifact: Path) -> None:
    with Remote(NAME) as remote:
        assert list(remote.ask(60.0, "measure", count=1, block=0)) == ["predict"]
        judged = remote.ask(60.0, "judge", bare=True)
        assert "no bare loop for the engine 'python'" in judged["bare_reason"]
        found = remote.ask(60.0, "measure", count=7, block=1)
        assert set(found) == {"predict", "in_loop"}
        for times in found.values():
            assert len(times["times_ms"]) == 7
            assert 0.0 < sum(times["times_ms"]) <= times["wall_ms"]


# The default model, which is always there, and the last one of each engine.
LAST = {model.backend: model.name for model in read_catalogue().models if model.backend in OPENERS}


@pytest.mark.parametrize("name", sorted({"tflite_dynamic", *LAST.values()}))
def test_the_bare_loop_runs_the_same_network(name: str) -> None:
    model = find_model(name)
    if (why := to_drive(model).reason) is not None:
        pytest.skip(why)
    # Each engine has a process of its own, here as in an evaluation.
    command = [sys.executable, "-m", "tests.harness.evaluation.bare_and_brain", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bare, brain = json.loads(done.stdout.splitlines()[-1])
    np.testing.assert_allclose(bare, brain, rtol=1e-5, atol=1e-6)


def test_only_networks_can_be_evaluated() -> None:
    with Remote("null") as remote, pytest.raises(BrainError, match="null is no network"):
        remote.ask(60.0, "judge", bare=False)


@pytest.mark.parametrize("outputs", [np.zeros((4, 3)), np.full((4, 2), np.nan)])
def test_nonsense_is_refused(outputs: NDArray[Any]) -> None:
    with pytest.raises(BrainError):
        errors(outputs.astype(np.float32), np.zeros((4, 2), np.float32))


def test_errors_are_split_by_circuit() -> None:
    labels = np.zeros((4, 2), np.float32)
    off = np.array([[0.0], [0.0], [0.1], [0.3]]) * SPANS
    found = errors_by_circuit(labels + off, labels, np.array(["a", "a", "b", "b"]))
    assert found["a"].mse == pytest.approx(0.0, abs=1e-12)
    assert found["b"].mse == pytest.approx((0.1**2 + 0.3**2) / 2, rel=1e-5)
    assert found["b"].mae_w_rad_s == pytest.approx(14.2 * 0.2, rel=1e-5)


@pytest.mark.parametrize(("threads", "same"), [(1, False), (2, True), (None, True)])
def test_one_thread_stays_on_one_core(threads: int | None, same: bool) -> None:
    code = f"""
import os
from harness.evaluation.worker import pin
before = os.sched_getaffinity(0)
pin({threads})
print(before == os.sched_getaffinity(0), len(os.sched_getaffinity(0)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unchanged, cores = done.stdout.split()
    assert cores == "1" or (unchanged == "True") == same


def test_no_process_is_left_when_the_evaluation_is_killed(artifact: Path) -> None:
    """A stopped process could not notice by itself."""
    code = f"""
import time
from harness.evaluation.remote import Remote
remote = Remote({NAME!r})
remote.ask(60.0, "measure", count=1, block=0)
print(remote.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = Path("/proc") / parent.stdout.readline().decode().strip()
        assert (worker / "stat").is_file()
        parent.kill()
    deadline_s = time.monotonic() + 10.0
    while alive(worker) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert not alive(worker)


def alive(process: Path) -> bool:
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except FileNotFoundError:
        return False
