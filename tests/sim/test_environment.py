"""A lap by a model that runs in an environment of its own."""

from pathlib import Path

import pytest

from harness.run.drive import drive
from harness.spec.run import RunSpec
from tests.brains.other_venv import other_venv, use

pytestmark = pytest.mark.sim


def test_the_brain_node_drives_under_its_models_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = other_venv(tmp_path / "other")
    use(monkeypatch, venv, "elsewhere")
    output = str(tmp_path / "run")
    spec = RunSpec(model="elsewhere", clock="lockstep", latency="fixed:20", output=output)
    folder, result = drive(spec, lambda _: None)
    assert result.outcome == "completed", result.outcome_reason
    assert Path(result.brain_proof["interpreter"]).parents[1] == venv
    assert result.brain_proof["artifact"] == "pilotnet_dynamic.tflite"
    assert (folder / "run.bag").stat().st_size > 100_000
