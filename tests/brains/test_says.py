"""What networks say: outputs by name, as speed and yaw rate."""

from typing import Any

import numpy as np
import pytest

from brains.interface import Command
from brains.says import Says
from harness.errors import DataError, UsageError


def says(v: dict[str, Any], w: dict[str, Any]) -> Says:
    return Says.model_validate({"v": v, "w": w})


def test_the_lstm_of_the_study() -> None:
    lstm = says({"index": 0, "gain": 6}, {"index": 1, "gain": 6, "offset": -3})
    outputs = {"output": np.array([[0.5, 0.75]], np.float32)}
    assert lstm.command(outputs) == Command(3.0, 1.5)
    np.testing.assert_array_equal(lstm.commands(lstm.picked(outputs)), [[3.0, 1.5]])


def test_outputs_are_bound_by_name_whatever_their_order() -> None:
    two = says({"output": "speed"}, {"output": "steering", "gain": -2, "limits": [-1, 1]})
    outputs = {"steering": np.array([[0.25], [3.0]]), "speed": np.array([[7.0], [8.0]])}
    picked = two.picked(outputs)
    np.testing.assert_array_equal(picked, [[7.0, 0.25], [8.0, 3.0]])
    np.testing.assert_array_equal(two.commands(picked), [[7.0, -0.5], [8.0, -1.0]])
    with pytest.raises(DataError, match=r"no output 'speed': name one of steering, gas"):
        two.picked({"steering": np.zeros((1, 1)), "gas": np.zeros((1, 1))})


def test_the_only_output_is_meant_whatever_a_converter_called_it() -> None:
    one = says({"constant": 6.5}, {"output": "steering", "gain": 3})
    assert one.command({"Identity:0": np.array([0.5], np.float32)}) == Command(6.5, 1.5)
    assert np.isnan(one.picked({"x": np.zeros((4, 1))})[:, 0]).all()
    assert one.commands(one.picked({"x": np.zeros((4, 1))})).tolist() == [[6.5, 0.0]] * 4


def test_bins_are_the_expected_value() -> None:
    chosen = says({"output": "gas"}, {"output": "angle", "bins": [-1, 1], "gain": -3})
    angle = np.zeros((1, 15), np.float32)
    angle[0, 14] = 0.75
    angle[0, 7] = 0.25
    outputs = {"angle": angle, "gas": np.array([[2.0]])}
    assert chosen.command(outputs) == Command(2.0, -2.25)
    with pytest.raises(UsageError, match="bins"):
        chosen.to_picked(np.zeros((1, 2)))


def test_an_index_beyond_the_output_and_several_unnamed_outputs() -> None:
    second = says({"index": 0}, {"index": 1})
    for asked in (second.picked, second.command):
        with pytest.raises(DataError, match="holds 1 values: the card's index 1"):
            asked({"out": np.zeros((1, 1), np.float32)})
        with pytest.raises(DataError, match="several outputs: name one of a, b"):
            asked({"a": np.zeros((1, 2)), "b": np.zeros((1, 2))})


def test_one_frame_and_many_say_the_same() -> None:
    both = says(
        {"index": 1, "gain": 17.5, "offset": 6.5, "limits": [7, 20]},
        {"index": 0, "gain": 14.2, "offset": -7.1},
    )
    values = np.random.default_rng(3).normal(size=(50, 2)).astype(np.float32)
    many = both.commands(both.picked({"out": values}))
    for row, (v_m_s, w_rad_s) in enumerate(many):
        assert both.command({"out": values[row : row + 1]}) == Command(v_m_s, w_rad_s)


def test_labels_back_to_outputs() -> None:
    both = says({"index": 0, "gain": 17.5, "offset": 6.5}, {"constant": 0})
    picked = both.to_picked(np.array([[24.0, 1.0], [6.5, 2.0]]))
    assert picked[:, 0].tolist() == [1.0, 0.0]
    assert np.isnan(picked[:, 1]).all()
    assert both.step(0.5) == (8.75, None)
