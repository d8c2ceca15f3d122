"""Where names go beside their points in a picture, so that none covers another."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_FIRST_GAP, _STEP, _FARTHEST = 3.0, 9.0, 260.0
_ANGLES_DEG = (0, 180, 90, 270, 45, 135, 315, 225, 22, 158, 338, 202)


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels.

    Attributes:
        x0: Left edge.
        y0: Edge with the lesser y.
        x1: Right edge.
        y1: Edge with the greater y.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        """Square pixels."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    def overlap(self, other: "Box") -> float:
        """Square pixels that it shares with another."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(width, 0.0) * max(height, 0.0)

    def nearest(self, point: tuple[float, float]) -> tuple[float, float]:
        """Its point that is nearest to a point."""
        x, y = point
        return min(max(x, self.x0), self.x1), min(max(y, self.y0), self.y1)


@dataclass(frozen=True)
class Named:
    """A point that is to have its name beside it, in pixels.

    Attributes:
        centre: The point.
        radius: Of its circle.
        size: Width and height of its name.
    """

    centre: tuple[float, float]
    radius: float
    size: tuple[float, float]


def place_names(points: Sequence[Named], frame: Box) -> tuple[Box, ...]:
    """A box for each point's name, near it, where it covers no other name and no other point.

    Where there is no such place, the one that covers least. Points of the greatest y choose first.

    Args:
        points: The points.
        frame: Where names may lie.
    """
    circles = [
        Box(x - p.radius, y - p.radius, x + p.radius, y + p.radius)
        for p in points
        for x, y in (p.centre,)
    ]
    names: dict[int, Box] = {}
    for index in sorted(range(len(points)), key=lambda index: -points[index].centre[1]):
        # Its own point may be touched: the name begins at the circle, not at its square.
        others = (circle for other, circle in enumerate(circles) if other != index)
        names[index] = _freest(_candidates(points[index]), [*names.values(), *others], frame)
    return tuple(names[index] for index in range(len(points)))


def _candidates(point: Named) -> Iterator[Box]:
    """Boxes of the name's size around its point, the nearest first."""
    width, height = point.size
    for gap in np.arange(_FIRST_GAP, _FARTHEST, _STEP).tolist():
        for angle in np.deg2rad(_ANGLES_DEG).tolist():
            x = point.centre[0] + (point.radius + gap) * math.cos(angle)
            y = point.centre[1] + (point.radius + gap) * math.sin(angle)
            # The side of the box that faces the point touches the circle.
            left = x - width * (1.0 - math.cos(angle)) / 2.0
            low = y - height * (1.0 - math.sin(angle)) / 2.0
            yield Box(left, low, left + width, low + height)


def _freest(boxes: Iterable[Box], taken: Sequence[Box], frame: Box) -> Box:
    """The first box that covers nothing taken and lies in the frame, else the best there is."""
    best, least = None, math.inf
    for box in boxes:
        bad = sum(box.overlap(other) for other in taken) + box.area - box.overlap(frame)
        if bad < least:
            best, least = box, bad
        if least < 1e-6:
            break
    assert best is not None
    return best
