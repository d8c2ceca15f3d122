"""Variety for training: mirrored roads, other light and colours, blur."""

import cv2
import numpy as np
from numpy.typing import NDArray

from brains.expert import ExpertParams
from brains.preprocess import V_MIN_M_S, normalise

CAMERA_LEFT_M = 0.04

Images = NDArray[np.float32]
Labels = NDArray[np.float32]


def mirrored_labels(labels: Labels, bandwidth_rad_s: float) -> Labels:
    """Labels of mirrored images, (n, 2) of v m/s and w rad/s.

    The camera sits left of the car's middle, so a mirrored image is not what the car would see
    in the mirrored place, but what it would see twice that offset further to the right. There the
    expert steers left by its lateral gain, bandwidth^2 / v, times that distance.
    """
    v, w = labels.T
    further_m = 2 * CAMERA_LEFT_M
    correction = bandwidth_rad_s**2 / np.maximum(v, V_MIN_M_S) * further_m
    return np.column_stack([v, -w + correction]).astype(np.float32)


def augmented(
    crops: NDArray[np.uint8], labels: Labels, random: np.random.Generator
) -> tuple[Images, Labels]:
    """A random variation of each image, normalised, with its label.

    Half are mirrored, a fifth blurred; every one gets its own brightness, contrast and colour cast.

    Args:
        crops: uint8, (n, 66, 200, 3).
        labels: float32, (n, 2), v m/s and w rad/s.
        random: Source of the variation.

    Returns:
        Normalised images, float32 (n, 66, 200, 3), and labels as given.
    """
    crops, labels = crops.copy(), labels.copy()
    mirrored = random.random(len(crops)) < 0.5
    crops[mirrored] = crops[mirrored, :, ::-1]
    labels[mirrored] = mirrored_labels(labels[mirrored], ExpertParams().bandwidth_rad_s)
    for index in np.flatnonzero(random.random(len(crops)) < 0.2):
        sigma = random.uniform(0.3, 0.9)
        crops[index] = cv2.GaussianBlur(crops[index], (3, 3), sigma)
    images = normalise(crops)
    shape = (len(crops), 1, 1, 1)
    contrast = random.uniform(0.75, 1.25, shape).astype(np.float32)
    cast = random.uniform(0.93, 1.07, (len(crops), 1, 1, 3)).astype(np.float32)
    brightness = random.uniform(-0.35, 0.35, shape).astype(np.float32)
    images *= contrast * cast
    images += brightness
    return images, labels
