"""A user's own centreline, checked until it is a circuit the car can drive."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
import yaml
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from harness.errors import DataError
from worlds.centreline import Centreline
from worlds.circuit import Circuit
from worlds.traced import Traced

Floats = NDArray[np.float64]

MIN_POINTS = 10

# The networks' outputs span 6.5 to 24 m/s and +-7.1 rad/s: at full lock and least speed the car
# turns on 6.5 / 7.1 = 0.92 m. A turn may use 80 % of full lock; the rest is for corrections.
_SLOWEST_M_S = 6.5
_FULL_LOCK_RAD_S = 7.1
_USABLE_LOCK = 0.8
MIN_RADIUS_M = _SLOWEST_M_S / (_FULL_LOCK_RAD_S * _USABLE_LOCK)
_CAR_LENGTH_M = 0.9

# The published time limits (75, 248, 122 s) allow a mean speed of 5.7 to 6.0 m/s.
_SLOWEST_LAP_M_S = 5.7

_GAP_FACTOR = 3.0
_SAME_POINT_M = 1e-3
# A last point this near to the first, in steps, is the first again.
_SAME_STEP = 0.1
_FIT_SPACINGS_M = (8.0, 4.0, 2.0, 1.0, 0.5)
_FIT_ERROR_M = 0.02
# Poses and meshes are of single precision: beyond this they are moved to the origin.
_FAR_M = 1000.0
_GREATEST_SCALE = 200


@dataclass(frozen=True)
class Made:
    """A circuit made of a traced line.

    Attributes:
        circuit: The circuit.
        notes: What its maker should know; a line each.
    """

    circuit: Circuit
    notes: tuple[str, ...]


def circuit_of(
    traced: Traced,
    *,
    name: str,
    asphalt_width_m: float = 3.35,
    red_line_width_m: float = 0.1,
    wall_height_m: float = 0.6,
    kerbs: bool = False,
    scale: float = 1.0,
) -> Made:
    """Make a circuit of a traced line.

    Args:
        traced: The line.
        name: The circuit's name.
        asphalt_width_m: Width of the asphalt.
        red_line_width_m: Width of the line on it.
        wall_height_m: Height of the walls.
        kerbs: Red and white kerbs at the turns.
        scale: Make it so many times as large.

    Raises:
        DataError: The line is not one the car can drive.
    """
    traced = traced.scaled(scale)
    notes = list(traced.notes)
    points, places = _without_repeated(traced, notes)
    check_points(points, places, traced.source)
    control, driven = _drivable(points, asphalt_width_m, traced.source, scale)
    origin_m = _origin(control, notes)
    control = np.round(control - origin_m, 6)
    if traced.width_m is not None:
        notes += _width_notes(traced.width_m, asphalt_width_m)
    circuit = Circuit(
        name=name,
        title=name,
        control_points=tuple((float(x), float(y)) for x, y in control),
        asphalt_width_m=asphalt_width_m,
        red_line_width_m=red_line_width_m,
        wall_height_m=wall_height_m,
        kerbs=kerbs,
        time_limit_s=float(np.ceil(driven.length_m / _SLOWEST_LAP_M_S)),
        source=str(Path(traced.source).absolute()),
        map_scale=scale,
        map_origin_m=origin_m,
    )
    return Made(circuit, tuple(notes))


def _drivable(
    points: Floats, asphalt_width_m: float, source: str, scale: float
) -> tuple[Floats, Centreline]:
    """Control points of a curve that the car can drive, and the curve.

    What is checked is what is driven: points that wobble in their last digit are smooth by then.
    """
    given = Centreline.from_control_points(points)
    smoothest, complaint = math.inf, ""
    for control in control_points(given, points):
        driven = Centreline.from_control_points(control)
        fault = _fault(driven, asphalt_width_m)
        if fault is None:
            return control, driven
        tightest_1_m = float(np.abs(driven.curvatures_1_m).max())
        if tightest_1_m < smoothest:
            smoothest, complaint, line = tightest_1_m, fault, driven
    hint = ""
    if "crosses" not in complaint and (larger := _scale_that_would_do(line, asphalt_width_m)):
        lap_m = larger * line.length_m
        hint = f"; --scale {scale * larger:.3g} would do: a lap of {lap_m:.0f} m"
    raise DataError(f"{source}: {complaint}{hint}")


def as_yaml(circuit: Circuit) -> str:
    """A circuit as the text of its file."""
    data = circuit.model_dump(mode="json", exclude_none=True)
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None))


def _without_repeated(traced: Traced, notes: list[str]) -> tuple[Floats, tuple[str, ...]]:
    """The points without those that repeat the one before, nor the first again at the end."""
    points = traced.points_m
    steps_m = np.hypot(*np.diff(points, axis=0).T)
    kept = np.concatenate([[True], steps_m > _SAME_POINT_M])
    if repeated := int((~kept).sum()):
        notes.append(f"{repeated} points that repeat the one before are left out")
    indices = np.flatnonzero(kept)
    if len(indices) > MIN_POINTS:
        step_m = float(np.median(steps_m[steps_m > _SAME_POINT_M]))
        closing_m = float(np.hypot(*(points[indices[0]] - points[indices[-1]])))
        if closing_m < max(_SAME_POINT_M, _SAME_STEP * step_m):
            indices = indices[:-1]
    return points[indices], tuple(traced.places[index] for index in indices)


def _origin(control: Floats, notes: list[str]) -> tuple[float, float]:
    """Where the world's (0, 0) lies on the map: its own, unless that is far from the line."""
    low, high = control.min(axis=0), control.max(axis=0)
    away_m = float(np.hypot(*np.maximum(np.maximum(low, -high), 0.0)))
    if away_m <= _FAR_M:
        return 0.0, 0.0
    x_m, y_m = np.round((low + high) / 2)
    notes.append(
        f"moved by ({-x_m:.0f}, {-y_m:.0f}) m: its coordinates lie {away_m / 1000:.1f} km from the"
        " origin, where the simulator reckons too coarsely"
    )
    return float(x_m), float(y_m)


