"""The first brain of a user, as the guide has it, drives a lap."""

from pathlib import Path

import pytest

from harness.run.drive import drive
from harness.spec.run import RunSpec
from tests.docs.examples import blocks_of

pytestmark = pytest.mark.sim


def test_case_25_the_guides_own_brain_completes_its_lap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = blocks_of("own_brain.md", "python")
    (tmp_path / str(code.file)).write_text(code.text)
    # What else lies there must not disturb (case 16).
    (tmp_path / "random.py").write_text("raise RuntimeError('the wrong module')\n")
    (tmp_path / "brains").mkdir()
    (tmp_path / "brains" / "__init__.py").write_text("raise RuntimeError('the wrong package')\n")
    monkeypatch.chdir(tmp_path)
    # Slower than any machine that keeps real time: a lap there has more to spare.
    spec = RunSpec.parse(
        {
            "model": "my_module:MyBrain",
            "clock": "lockstep",
            "latency": "fixed:100",
            "output": str(tmp_path / "run"),
        }
    )
    _, result = drive(spec, lambda _: None)
    assert result.outcome == "completed", result.outcome_reason
    assert result.lap_time_s is not None and result.lap_time_s < 0.9 * spec.timeout_s()


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("raise OSError('no camera model here')", "OSError: no camera model here"),
        (
            "from brains.interface import Brain\n"
            "class MyBrain(Brain):\n"
            "    def __init__(self, path):\n        pass\n"
            "    def predict(self, frame):\n        return 1.0, 0.0\n",
            "TypeError: MyBrain.__init__() missing 1 required positional argument: 'path'",
        ),
    ],
)
def test_case_14_a_brain_whose_loading_fails_is_a_brain_error_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, line: str
) -> None:
    (tmp_path / "my_module.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    spec = RunSpec.parse({"model": "my_module:MyBrain", "output": str(tmp_path / "run")})
    _, result = drive(spec, lambda _: None)
    assert (result.outcome, result.outcome_reason) == ("brain_error", line)
