"""Which build of PyTorch the set-up takes, and what it says before it fetches the large one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.paths import project_root
from harness.setup import venv
from harness.setup.pytorch import VARIABLE, cost, cpu_build, index_options

LISTING = (
    "torch (2.15.0)\nAvailable versions: 2.15.0, 2.14.1, 2.13.0{more}, 2.12.1\n"
    "  INSTALLED: 2.13.0+cpu\n"
)


def test_only_a_plain_pin_admits_the_build_for_cpus() -> None:
    assert cpu_build(["numpy==2.4.6", "torch==2.13.0", "torchao==0.18.0"]) == "2.13.0+cpu"
    assert cpu_build(["torch===2.13.0", "torchao==0.18.0"]) is None
    assert cpu_build(["torchao==0.18.0"]) is None


def test_case_26_a_listing_tells_which_build_pip_takes() -> None:
    assert cost(LISTING.format(more=", 2.13.0+cpu"), "2.13.0+cpu") is None
    for more in ("", ", 2.13.0+cpu.old"):
        said = cost(LISTING.format(more=more), "2.13.0+cpu")
        assert said is not None
        assert "2.5 GB more to fetch" in said
        assert VARIABLE in said
        assert "\n" not in said


def test_case_26_the_variable_names_an_index_or_a_folder(tmp_path: Path) -> None:
    assert index_options({}) == index_options({VARIABLE: ""}) == []
    address = "https://index.example/cpu"
    assert index_options({VARIABLE: address}) == ["--extra-index-url", address]
    assert index_options({VARIABLE: str(tmp_path)}) == ["--find-links", str(tmp_path)]
    with pytest.raises(UsageError, match="is no folder, and no address of an index"):
        index_options({VARIABLE: str(tmp_path / "missing")})


def test_another_index_is_another_environment_where_torch_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_out(target: Path, build: Callable[[], None]) -> None:
        """Builds nothing."""

    def folder(*extras: str) -> Path:
        return venv.build_venvs(project_root(), set(extras))["PITWALL_VENV"]

    monkeypatch.setattr(venv, "build_once", leave_out)
    monkeypatch.delenv(VARIABLE, raising=False)
    plain, torch = folder(), folder("torch")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert folder() == plain
    assert folder("torch") != torch
    monkeypatch.setenv(VARIABLE, "nowhere")
    assert folder() == plain
    with pytest.raises(UsageError, match=VARIABLE):
        folder("torch")
