"""Drawing on a picture: words, bars, lines, in one place for all that a video shows."""

from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.recording.images import Picture

Colour = tuple[int, int, int]

# Blue, green, red.
PAPER: Colour = (28, 21, 17)
RAISED: Colour = (46, 37, 30)
INK: Colour = (240, 235, 230)
FAINT: Colour = (158, 147, 136)
BLUE: Colour = (255, 167, 90)
ORANGE: Colour = (90, 148, 240)
RED: Colour = (74, 68, 226)
ASPHALT: Colour = (78, 68, 60)

# Coordinates are handed to OpenCV in sixteenths of a pixel.
_SHIFT = 4
_FONT = cv2.FontFace("sans")


class Align(Enum):
    """Which share of the words stands left of the place given."""

    LEFT = 0.0
    CENTRE = 0.5
    RIGHT = 1.0


def words(
    picture: Picture,
    text: str,
    x: int,
    y: int,
    size: int,
    colour: Colour = INK,
    align: Align = Align.LEFT,
    bold: bool = False,
) -> None:
    """Words whose baseline is at y, so many pixels high."""
    weight = 600 if bold else 400
    # OpenCV's own centring puts the words' beginning at the place.
    _, _, width, _ = cv2.getTextSize(picture.shape[1::-1], text, (0, y), _FONT, size, weight)
    cv2.putText(picture, text, (x - round(align.value * width), y), colour, _FONT, size, weight)


def box(picture: Picture, x: float, y: float, width: float, height: float, colour: Colour) -> None:
    """A filled box."""
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    polygon(picture, np.array(corners), colour)


def polygon(picture: Picture, points: NDArray[np.float64], colour: Colour) -> None:
    """A filled convex polygon of points (N, 2)."""
    cv2.fillConvexPoly(picture, _fixed(points), colour, cv2.LINE_AA, _SHIFT)


def line(
    picture: Picture,
    points: NDArray[np.float64],
    colour: Colour,
    width: int = 1,
    closed: bool = False,
) -> None:
    """A line through points (N, 2)."""
    cv2.polylines(picture, [_fixed(points)], closed, colour, width, cv2.LINE_AA, _SHIFT)


def shade(picture: Picture, x: int, y: int, width: int, height: int, strength: float) -> None:
    """Darken a part of the picture, to write on."""
    part = picture[y : y + height, x : x + width]
    part[:] = (part * (1.0 - strength)).astype(np.uint8)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(np.asarray(points) * (1 << _SHIFT)).astype(np.int32)
