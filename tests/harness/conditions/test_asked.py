"""Conditions as they are asked for: checked in one line, told in one way."""

import pytest

from harness.conditions.asked import Conditions
from harness.conditions.table import BY_NAME, TABLE


def test_nothing_asked_is_nothing() -> None:
    none = Conditions.parse("")
    assert str(none) == ""
    assert all(none.level(name) is None for name in BY_NAME)
    assert none.value("speed_gain") == 1.0
    assert none.value("camera_pitch_deg") == 0.0
    with pytest.raises(ValueError, match="no neutral level"):
        none.value("camera_jpeg")


def test_a_list_has_one_spelling() -> None:
    asked = Conditions.parse(" gusts=0.50 , camera_noise=8.0,camera_jpeg=20")
    assert str(asked) == "camera_noise=8,camera_jpeg=20,gusts=0.5"
    assert Conditions.parse(str(asked)) == asked
    assert asked.level("gusts") == 0.5
    assert asked.of_pixels == ("camera_noise", "camera_jpeg")
    assert str(Conditions.parse("light=0.30000000000000004")) == "light=0.30000000000000004"
    assert str(Conditions.parse("camera_exposure=-1.5")) == "camera_exposure=-1.5"


def test_a_neutral_level_is_told_and_changes_nothing() -> None:
    asked = Conditions.parse("camera_noise=0,steering_gain=1,light=1")
    assert str(asked) == "camera_noise=0,light=1,steering_gain=1"
    assert all(asked.level(name) is None for name in BY_NAME)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("camera_noise=-1", "camera_noise=-1: it takes 0 to 128 (8-bit levels)"),
        ("camera_noise=129", "it takes 0 to 128"),
        ("speed_gain=0", "speed_gain=0: it takes 0.1 to 3 (factor)"),
        ("camera_jpeg=20.5", "it takes whole numbers from 1 to 100"),
        ("fog=1", "unknown condition 'fog'; known: camera_noise, camera_blur"),
        ("gusts=1,gusts=1", "gusts is given twice"),
        ("gusts=1,light=0.5,gusts=2", "gusts is given twice"),
        ("gusts", "'gusts' is no condition: write name=level,name=level"),
        ("gusts=", "no condition"),
        ("=1", "no condition"),
        ("gusts=1,", "'' is no condition"),
        (",", "'' is no condition"),
        ("gusts=strong", "gusts=strong: no number of rad/s"),
        ("gusts=nan", "gusts=nan: no number"),
        ("gusts=inf", "gusts=inf: no number"),
        ("gusts=1=2", "gusts=1=2: no number"),
    ],
)
def test_what_makes_no_sense_is_one_line(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        Conditions.parse(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_table_can_be_asked_for_at_every_level_that_it_shows() -> None:
    assert len(BY_NAME) == len(TABLE) == 19
    for row in TABLE:
        assert row.low < row.high
        assert row.neutral is None or row.low <= row.neutral <= row.high
        for level in (*row.levels, row.low, row.high):
            asked = Conditions.parse(f"{row.name}={level}")
            assert asked.levels[row.name] == level
        assert row.neutral not in row.levels
