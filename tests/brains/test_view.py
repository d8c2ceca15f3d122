"""What networks see: pictures, stacked frames, numbers."""

import math
from typing import Any

import cv2
import numpy as np
import pytest

from brains.interface import CarState, Command
from brains.view import Sees, View, layout_of, to_layout


def view(image: dict[str, Any] | None = None, **sees: Any) -> View:
    return View(Sees.model_validate({"image": {"size": [20, 10], **(image or {})}, **sees}))


def frame_of(grey: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.full((48, 64, 3), grey, np.uint8)


def noise(shape: tuple[int, int, int] = (48, 64, 3)) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def at(stamp_s: float, speed_m_s: float = 0.0) -> CarState:
    return CarState(speed_m_s, Command(2.0, -0.5), stamp_s)


def test_crops_by_shares_of_the_frame() -> None:
    frame = noise((100, 200, 3))
    whole = View(
        Sees.model_validate({"image": {"size": [50, 29], "crop": [0.25, 0.29, 0.5, 0.58]}})
    )
    # 0.29 of 100 rows is row 29, whatever the product of floats says.
    np.testing.assert_array_equal(whole.picture(frame), frame[29:58, 50:100])


@pytest.mark.parametrize("name", ["nearest", "linear", "area", "cubic"])
def test_resizes_as_opencv_does(name: str) -> None:
    wanted = cv2.resize(noise(), (20, 10), interpolation=getattr(cv2, f"INTER_{name.upper()}"))
    np.testing.assert_array_equal(view({"resize": name}).picture(noise()), wanted)


def test_colours() -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    assert view({"colour": "bgr"}).picture(red)[0, 0].tolist() == [0, 0, 200]
    assert view({"colour": "grey"}).picture(red).shape == (10, 20, 1)
    assert view({"colour": "grey"}).picture(red)[0, 0, 0] == 60
    assert view({"colour": "hsv"}).picture(red)[0, 0].tolist() == [0, 255, 200]


def test_scales_by_two_numbers_or_by_mean_and_deviation() -> None:
    pictures = np.array([[[[0, 128, 255]]]], np.uint8).repeat(20, 2).repeat(10, 1)
    signed = view({"scale": "1/127.5", "offset": -1}).scaled(pictures)
    np.testing.assert_allclose(signed[0, 0, 0], [-1, 128 / 127.5 - 1, 1], atol=1e-6)
    mean, deviation = [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]
    normal = view({"mean": mean, "deviation": deviation}).scaled(pictures)[0, 0, 0]
    wanted = (np.array([0, 128, 255]) / 255 - mean) / deviation
    np.testing.assert_allclose(normal, wanted, atol=1e-6)
    assert normal.dtype == np.float32
    np.testing.assert_array_equal(view().scaled(pictures), pictures)


def test_stacked_frames_repeat_the_first_and_remember_until_reset() -> None:
    eyes = view(frames=[0, -1, -2], axis="time")
    assert eyes.shapes() == {"image": (1, 3, 10, 20, 3)}
    seen = [eyes.inputs(frame_of(grey))["image"][0, :, 0, 0, 0].tolist() for grey in (1, 2, 3, 4)]
    assert seen == [[1, 1, 1], [2, 1, 1], [3, 2, 1], [4, 3, 2]]
    eyes.reset()
    assert eyes.inputs(frame_of(9))["image"][0, :, 0, 0, 0].tolist() == [9, 9, 9]


def test_a_missed_frame_is_the_one_before_once_more() -> None:
    eyes = view(frames=[-2, -1, 0], axis="channels")
    assert eyes.shapes() == {"image": (1, 10, 20, 9)}

    def seen(grey: int, stamp_s: float) -> list[float]:
        image: list[float] = eyes.inputs(frame_of(grey), at(stamp_s))["image"][0, 0, 0].tolist()
        return image[::3]

    assert seen(1, 0.05) == [1, 1, 1]
    assert seen(2, 0.10) == [1, 1, 2]
    assert seen(3, 0.20) == [2, 2, 3]
    assert seen(4, 9.0) == [3, 3, 4]


def test_an_axis_of_one_frame() -> None:
    assert view(axis="time").inputs(frame_of(5))["image"].shape == (1, 1, 10, 20, 3)


def test_numbers_of_the_cars_state() -> None:
    numbers = {
        "speed": {"from": "measured_speed", "scale": 0.1},
        "told": [{"from": "previous_v"}, {"from": "previous_w", "offset": 1}, {"constant": 7}],
    }
    eyes = view({"input": "camera"}, numbers=numbers)
    assert eyes.sees.needs_speed()
    assert eyes.sees.needs_past()
    inputs = eyes.inputs(frame_of(0), at(1.0, speed_m_s=5.0))
    assert inputs.keys() == {"camera", "speed", "told"}
    assert inputs["speed"].tolist() == [[0.5]]
    np.testing.assert_allclose(inputs["told"], [[2.0, 0.5, 7.0]])
    assert eyes.inputs(frame_of(0))["told"].tolist() == [[0.0, 1.0, 7.0]]
    assert math.isnan(eyes.inputs(frame_of(0), at(1.0, math.nan))["speed"][0, 0])


def test_layouts_by_the_shape() -> None:
    seen = (1, 10, 20, 3)
    assert layout_of((None, 10, 20, 3), seen) == "nhwc"
    assert layout_of((1, 3, 10, None), seen) == "nchw"
    assert layout_of((1, 3, 20, 10), seen) is None
    assert layout_of((1, 5, 3, 10, 20), (1, 5, 10, 20, 3)) == "nchw"
    image = np.arange(600, dtype=np.float32).reshape(seen)
    assert to_layout(image, "nchw").shape == (1, 3, 10, 20)
    assert to_layout(image, "nchw")[0, 2, 4, 5] == image[0, 4, 5, 2]
