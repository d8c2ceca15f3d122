"""The card that is written of what a file tells: read back, it says what the file could not."""

import re
from pathlib import Path

import pytest

from brains.card import card_of
from brains.new_card import blank_lines, card_path, new_card, picture_of
from brains.ports import Port, Ports
from brains.source import SourceKind
from harness.errors import DataError

FLOAT = "float32"
FILLED = {
    r"crop: \?\?\?": "crop: [0, 0.5, 1, 1]",
    r"size: \?\?\?": "size: [20, 10]",
    r"colour: \?\?\?": "colour: rgb",
    r"scale: \?\?\?": "scale: 1/255",
    r"index: \?\?\?": "index: 0",
    r"from: \?\?\?": "from: measured_speed",
    r"class: \?\?\?": "class: my_net:MyNet",
    r"output: \?\?\?": "output: a",
    r"frames: \?\?\?": "frames: [-1, 0]",
    r"\?\?\?": "1",
}


def image(*shape: int | None, name: str = "img", kind: str = FLOAT) -> Port:
    return Port(name, shape, kind)


def written(ports: Ports, kind: SourceKind = SourceKind.ONNX) -> str:
    return new_card("net.onnx", kind, ports, builder=None, drop_lambda=False)


def filled(text: str) -> str:
    for blank, value in FILLED.items():
        text = re.sub(blank, value, text)
    return text


TWO = (Port("out", (1, 2), FLOAT),)


@pytest.mark.parametrize(
    ("shape", "layout", "size"),
    [
        ((1, 66, 200, 3), "nhwc", (200, 66)),
        ((None, 3, 64, 80), "nchw", (80, 64)),
        ((1, 1, 48, 64), "nchw", (64, 48)),
        ((1, 48, 64, 6), "nhwc", (64, 48)),
        ((1, 4, 48, 64, 3), "nhwc", (64, 48)),
    ],
)
def test_layout_and_size_by_the_shape(
    shape: tuple[int | None, ...], layout: str, size: tuple[int, int]
) -> None:
    text = written(Ports((image(*shape),), TWO))
    card = card_of(filled(text), Path("net.yaml"))
    assert (card.sees.image.layout, card.sees.image.size) == (layout, size)
    with pytest.raises(DataError) as caught:
        card_of(text, Path("net.yaml"))
    assert f"lines {', '.join(map(str, blank_lines(text)))})" in str(caught.value)


def test_what_is_known_is_not_asked() -> None:
    grey = written(Ports((image(1, 48, 64, 1, kind="uint8"),), TWO))
    assert "colour: grey" in grey
    assert "scale: 1 " in grey
    stacked = written(Ports((image(1, 48, 64, 9),), TWO))
    assert "frames: ???   # ages in its order: [-2, -1, 0] is oldest first" in stacked
    assert "axis: channels" in stacked


def test_steering_alone_drives_at_one_speed() -> None:
    text = written(Ports((image(1, 64, 64, 3),), (Port("steering", (), FLOAT),)))
    assert "v: {constant: ???}" in text
    card = card_of(filled(text), Path("net.yaml"))
    assert card.says.v.constant == 1.0


def test_numbers_besides_the_picture_and_states_that_are_fed_back() -> None:
    inputs = (image(1, 48, 64, 3), Port("told", (1, 3), FLOAT), Port("h_in", (1, 32), FLOAT))
    outputs = (Port("a", (1, 1), FLOAT), Port("b", (1, 1), FLOAT), Port("h_out", (1, 32), FLOAT))
    card = card_of(filled(written(Ports(inputs, outputs))), Path("net.yaml"))
    numbers = card.sees.numbers["told"]
    assert isinstance(numbers, tuple)
    assert len(numbers) == 3
    assert card.sees.image.input == "img"
    assert card.keeps == {"h_out": "h_in"}


def test_torch_tells_no_shapes() -> None:
    ports = Ports((Port("x", None, FLOAT),), ())
    text = new_card("n.pt", SourceKind.TORCH_WEIGHTS, ports, builder=None, drop_lambda=True)
    card = card_of(filled(text), Path("n.yaml"))
    assert (card.class_, card.lambda_, card.sees.image.layout) == ("my_net:MyNet", "drop", "nchw")


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ([Port("observation", (1, 23), FLOAT)], "net.onnx takes 23 numbers (observation), no pic"),
        ([image(1, 9, 9, 3), image(1, 9, 9, 3, name="b")], "takes 2 pictures (img, b)"),
        ([image(1, 48, 5, 64)], "neither its first nor its last size is that of colours"),
        ([image(1, 2, 2, 48, 64, 3)], "a picture has height, width, channels, and frames at most"),
    ],
)
def test_what_no_card_can_say(inputs: list[Port], line: str) -> None:
    with pytest.raises(DataError) as caught:
        picture_of("net.onnx", Ports(tuple(inputs), TWO))
    assert line in str(caught.value)
    assert "docs/guides/own_brain.md" in str(caught.value)


def test_a_card_lies_beside_its_network(tmp_path: Path) -> None:
    (tmp_path / "net.v2").mkdir()
    (tmp_path / "net.onnx").touch()
    assert card_path(tmp_path / "net.onnx") == tmp_path / "net.yaml"
    assert card_path(tmp_path / "net.v2") == tmp_path / "net.v2.yaml"
