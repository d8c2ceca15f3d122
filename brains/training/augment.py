"""Variety for training: mirrored roads, other light and colours, blur."""

import cv2
import numpy as np
from numpy.typing import NDArray

from brains.expert import V_LIMITS_M_S, ExpertParams
from brains.view import View

CAMERA_LEFT_M = 0.04

Labels = NDArray[np.float32]

_BRIGHTNESS = 20.0
"""Greatest change of all pixels, of 255."""
_RED_GREEN_BLUE = (124.0, 116.0, 104.0)
"""Means of ImageNet's pixels: contrast changes round them."""
_LIGHT: dict[str, tuple[tuple[float, ...], tuple[bool, ...]]] = {
    "rgb": (_RED_GREEN_BLUE, (True, True, True)),
    "bgr": (_RED_GREEN_BLUE[::-1], (True, True, True)),
    "grey": ((117.0,), (True,)),
    "yuv": ((117.0, 128.0, 128.0), (True, False, False)),
    "hsv": ((0.0, 0.0, 117.0), (False, False, True)),
}
"""Of each order of colours: means of the channels, and which of them hold light."""


def mirrored_labels(labels: Labels, bandwidth_rad_s: float) -> Labels:
    """Labels of mirrored images, (n, 2) of v m/s and w rad/s.

    The camera sits left of the car's middle, so a mirrored image is not what the car would see
    in the mirrored place, but what it would see twice that offset further to the right. There the
    expert steers left by its lateral gain, bandwidth^2 / v, times that distance.
    """
    v, w = labels.T
    further_m = 2 * CAMERA_LEFT_M
    correction = bandwidth_rad_s**2 / np.maximum(v, V_LIMITS_M_S[0]) * further_m
    return np.column_stack([v, -w + correction]).astype(np.float32)


def augmented(
    pictures: NDArray[np.uint8], labels: Labels, view: View, random: np.random.Generator
) -> tuple[NDArray[np.float32], Labels]:
    """A random variation of each frame's pictures, as the network takes them, with its label.

    Half are mirrored if the view sees as much of the right as of the left, a fifth blurred; every
    one gets its own brightness, contrast and colour cast. What a network sees at once, it sees in
    the same light.

    Args:
        pictures: uint8, (n, t, h, w, channels): of each frame the t that are seen at once.
        labels: float32, (n, 2), v m/s and w rad/s.
        view: What the network sees.
        random: Source of the variation.

    Returns:
        float32 of the pictures' shape, and labels as given.
    """
    pictures, labels = pictures.copy(), labels.copy()
    count = len(pictures)
    left, _, right, _ = view.geometry.crop
    if abs(left + right - 1) < 1e-6:
        mirrored = random.random(count) < 0.5
        pictures[mirrored] = pictures[mirrored][..., ::-1, :]
        labels[mirrored] = mirrored_labels(labels[mirrored], ExpertParams().bandwidth_rad_s)
    for index in np.flatnonzero(random.random(count) < 0.2):
        sigma = random.uniform(0.3, 0.9)
        for picture in pictures[index]:
            picture[:] = cv2.GaussianBlur(picture, (3, 3), sigma).reshape(picture.shape)
    means, light = (np.array(values) for values in _LIGHT[view.geometry.colour])
    contrast = random.uniform(0.75, 1.25, (count, 1))
    cast = random.uniform(0.93, 1.07, (count, len(light)))
    brightness = random.uniform(-_BRIGHTNESS, _BRIGHTNESS, (count, 1))
    gain = np.where(light, contrast * cast, 1.0)
    offset = means * (1 - gain) + np.where(light, brightness, 0.0)
    pixels = pictures * _of_frames(gain)
    pixels += _of_frames(offset)
    return view.scaled(pixels), labels


def _of_frames(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Values (n, channels) so that they meet pictures (n, t, h, w, channels)."""
    return values.astype(np.float32)[:, np.newaxis, np.newaxis, np.newaxis]
