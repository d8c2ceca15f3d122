"""What every network's brain does: inputs to their places, outputs fed back, sequences."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brains.check import check_brain, road_frame
from brains.interface import Brain, CarState, Command
from brains.model import ModelSpec
from brains.network import EngineProof, NetworkBrain, placed
from brains.says import Says
from harness.errors import DataError

CARD = """\
network: net.bin
sees:
  image: {input: img, size: [4, 2], scale: 1/255}
  numbers: {speed: {from: measured_speed}}
says:
  v: {output: v}
  w: {output: w}
keeps: {h_out: h_in}
"""
SHAPES: dict[str, tuple[int | None, ...] | None] = {
    "h_in": (1, 2),
    "img": (None, 3, 2, 4),
    "speed": (1,),
}


class Counting(NetworkBrain):
    """Answers the speed, and how many frames it has seen."""

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        super().__init__(model, artifact)
        self.takes(SHAPES)

    def predict(self, data: Any) -> Any:
        self.given = data
        count = data["h_in"] + 1
        return {"w": count[:, :1], "h_out": count, "v": data["speed"].reshape(1, 1)}

    def decode(self, output: Any) -> Mapping[str, np.ndarray[Any, np.dtype[np.float32]]]:
        return dict(output)

    def engine(self) -> EngineProof:
        return EngineProof(engine="x", engine_version="1", device="cpu", operators={}, parameters=1)


@pytest.fixture
def brain(tmp_path: Path) -> Counting:
    (tmp_path / "net.yaml").write_text(CARD)
    (tmp_path / "net.bin").touch()
    spec = ModelSpec(
        name="net", title="net", family="net", backend="x", card=str(tmp_path / "net.yaml"),
        folder=str(tmp_path), weights="net.bin", artifact="net.bin", reference=None,
    )  # fmt: skip
    return Counting(spec, tmp_path / "net.bin")


def test_a_state_is_fed_back_until_reset(brain: Counting) -> None:
    assert brain.stateful
    assert brain.needs_speed
    frame = road_frame((48, 64, 3))
    brain.warm_up(frame)
    state = CarState(3.5, Command(0.0, 0.0), 0.0)
    assert [brain.infer(frame, state) for _ in range(3)] == [Command(3.5, n) for n in (1, 2, 3)]
    brain.reset()
    assert brain.infer(frame) == Command(0.0, 1.0)


def test_inputs_stand_where_the_engine_has_them(brain: Counting) -> None:
    brain.infer(road_frame((48, 64, 3)), CarState(2.0, Command(0.0, 0.0), 0.0))
    assert {name: values.shape for name, values in brain.given.items()} == {
        "img": (1, 3, 2, 4),
        "speed": (1,),
        "h_in": (1, 2),
    }
    assert brain.given["img"].flags.c_contiguous
    assert brain.engine_shapes() == {"img": (1, 3, 2, 4), "speed": (1,), "h_in": (1, 2)}


def test_answers_are_of_one_sequence_from_its_beginning(brain: Counting) -> None:
    inputs = [brain.view.inputs(road_frame((48, 64, 3))) for _ in range(3)]
    for _ in range(2):
        assert brain.answers(inputs).tolist() == [[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]]
    assert brain.answers([]).shape == (0, 2)


def test_proof_tells_file_and_card_of_a_users_network(brain: Counting) -> None:
    proof = brain.proof()
    assert (proof["network"], proof["card"]) == ("net.bin", "net.yaml")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert proof["network_sha256"] == proof["artifact_sha256"] == empty
    assert proof["reference_difference"] is None


@pytest.mark.parametrize(
    ("seen", "wanted", "line"),
    [
        ({"image": (1, 2, 4, 3)}, {"x": (1, 3, 2, 5)}, "takes x of shape 1x3x2x5"),
        ({"image": (1, 2, 4, 3)}, {"x": (1, 2, 4, 3), "y": (1,)}, "takes x, y, the card gives im"),
        ({"n": (1, 2)}, {"n": (1, 3)}, "takes n of shape"),
    ],
)
def test_a_card_that_does_not_fit_its_network(
    seen: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int | None, ...] | None], line: str
) -> None:
    with pytest.raises(DataError, match=line):
        placed(seen, wanted, "nhwc")


def test_a_single_input_is_meant_whatever_it_is_called_and_untold_shapes_take_the_card() -> None:
    (place,) = placed({"image": (1, 2, 4, 3)}, {"serving:0": None}, "nchw", copied=False)
    assert (place.name, place.layout) == ("serving:0", "nchw")
    assert place.put(np.zeros((1, 2, 4, 3), np.float32)).shape == (1, 3, 2, 4)


class Remembering(Brain):
    """Old style: knows nothing of states, has no past."""

    stateful = True

    def __init__(self) -> None:
        self.frames = 0

    def predict(self, data: object) -> Command:
        self.frames += 1
        return Command(1.0, 0.01 * self.frames)


class Forgetting(Remembering):
    def reset(self) -> None:
        self.frames = 0


@pytest.mark.parametrize(("kind", "kept"), [(Forgetting, True), (Remembering, False)])
def test_check_brain_asks_equal_answers_to_equal_sequences(
    kind: type[Remembering], kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brains.check.load_brain", lambda name: kind())
    checks = {check.name: check for check in check_brain("x")}
    assert checks["same sequence, same commands"].passed is kept
    assert "same frame, same command" not in checks


def test_a_network_that_answers_what_no_card_names(brain: Counting) -> None:
    brain.says = Says.model_validate({"v": {"output": "speed"}, "w": {"output": "w"}})
    with pytest.raises(DataError, match="no output 'speed': name one of w, h_out, v"):
        brain.infer(road_frame((48, 64, 3)))
