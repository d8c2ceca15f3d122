"""A user's own centreline, from a CSV file, checked until it is a circuit the car can drive."""

import csv
import re
from pathlib import Path

import numpy as np
import shapely
import yaml
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from harness.errors import DataError
from worlds.centreline import Centreline
from worlds.circuit import Circuit

Floats = NDArray[np.float64]

MIN_POINTS = 10

# The networks' outputs span 6.5 to 24 m/s and +-7.1 rad/s: at full lock and least speed the car
# turns on 6.5 / 7.1 = 0.92 m. A turn may use 80 % of full lock; the rest is for corrections.
_SLOWEST_M_S = 6.5
_FULL_LOCK_RAD_S = 7.1
_USABLE_LOCK = 0.8
MIN_RADIUS_M = _SLOWEST_M_S / (_FULL_LOCK_RAD_S * _USABLE_LOCK)

# The published time limits (75, 248, 122 s) allow a mean speed of 5.7 to 6.0 m/s.
_SLOWEST_LAP_M_S = 5.7

_GAP_FACTOR = 3.0
_SAME_POINT_M = 1e-3
_FIT_SPACINGS_M = (8.0, 4.0, 2.0, 1.0, 0.5)
_FIT_ERROR_M = 0.02


def circuit_from_csv(
    path: Path,
    *,
    name: str,
    asphalt_width_m: float = 3.35,
    red_line_width_m: float = 0.1,
    wall_height_m: float = 0.6,
    kerbs: bool = False,
) -> Circuit:
    """Make a circuit of a CSV file with columns x and y in metres, in driving order.

    Raises:
        DataError: The file is no such CSV, or the line is not one the car can drive.
    """
    points = read_points(path)
    check_points(points, str(path))
    line = Centreline.from_control_points(points)
    check_line(line, asphalt_width_m, str(path))
    control = fewest_control_points(line, points)
    return Circuit(
        name=name,
        title=name,
        control_points=tuple((round(float(x), 3), round(float(y), 3)) for x, y in control),
        asphalt_width_m=asphalt_width_m,
        red_line_width_m=red_line_width_m,
        wall_height_m=wall_height_m,
        kerbs=kerbs,
        time_limit_s=float(np.ceil(line.length_m / _SLOWEST_LAP_M_S)),
    )


def write_circuit(circuit: Circuit, folder: Path) -> Path:
    """Write a circuit's YAML file into a folder, made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{circuit.name}.yaml"
    data = circuit.model_dump(mode="json", exclude_none=True)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None)
    path.write_text(text, encoding="utf-8")
    return path


def read_points(path: Path) -> Floats:
    """Read the x and y columns (also named x_m, y_m) of a CSV file as (N, 2) metres.

    Raises:
        DataError: The file is missing, is not text, lacks the columns or holds no numbers.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "not a CSV text file"
        raise DataError(f"{path}: cannot read the centreline: {reason}") from error
    header = [cell.strip().lower().removesuffix("_m") for cell in rows[0]] if rows else []
    if "x" not in header or "y" not in header:
        raise DataError(f"{path}: no columns x and y: the first line must be a header such as x,y")
    columns = [header.index("x"), header.index("y")]
    points = np.empty((len(rows) - 1, 2))
    for number, row in enumerate(rows[1:]):
        try:
            points[number] = [float(row[column]) for column in columns]
        except (ValueError, IndexError):
            raise DataError(
                f"{path}: data row {number + 1} has no numbers x and y: {','.join(row)}"
            ) from None
    if not np.isfinite(points).all():
        first = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise DataError(f"{path}: data row {first + 1} is not finite")
    if len(points) > 1 and np.hypot(*(points[0] - points[-1])) < _SAME_POINT_M:
        points = points[:-1]
    return points


def check_points(points: Floats, source: str) -> None:
    """Check the raw points: enough of them, none twice, closing into a loop.

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
            f"{source}: data rows {first + 1} and {second + 1} are the same point "
            f"({x_m:.2f}, {y_m:.2f}); remove one"
        )
    steps_m = np.hypot(*np.diff(points, axis=0).T)
    gap_m = float(np.hypot(*(points[0] - points[-1])))
    # Unevenly spaced control points have long steps too: a gap is longer than any of them.
    if gap_m > _GAP_FACTOR * np.median(steps_m) and gap_m > steps_m.max():
        raise DataError(
            f"{source}: not closed: {gap_m:.1f} m between the last point and the first, where "
            f"points are {np.median(steps_m):.1f} m apart; drive the line to its beginning"
        )


def check_line(line: Centreline, asphalt_width_m: float, source: str) -> None:
    """Check the curve: no crossing, no turn too tight, legs at least the asphalt's width apart.

    Raises:
        DataError: One clear line naming `source` and the place.
    """
    every = max(1, round(0.25 / (line.length_m / len(line.points_m))))
    points, stations_m = line.points_m[::every], line.stations_m[::every]
    reason = str(shapely.is_valid_reason(shapely.Polygon(points)))
    if "elf-intersection" in reason:
        where = re.search(r"\[(\S+) (\S+)\]", reason)
        x_m, y_m = (float(number) for number in where.groups()) if where else points[0]
        raise DataError(f"{source}: the line crosses itself near ({x_m:.1f}, {y_m:.1f})")

    bend = np.abs(line.curvatures_1_m)
    tightest = int(bend.argmax())
    if bend[tightest] * MIN_RADIUS_M > 1:
        x_m, y_m = line.points_m[tightest]
        raise DataError(
            f"{source}: turn of radius {1 / bend[tightest]:.2f} m at station "
            f"{line.stations_m[tightest]:.1f} m ({x_m:.1f}, {y_m:.1f}): the car needs at least "
            f"{MIN_RADIUS_M:.2f} m"
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
        raise DataError(
            f"{source}: legs at stations {stations_m[first]:.1f} m and {stations_m[second]:.1f} m "
            f"are {distances_m.min():.2f} m apart, closer than the asphalt's {asphalt_width_m:g} m"
        )


def fewest_control_points(line: Centreline, points: Floats) -> Floats:
    """Evenly spaced control points that keep the curve within 2 cm, or the given ones if fewer."""
    for spacing_m in _FIT_SPACINGS_M:
        count = max(MIN_POINTS, round(line.length_m / spacing_m))
        if count >= len(points):
            break
        control = line.position(np.arange(count) * (line.length_m / count))
        fitted = Centreline.from_control_points(control)
        _, lateral_m = fitted.project_many(line.points_m[::5], near_first_s_m=0.0)
        if np.abs(lateral_m).max() < _FIT_ERROR_M:
            return control
    return points
