"""Which columns of a table are a line's x and y, and which say how wide the track is."""

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

_METRES = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1.0),
    **{"km": 1000.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048, "feet": 0.3048},
}
_X = {"x": "y", "easting": "northing", "east": "north", "e": "n"}
_CENTRE = {"center", "centre", "centerline", "centreline", "cl", "mid", "middle", "ref", "c"}
_PLACE = {
    *("pos", "position", "pose", "point", "points", "coord", "coords", "coordinate", "p", "s"),
    *("coordinates", "utm", "map", "world", "local", "enu", "track", "waypoint", "waypoints"),
    *("wp", "path", "odom", "field", "loc", "location", "translation", "car"),
}
# Beside x these say that it is no place on the line.
_ELSE = {
    *("vel", "velocity", "v", "speed", "acc", "accel", "acceleration", "twist", "linear", "q"),
    *("angular", "orientation", "quat", "quaternion", "covariance", "normvec", "normal", "norm"),
    *("tangent", "dir", "direction", "left", "right", "inner", "outer", "l", "r", "error", "err"),
}
_LATITUDE, _LONGITUDE = {"lat", "latitude"}, {"lon", "lng", "long", "longitude"}
_WIDTH = {"w", "width", "widths", "halfwidth"}
_LEFT, _RIGHT = {"left", "l"}, {"right", "r"}


class Place(NamedTuple):
    """Columns of x and y, and the metres of their unit."""

    x: int
    y: int
    metres: float


class Width(NamedTuple):
    """Columns that add up to the track's width, and what their sum is to be multiplied by."""

    columns: tuple[int, ...]
    metres: float


def places(names: Sequence[str]) -> list[Place]:
    """The columns that may be a line's x and y, the likeliest alone; several if none stands out.

    A pair is two columns of the same name but for the axis: `x_m` and `y_m`, `easting` and
    `northing`, `pose.position.x` and `pose.position.y`.
    """
    words = [_words(name) for name in names]
    ranked: list[tuple[int, Place]] = []
    for (x, of_x), (y, of_y) in itertools.permutations(enumerate(words), 2):
        for east, north in _X.items():
            if east in of_x and of_y == [north if word == east else word for word in of_x]:
                beside = set(of_x) - {east} - _METRES.keys()
                metres = next((_METRES[word] for word in of_x if word in _METRES), 1.0)
                if not beside & _ELSE:
                    ranked.append((_rank(beside), Place(x, y, metres)))
    best = min((rank for rank, _ in ranked), default=0)
    likeliest = [place for rank, place in ranked if rank == best]
    return likeliest[:1] if best == 0 else likeliest


def are_degrees(names: Sequence[str]) -> bool:
    """Whether there are columns of latitude and longitude."""
    words = set(itertools.chain.from_iterable(_words(name) for name in names))
    return bool(words & _LATITUDE and words & _LONGITUDE)


def width(names: Sequence[str]) -> Width | None:
    """The columns of the track's width: of both sides, of half of it, or of all."""
    sides: dict[str, int] = {}
    metres = 1.0
    for index, name in enumerate(names):
        words = set(_words(name))
        if not words & _WIDTH:
            continue
        metres = next((_METRES[word] for word in words if word in _METRES), 1.0)
        if words & _LEFT:
            sides.setdefault("left", index)
        elif words & _RIGHT:
            sides.setdefault("right", index)
        elif words & {"half", "halfwidth"}:
            sides.setdefault("half", index)
        elif words & {"width", "widths"}:  # w alone is more often a yaw rate
            sides.setdefault("whole", index)
    if "left" in sides and "right" in sides:
        return Width((sides["left"], sides["right"]), metres)
    if "whole" in sides:
        return Width((sides["whole"],), metres)
    if "half" in sides:
        return Width((sides["half"],), 2 * metres)
    return None


def _rank(beside: set[str]) -> int:
    """How likely a pair is the line, by the words beside the axis: the less, the likelier."""
    if not beside:
        return 0
    if beside <= _CENTRE:
        return 1
    return 2 if beside <= _CENTRE | _PLACE else 3


def _words(name: str) -> list[str]:
    """A name's words: `PosX`, `pos_x`, `pos.x[m]` and `xpos` have x as a word of its own."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = []
    for word in re.findall(r"[a-z]+|\d+", spaced.lower()):
        for axis, rest in ((word[0], word[1:]), (word[-1], word[:-1])):
            if axis in "xy" and rest in _PLACE | _CENTRE:
                words += [rest, axis]
                break
        else:
            words.append(word)
    return words