def _width_notes(width_m: tuple[float, float], asphalt_width_m: float) -> list[str]:
    least, greatest = (f"{value:.3g}" for value in width_m)
    if all(abs(value - asphalt_width_m) < 0.05 for value in width_m):
        return []
    said = f"{least} m" if least == greatest else f"{least} to {greatest} m"
    return [
        f"the track is {said} wide in it; the asphalt is {asphalt_width_m:g} m all round:"
        " --asphalt-width says otherwise (the networks learnt on 3 to 3.7 m)"
    ]


def check_points(points: Floats, places: tuple[str, ...], source: str) -> None:
    """Check the raw points: enough of them, none twice, closing into a loop.

    Args:
        points: (N, 2) metres.
        places: Where each stands in the source, for messages.
        source: What they were read from.

    Raises:
        DataError: One clear line naming `source` and the place.
    """
    if len(points) < MIN_POINTS:
        raise DataError(
            f"{source}: only {len(points)} points; a circuit needs at least {MIN_POINTS}"
        )
    twins = cKDTree(points).query_pairs(_SAME_POINT_M, output_type="ndarray")
    if len(twins):
        first, second = sorted(twins.tolist())[0]
        x_m, y_m = points[first]
        raise DataError(
            f"{source}: {places[first]} and {places[second]} are the same point"
            f" ({x_m:.2f}, {y_m:.2f}): give one lap, each point once"
        )
    steps_m = np.hypot(*np.diff(points, axis=0).T)
    gap_m = float(np.hypot(*(points[0] - points[-1])))
    # Unevenly spaced control points have long steps too: a gap is longer than any of them.
    if gap_m > _GAP_FACTOR * np.median(steps_m) and gap_m > steps_m.max():
        raise DataError(
            f"{source}: not closed: {gap_m:.1f} m between the last point and the first, where "
            f"points are {np.median(steps_m):.1f} m apart; drive the line to its beginning"
        )


