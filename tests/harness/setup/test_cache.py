from pathlib import Path

import pytest

from harness.setup.cache import build_once, is_complete, key_of, key_of_tree


def test_a_killed_build_never_passes_for_whole(tmp_path: Path) -> None:
    target = tmp_path / "thing"

    def killed() -> None:
        target.mkdir()
        (target / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_once(target, killed)
    assert (target / "half").exists()
    assert not is_complete(target)

    def whole() -> None:
        assert not target.exists()
        target.mkdir()
        (target / "whole").touch()

    build_once(target, whole)
    assert is_complete(target)
    assert not (target / "half").exists()

    build_once(target, lambda: pytest.fail("built twice"))


def test_keys_follow_content_and_names(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = key_of_tree(tmp_path)
    (tmp_path / "a").write_text("2")
    second = key_of_tree(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({first, second, key_of_tree(tmp_path)}) == 3
    assert key_of("ab", "c") != key_of("a", "bc")
