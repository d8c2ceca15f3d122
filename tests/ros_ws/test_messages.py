"""The built messages are those of ROS Noetic, so that any Noetic tool reads what we send."""

import importlib
from pathlib import Path

import pytest

PUBLISHED = [
    tuple(line.split())
    for line in Path(__file__).with_name("gazebo_msgs.md5").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def generated(interface: str) -> type:
    package, name = interface.split("/")
    pytest.importorskip(f"{package}.msg", reason="needs the built workspace: `make setup`")
    modules = [importlib.import_module(f"{package}.{kind}") for kind in ("msg", "srv")]
    found: list[type] = [getattr(module, name) for module in modules if hasattr(module, name)]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("interface", "md5"), PUBLISHED)
def test_md5_equals_the_published_one(interface: str, md5: str) -> None:
    assert generated(interface)._md5sum == md5  # type: ignore[attr-defined]


def test_the_list_is_complete() -> None:
    source = Path(__file__).parents[2] / "ros_ws" / "src" / "gazebo_msgs"
    defined = {f"gazebo_msgs/{path.stem}" for path in source.glob("*/*.[ms][sr][gv]")}
    assert defined == {interface for interface, _ in PUBLISHED}