def _scale_that_would_do(line: Centreline, asphalt_width_m: float) -> float | None:
    """The least scale, in tenths up to 10, at which the line can be driven; None if none does."""
    least = MIN_RADIUS_M * float(np.abs(line.curvatures_1_m).max())
    tenths = (*range(11, 100), *range(100, _GREATEST_SCALE * 10 + 1, 10))
    for scale in (float(tenth / 10) for tenth in tenths):
        if scale > least and _fault(_enlarged(line, scale), asphalt_width_m) is None:
            return scale
    return None


def _enlarged(line: Centreline, scale: float) -> Centreline:
    points_m, curvatures_1_m = line.points_m * scale, line.curvatures_1_m / scale
    return Centreline(line.length_m * scale, points_m, line.headings_rad, curvatures_1_m)


def _fault(line: Centreline, asphalt_width_m: float) -> str | None:
    """What keeps the car from driving the line: a crossing, too tight a turn, legs too close."""
    every = max(1, round(0.25 / (line.length_m / len(line.points_m))))
    points, stations_m = line.points_m[::every], line.stations_m[::every]
    reason = str(shapely.is_valid_reason(shapely.Polygon(points)))
    if "elf-intersection" in reason:
        where = re.search(r"\[(\S+) (\S+)\]", reason)
        x_m, y_m = (float(number) for number in where.groups()) if where else points[0]
        return f"the line crosses itself near ({x_m:.1f}, {y_m:.1f})"

    bend = np.abs(line.curvatures_1_m)
    tightest = int(bend.argmax())
    if bend[tightest] * MIN_RADIUS_M > 1:
        x_m, y_m = line.points_m[tightest]
        return (
            f"turn of radius {1 / bend[tightest]:.2f} m at station "
            f"{line.stations_m[tightest]:.1f} m ({x_m:.1f}, {y_m:.1f}): the car, {_CAR_LENGTH_M:g}"
            f" m long and never slower than {_SLOWEST_M_S:g} m/s, needs at least"
            f" {MIN_RADIUS_M:.2f} m"
        )

    pairs = cKDTree(points).query_pairs(asphalt_width_m, output_type="ndarray")
    apart_m = np.abs(stations_m[pairs[:, 0]] - stations_m[pairs[:, 1]])
    apart_m = np.minimum(apart_m, line.length_m - apart_m)
    # Within one turn points are near each other as well; on a half turn as wide as the
    # asphalt they are pi / 2 widths apart along the line, so beyond that it is another leg.
    legs = pairs[apart_m > np.pi / 2 * asphalt_width_m]
    if len(legs):
        distances_m = np.hypot(*(points[legs[:, 0]] - points[legs[:, 1]]).T)
        first, second = legs[distances_m.argmin()]
        return (
            f"legs at stations {stations_m[first]:.1f} m and {stations_m[second]:.1f} m are"
            f" {distances_m.min():.2f} m apart, closer than the asphalt's {asphalt_width_m:g} m"
        )
    return None


def control_points(line: Centreline, points: Floats) -> Iterator[Floats]:
    """Evenly spaced control points that keep the curve within 2 cm, the fewest first.

    To the millimetre; the given ones come last, as they are: they may lie close together, where a
    millimetre is a bend.
    """
    for spacing_m in _FIT_SPACINGS_M:
        count = max(MIN_POINTS, round(line.length_m / spacing_m))
        if count >= len(points):
            break
        control = line.position(np.arange(count) * (line.length_m / count))
        fitted = Centreline.from_control_points(control)
        _, lateral_m = fitted.project_many(line.points_m[::5], near_first_s_m=0.0)
        if np.abs(lateral_m).max() < _FIT_ERROR_M:
            yield np.round(control, 3)
    yield points
