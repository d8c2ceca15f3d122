"""Conditions of a camera's picture: pure functions of a frame, a level and drawn numbers.

Frames are uint8 (height, width, 3), red-green-blue; none is changed, a new one is returned.
"""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Frame = NDArray[np.uint8]

_MUD = (74, 62, 48)
# How much of what lies behind mud is seen; a speck's size and its soft edge, in picture heights.
_MUD_OPACITY = 0.97
_SPECK = 0.05
_SOFT = 0.008


def noise_field(random: np.random.Generator, values: int, sigma: float) -> NDArray[np.int16]:
    """Noise for every frame of a run: `noisy` takes another part of it each time.

    Args:
        random: Draws it.
        values: Of a frame: height x width x 3.
        sigma: Standard deviation in 8-bit levels.

    Returns:
        int16, twice as many values as a frame has.
    """
    drawn = random.standard_normal(2 * values, dtype=np.float32)
    return np.asarray(np.rint(drawn * np.float32(sigma)), np.int16)


def noisy(frame: Frame, field: NDArray[np.int16], first: int) -> Frame:
    """A frame with the noise that begins at a place of the field, up to a frame's size."""
    noise = field[first : first + frame.size].reshape(frame.shape)
    return np.asarray(cv2.add(frame, noise, dtype=cv2.CV_8U), np.uint8)


def blurred(frame: Frame, sigma_px: float) -> Frame:
    """A frame out of focus."""
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma_px), np.uint8)


@functools.lru_cache(maxsize=8)
def _exposure_table(stops: float) -> NDArray[np.uint8]:
    encoded = np.arange(256) / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    exposed = np.clip(linear * 2.0**stops, 0.0, 1.0)
    again = np.where(exposed <= 0.0031308, exposed * 12.92, 1.055 * exposed ** (1.0 / 2.4) - 0.055)
    return np.asarray(np.rint(again * 255.0), np.uint8)


def exposed(frame: Frame, stops: float) -> Frame:
    """A frame with so many times twice the light."""
    return np.asarray(cv2.LUT(frame, _exposure_table(stops)), np.uint8)


def repacked(frame: Frame, quality: int) -> Frame:
    """A frame after a way as JPEG, of libjpeg's quality 1 to 100."""
    turned = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, quality])
    unpacked = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert unpacked is not None
    return np.asarray(cv2.cvtColor(unpacked, cv2.COLOR_BGR2RGB), np.uint8)


@dataclass(frozen=True)
class Dirt:
    """Mud on a lens.

    Attributes:
        keep: float32 (height, width, 3), the part of each pixel that is seen.
        mud: float32 (height, width, 3), what is seen of the mud.
    """

    keep: NDArray[np.float32]
    mud: NDArray[np.float32]

    @classmethod
    def drawn(cls, random: np.random.Generator, height: int, width: int, share: float) -> "Dirt":
        """Patches that cover a share of a picture; of the same draws more of it covers the less.

        Args:
            random: Draws them.
            height: Of the picture, px.
            width: Of the picture, px.
            share: Of its area.
        """
        field = gaussian_filter(random.standard_normal((height, width)), _SPECK * height)
        covered = field > np.quantile(field, 1.0 - share)
        soft = gaussian_filter(covered.astype(np.float32), _SOFT * height) * _MUD_OPACITY
        opacity = np.repeat(soft[:, :, None], 3, axis=2).astype(np.float32)
        return cls(np.float32(1.0) - opacity, opacity * np.array(_MUD, np.float32))

    def on(self, frame: Frame) -> Frame:
        """A frame seen through it."""
        seen = cv2.multiply(frame, self.keep, dtype=cv2.CV_32F)
        return np.asarray(cv2.add(seen, self.mud, dtype=cv2.CV_8U), np.uint8)
