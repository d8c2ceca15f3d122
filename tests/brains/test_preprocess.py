import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brains.preprocess import crop, normalise, preprocess, to_command, to_output

Image = np.ndarray


def random_frame(height: int, width: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def slow_resize(image: Image, height: int, width: int) -> Image:
    """Bilinear, pixel centres at half integers, written as the definition says."""
    rows_in, columns_in, _ = image.shape
    out = np.zeros((height, width, 3))
    for i in range(height):
        y = (i + 0.5) * rows_in / height - 0.5
        top = int(np.floor(y))
        for j in range(width):
            x = (j + 0.5) * columns_in / width - 0.5
            left = int(np.floor(x))
            for row, row_part in ((top, 1 - (y - top)), (top + 1, y - top)):
                for column, column_part in ((left, 1 - (x - left)), (left + 1, x - left)):
                    r = min(max(row, 0), rows_in - 1)
                    c = min(max(column, 0), columns_in - 1)
                    out[i, j] += row_part * column_part * image[r, c]
    return out


@pytest.mark.parametrize(("height", "width"), [(480, 640), (240, 320), (101, 333)])
def test_equals_the_slow_reference(height: int, width: int) -> None:
    frame = random_frame(height, width)
    reference = slow_resize(frame[height // 2 :], 66, 200)
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    wanted = (reference / 255 - mean) / deviation
    image = preprocess(frame)
    assert image.shape == (1, 66, 200, 3)
    assert image.dtype == np.float32
    # OpenCV rounds the resized pixels to whole grey levels: one level is 0.0176 at most.
    assert np.abs(image[0] - wanted).max() < 0.0176


def test_the_upper_half_is_not_seen_and_the_frame_not_changed() -> None:
    frame = random_frame(480, 640)
    kept = frame.copy()
    other = frame.copy()
    other[:240] = 0
    np.testing.assert_array_equal(preprocess(frame), preprocess(other))
    np.testing.assert_array_equal(frame, kept)


def test_normalises_each_image_of_a_batch_alone() -> None:
    crops = np.stack([crop(random_frame(480, 640, seed)) for seed in range(3)])
    images = normalise(crops)
    for one, image in zip(crops, images, strict=True):
        np.testing.assert_array_equal(normalise(one), image)


def test_published_ends_of_the_scale() -> None:
    low, high = to_command(np.array([[0, 0]], np.float32)), to_command(np.array([1, 1], np.float32))
    assert (low.v_m_s, low.w_rad_s) == (6.5, -7.1)
    assert (high.v_m_s, high.w_rad_s) == pytest.approx((24.0, 7.1))


@given(st.floats(6.5, 24), st.floats(-7.1, 7.1))
def test_scaling_round_trip(v_m_s: float, w_rad_s: float) -> None:
    command = to_command(to_output(np.array([v_m_s, w_rad_s])))
    assert command.v_m_s == pytest.approx(v_m_s, abs=1e-5)
    assert command.w_rad_s == pytest.approx(w_rad_s, abs=1e-5)
