from pathlib import Path

import pytest

from harness.setup.adopt import adopt
from harness.setup.simroot import build_simulator_root
from harness.setup.workspace import build_workspace


def test_what_an_images_stages_built_is_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITWALL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))  # no mmdebstrap, no bubblewrap, no sudo
    for name in ("simulator", "plugins", "source"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    adopt(tmp_path / "simulator", tmp_path / "plugins", tmp_path / "source")
    root = build_simulator_root()
    assert (root / "file").read_text() == "simulator"
    assert (build_workspace(tmp_path / "source", root) / "file").read_text() == "plugins"

    # Other sources are another workspace: what was adopted does not pass for theirs.
    (tmp_path / "source" / "file").write_text("changed")
    with pytest.raises(Exception, match="bwrap"):
        build_workspace(tmp_path / "source", root)


def test_what_is_not_there_is_not_adopted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITWALL_CACHE", str(tmp_path / "cache"))
    with pytest.raises(FileNotFoundError):
        adopt(tmp_path / "simulator", tmp_path, tmp_path)
