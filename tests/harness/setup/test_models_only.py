"""`make models`: the virtual environments alone, for a board."""

import sys
from pathlib import Path

import pytest

from harness.errors import UnavailableError, UsageError
from harness.run import launching
from harness.setup import __main__ as setup


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / ".pitwall" / "env"
    monkeypatch.setattr(setup, "ENV_FILE", path)
    monkeypatch.setattr(
        setup,
        "build_venvs",
        lambda project, extras, python: {"PITWALL_VENV": tmp_path / f"venv of {python}"},
    )
    return path


def test_only_environments_are_named(env_file: Path, tmp_path: Path) -> None:
    setup.set_up_models({"onnx"})
    assert env_file.read_text() == (
        f"export PITWALL_VENV='{tmp_path}/venv of {sys.executable}'\nexport PITWALL_EXTRAS=onnx\n"
    )


def test_a_clone_with_a_simulator_keeps_it(env_file: Path) -> None:
    env_file.parent.mkdir()
    env_file.write_text("export PITWALL_SIM_ROOT=/somewhere\n")
    with pytest.raises(UsageError, match="simulator already"):
        setup.set_up_models(set())
    assert env_file.read_text() == "export PITWALL_SIM_ROOT=/somewhere\n"


def test_an_old_python_is_refused(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "OLDEST_PYTHON", (9, 0))
    with pytest.raises(UnavailableError, match="PYTHON="):
        setup.set_up_models(set())
    assert not env_file.exists()


def test_driving_says_that_ros_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/somewhere/{name}")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match="no ROS here"):
        launching.check_roslaunch()
