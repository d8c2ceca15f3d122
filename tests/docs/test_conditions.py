"""The guide of conditions says what the table says, with a picture of each."""

from harness.conditions.asked import Conditions
from harness.conditions.table import TABLE, markdown_rows
from tests.docs.examples import PROJECT

GUIDE = PROJECT / "docs" / "guides" / "conditions.md"
PICTURES = PROJECT / "docs" / "images" / "conditions"


def test_the_guide_has_every_condition_as_the_table_has_it() -> None:
    lines = GUIDE.read_text().splitlines()
    shown = [line for line in lines if line.startswith("| `")]
    places = dict.fromkeys(row.place for row in TABLE)
    assert shown == [line for place in places for line in markdown_rows(place)]


def test_every_condition_has_its_picture_and_all_are_small() -> None:
    text = GUIDE.read_text()
    assert {path.stem for path in PICTURES.iterdir()} == {row.name for row in TABLE}
    assert all(f"](../images/conditions/{row.name}.jpg)" in text for row in TABLE)
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) <= 500_000


def test_the_examples_can_be_asked_for() -> None:
    asked = Conditions.parse("camera_noise=16,gusts=0.5")
    assert f"--conditions {asked} " in GUIDE.read_text()
    assert f"conditions:={asked}`" in GUIDE.read_text()
