"""Cards: what is read of them, and what is said of a wrong one."""

import json
from pathlib import Path

import pytest

from brains.card import NetworkCard, card_of, json_schema, read_card
from harness.errors import DataError
from harness.paths import project_root

CARD = """\
network: net.onnx
sees:
  image: {crop: [0, 0.5, 1, 1], size: [100, 50], scale: 1/255}
says:
  v: {index: 0, gain: 6}
  w: {index: 1, gain: 6, offset: -3}
"""
HERE = Path("my_net.yaml")


def test_a_card_of_the_studys_lstm() -> None:
    card = card_of(CARD, HERE)
    assert card.sees.image.size == (100, 50)
    assert card.sees.image.scale == 1 / 255
    assert (card.says.w.gain, card.says.w.offset) == (6, -3)
    assert not card.stateful


def test_a_quotient_may_have_a_point() -> None:
    card = card_of(CARD.replace("1/255", "[1/127.5, 0.5/1.5, 2 / 3]"), HERE)
    assert card.sees.image.scale == (1 / 127.5, 0.5 / 1.5, 2 / 3)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (("gain: 6}", "gian: 6}"), "my_net.yaml:5: says.v.gian: no such field"),
        (("[100, 50]", "[100, 50.5]"), "my_net.yaml:3: sees.image.size.1: "),
        (("size: [100, 50], ", ""), "my_net.yaml:3: sees.image.size: Field required"),
        (("0.5, 1, 1", "1.5, 1, 1"), "my_net.yaml:3: sees.image: crop must be left, top, "),
        (("1/255", "1/0"), "my_net.yaml:3: sees.image.scale"),
        (("network: net.onnx", "network: net.onnx\nkeeps: maybe"), "my_net.yaml:2: keeps: "),
        (("index: 1, gain: 6", "index: 1, gain: 0"), "my_net.yaml:6: says.w: a gain of 0 forgets"),
        (("offset: -3", "bins: [-1, 1]"), "my_net.yaml:6: says.w: give an index or bins, not both"),
        (("network: net.onnx", "network: a\nnetwork: b"), "my_net.yaml:2: network: stands here tw"),
        (("index: 0, gain: 6", "constant: 6, gain: 6"), "says.v: a constant takes no gain"),
        (("says:", "says: ["), "my_net.yaml is no YAML: "),
    ],
)
def test_a_wrong_card_is_told_in_one_line_with_its_place(
    changed: tuple[str, str], line: str
) -> None:
    with pytest.raises(DataError) as caught:
        card_of(CARD.replace(*changed), HERE)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_filled_in_is_named_by_line_but_not_in_comments() -> None:
    text = CARD.replace("1/255", "???").replace("gain: 6}", "gain: ???}   # not ??? 6")
    with pytest.raises(DataError, match=r"fill in what is marked \?\?\? \(lines 3, 5\)$"):
        card_of(text, HERE)
    assert card_of(CARD + "# ??? was here\n", HERE) == card_of(CARD, HERE)


def test_several_frames_need_a_place_and_have_a_past() -> None:
    with pytest.raises(DataError, match="several frames need an axis"):
        card_of(CARD.replace("says:", "  frames: [-1, 0]\nsays:"), HERE)
    card = card_of(CARD.replace("says:", "  frames: [-1, 0]\n  axis: time\nsays:"), HERE)
    assert card.stateful


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x: 1\n" * 300_000, b"[1, 2]", b""])
def test_what_is_no_card_at_all(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "my_net.yaml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"my_net\.yaml"):
        read_card(path)
    with pytest.raises(DataError, match="can't be read"):
        read_card(tmp_path / "none.yaml")


def test_the_shipped_schema_is_that_of_the_code() -> None:
    shipped = project_root() / "brains" / "card.schema.json"
    assert json.loads(shipped.read_text()) == json.loads(json_schema()), (
        "python -m brains.card > brains/card.schema.json"
    )


def test_a_card_survives_its_json() -> None:
    card = card_of(CARD + "keeps: {h_out: h_in}\n", HERE)
    assert NetworkCard.model_validate_json(card.model_dump_json(by_alias=True)) == card
    assert card.stateful
