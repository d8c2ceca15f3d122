"""Every brain that can run here, against the contract, and the checker against bad brains."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from brains.catalogue import find_model, model_names
from brains.check import check_brain, road_frame
from brains.interface import Brain, Command
from harness.errors import BrainError

PROJECT = Path(__file__).parents[2]
HERE = [name for name in model_names() if find_model(name).nvidia is None]


@pytest.mark.parametrize("name", [n for n in HERE if find_model(n).artifact is None])
def test_contract(name: str) -> None:
    failed = [check for check in check_brain(name) if not check.passed]
    assert not failed


class Answers(Brain):
    def __init__(self, answer: object) -> None:
        self.answer = answer

    def predict(self, data: object) -> object:
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [(float("nan"), 0.0), (1.0, float("inf")), "fast", None, (1.0,), (1.0, 2.0, 3.0)],
)
def test_an_answer_that_is_no_command_is_a_brain_error(answer: object) -> None:
    with pytest.raises(BrainError, match="Answers"):
        Answers(answer).infer(road_frame((48, 64, 3)))


def test_a_pair_of_numpy_numbers_is_a_command() -> None:
    command = Answers(np.array([7.0, 0.5], np.float32)).infer(road_frame((48, 64, 3)))
    assert command == Command(7.0, 0.5)
    assert type(command.v_m_s) is float


def test_times_hold_the_engine_call_only() -> None:
    times: list[str] = []

    class Slow(Brain):
        def preprocess(self, frame: object) -> object:
            times.append("preprocess")
            return frame

        def predict(self, data: object) -> Command:
            times.append("predict")
            return Command(1.0, 0.0)

        def postprocess(self, output: object) -> Command:
            times.append("postprocess")
            return super().postprocess(output)

    timed = Slow().timed_infer(road_frame((48, 64, 3)))
    assert times == ["preprocess", "predict", "postprocess"]
    assert timed.infer_start_s <= timed.infer_end_s


BAD_BRAINS = """
from brains.interface import Brain, Command
import itertools

class Base(Brain):
    def predict(self, frame):
        return Command(7.0, 0.0)

class Integers(Base):
    def predict(self, frame):
        return Command(7, 0)

class TooFast(Base):
    def predict(self, frame):
        return Command(90.0, 0.0)

class Moody(Base):
    def load(model):
        brain = Moody()
        brain.count = itertools.count()
        return brain
    def predict(self, frame):
        return Command(7.0, (next(self.count) % 7) * 0.1)

class Painter(Base):
    def predict(self, frame):
        frame[:] = 0
        return Command(7.0, 0.0)

class OneSize(Base):
    def predict(self, frame):
        assert frame.shape == (480, 640, 3), "480x640 only"
        return Command(7.0, 0.0)

class Silent(Base):
    def proof(self):
        return {}
"""


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("Integers", "answers a Command of finite numbers"),
        ("TooFast", "stays in the car's range"),
        ("Moody", "same frame, same command"),
        ("Painter", "leaves the frame as it is"),
        ("OneSize", "takes any image size"),
        ("Silent", "proof says what runs"),
    ],
)
def test_the_checker_finds_each_broken_promise(
    name: str, broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad_brains.py").write_text(BAD_BRAINS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "bad_brains", raising=False)
    failed = [check.name for check in check_brain(f"bad_brains:{name}") if not check.passed]
    assert failed == [broken]


def test_loading_one_brain_imports_no_other_framework() -> None:
    code = (
        "import sys; from brains.catalogue import load_brain; load_brain('explicit');"
        "sys.exit(int(bool({'tensorflow', 'ai_edge_litert', 'rospy'} & sys.modules.keys())))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0
