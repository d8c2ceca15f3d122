"""What conditions make of frames: as large as asked, and the same again from the seed."""

import numpy as np
import pytest

from harness.conditions.arrivals import FrameLoss, Freezes
from harness.conditions.asked import Conditions
from harness.conditions.draws import generator
from harness.conditions.pictures import Dirt, Frame, blurred, exposed, repacked
from harness.conditions.sight import Sight
from harness.conditions.table import TABLE, Condition

PERIOD_NS = 50_000_000


def scene(height: int = 120, width: int = 160) -> Frame:
    """A sky, a road, and a line in it."""
    frame = np.full((height, width, 3), (117, 173, 237), np.uint8)
    frame[height // 2 :] = (59, 59, 61)
    frame[height // 2 :, width // 2 - 4 : width // 2 + 4] = (217, 15, 15)
    frame.flags.writeable = False
    return frame


def sight(text: str, seed: int = 3) -> Sight:
    return Sight(Conditions.parse(text), seed, PERIOD_NS)


def test_where_nothing_is_asked_the_frame_is_the_very_one() -> None:
    frame = scene()
    for text in ("", "gusts=1,camera_pitch_deg=3", "camera_noise=0,frame_drop=0,camera_blur=0"):
        clear = sight(text)
        assert clear.of(frame, PERIOD_NS) is frame
        assert not any(clear.loses(i * PERIOD_NS) for i in range(1000))


@pytest.mark.parametrize("row", [row for row in TABLE if row.of_pixels], ids=lambda row: row.name)
def test_every_condition_is_the_same_again_and_goes_with_its_level(row: Condition) -> None:
    frame, stamps = scene(), [i * PERIOD_NS for i in range(1, 120)]
    name, levels = row.name, row.levels
    moving = [np.roll(frame, i % 50, axis=1) for i in range(len(stamps))]

    def seen(level: float, seed: int) -> list[Frame]:
        one = sight(f"{name}={level}", seed)
        return [one.of(image, stamp) for image, stamp in zip(moving, stamps, strict=True)]

    first = seen(levels[-1], 3)
    assert all(np.array_equal(a, b) for a, b in zip(first, seen(levels[-1], 3), strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, moving, strict=True))
    changed = [
        sum(
            float(np.abs(a.astype(int) - b).mean())
            for a, b in zip(seen(level, 3), moving, strict=True)
        )
        for level in levels
        if level > 0.0
    ]
    assert changed == sorted(changed)
    drawn = name in ("camera_noise", "camera_dirt", "camera_freeze")
    other = seen(levels[-1], 4)
    assert drawn == any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert all(image.dtype == np.uint8 and image.shape == frame.shape for image in first)


def test_a_frame_looks_the_same_whatever_was_looked_at_before() -> None:
    """A replay shows frames that the brain missed, too."""
    text, frame = "camera_noise=16,camera_dirt=0.2,frame_drop=0.4,camera_jpeg=30", scene()
    every, few = sight(text), sight(text)
    all_of_them = {
        i: (every.of(frame, i * PERIOD_NS), every.loses(i * PERIOD_NS)) for i in range(60)
    }
    for i in (3, 17, 44):
        pixels, lost = all_of_them[i]
        assert np.array_equal(few.of(frame, i * PERIOD_NS), pixels)
        assert few.loses(i * PERIOD_NS) == lost


def test_noise_has_the_deviation_that_is_asked_and_no_pattern() -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    noisy = sight("camera_noise=16")
    one, two = (noisy.of(grey, stamp).astype(float) - 128.0 for stamp in (PERIOD_NS, 2 * PERIOD_NS))
    assert one.std() == pytest.approx(16.0, rel=0.02)
    assert one.mean() == pytest.approx(0.0, abs=0.2)
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.02


def test_exposure_is_in_linear_light() -> None:
    """188 is half the light of 255, by the curve of sRGB (IEC 61966-2-1)."""
    grey = np.full((2, 2, 3), 188, np.uint8)
    assert exposed(grey, 1.0)[0, 0, 0] == pytest.approx(255, abs=1)
    assert exposed(np.full((2, 2, 3), 255, np.uint8), -1.0)[0, 0, 0] == pytest.approx(188, abs=1)
    assert exposed(grey, 0.0)[0, 0, 0] == 188


def test_blur_has_the_width_that_is_asked() -> None:
    point = np.zeros((101, 101, 3), np.uint8)
    point[50, 50] = 255
    spread = blurred(point, 2.0)[50, :, 0].astype(float)
    places = np.arange(101) - 50.0
    assert np.sqrt((spread * places**2).sum() / spread.sum()) == pytest.approx(2.0, abs=0.25)


def test_jpeg_keeps_red_red() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    assert repacked(red, 90)[16, 16] == pytest.approx([254, 0, 0], abs=3)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_dirt_covers_its_share_and_more_of_it_covers_the_less(share: float) -> None:
    less, more = (Dirt.drawn(generator(1, "d"), 240, 320, s).keep < 0.5 for s in (share, 0.5))
    assert less[..., 0].mean() == pytest.approx(share, rel=0.1)
    assert (more | ~less).mean() > 0.995


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8, 0.85])
def test_frames_are_lost_by_their_share_in_bursts(share: float) -> None:
    loss = FrameLoss(1, share)
    lost = np.array([loss.loses(i) for i in range(100_000)])
    assert lost.mean() == pytest.approx(share, abs=0.02)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost, [0]])))
    bursts = np.diff(edges.reshape(-1, 2), axis=1)
    assert bursts.max() <= 40
    assert bursts.mean() >= 4.5
    again = FrameLoss(1, share)
    assert again.loses(99_999) == lost[99_999]
    assert [again.loses(i) for i in range(200)] == lost[:200].tolist()


def test_freezes_have_their_length_once_in_five_seconds() -> None:
    freezes = Freezes(2, 1.0)
    held = np.array([freezes.holds(i * 10_000_000) for i in range(50_000)])
    assert held.mean() == pytest.approx(0.2, abs=1e-3)
    per_window = held.reshape(-1, 500).sum(axis=1)
    assert set(per_window.tolist()) == {100}


def test_a_frozen_picture_is_the_last_that_the_brain_took() -> None:
    frozen = sight("camera_freeze=2,camera_noise=8")
    holds = Freezes(3, 2.0).holds
    last: Frame | None = None
    stood = 0
    for i in range(1, 400):
        stamp_ns = i * PERIOD_NS
        taken = i % 3 == 0
        memory = np.full((20, 20, 3), i % 200, np.uint8)
        seen = frozen.of(memory, stamp_ns, taken=taken)
        if holds(stamp_ns) and last is not None:
            assert np.array_equal(seen, last)
            stood += 1
        elif taken:
            last = seen.copy()
        memory[:] = 0  # the camera goes on
    assert stood > 100
