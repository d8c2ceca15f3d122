"""Who may import whom: docs/ARCHITECTURE.md has the order of the rooms, this holds it."""

import ast
from pathlib import Path

import pytest

HARNESS = Path(__file__).parents[2] / "harness"

# From the ground up; a room imports only from itself and from those before it.
ROOMS = (
    *("errors", "topics", "files", "paths", "setup", "conditions", "spec", "metrics"),
    *("recording", "run"),
    *("replay", "nodes", "report", "video", "evaluation", "batch", "study", "doctor", "cli"),
)


def test_every_room_is_in_the_order() -> None:
    modules = {path.stem for path in HARNESS.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in HARNESS.glob("*/__init__.py")}
    assert modules | packages == set(ROOMS)


def test_few_modules_stand_outside_the_rooms() -> None:
    assert len(list(HARNESS.glob("*.py"))) <= 7


@pytest.mark.parametrize("room", ROOMS)
def test_no_import_goes_up(room: str) -> None:
    lower = ROOMS[: ROOMS.index(room) + 1]
    files = (
        [HARNESS / f"{room}.py"] if room in ("errors", "topics", "files", "paths", "doctor") else []
    )
    for path in files or sorted((HARNESS / room).rglob("*.py")):
        up = {name for name in _imported(path) if name not in lower}
        assert not up, f"{path.relative_to(HARNESS)} imports from {', '.join(sorted(up))}"


def _imported(path: Path) -> set[str]:
    """Rooms of harness that a file imports from, inside functions too."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        parts = (name.split(".") for name in names)
        rooms |= {part[1] for part in parts if part[0] == "harness" and len(part) > 1}
    return rooms
