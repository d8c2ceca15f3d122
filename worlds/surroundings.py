"""What stands round a line in a world of triangles: the road's height, the walls. Pure geometry."""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from worlds.centreline import Centreline

Floats = NDArray[np.float64]

_EVERY_M = 1.0
# Walls are cut at about the middle of the car's body, and looked for this far beside the line.
_CUT_HEIGHT_M = 0.1
_FARTHEST_M = 8.0
# Fewer hits than this share are a sign or a hut, not walls.
_LEAST_SHARE = 0.5
# The road lies no higher above where the car starts.
_STEP_UP_M = 0.3


class Walls(NamedTuple):
    """Walls beside a line.

    Attributes:
        distance_m: Median distance from the line to the nearest wall on either side.
        nearest_m: Distance that 5 % of the line have less than.
        height_m: Median height of their tops above the road.
    """

    distance_m: float
    nearest_m: float
    height_m: float


def road_height_m(
    triangles_m: Floats, planes_m: list[float], line: Centreline, start_z_m: float
) -> float:
    """Height of what lies highest under the line, not above the car: the median along it.

    Args:
        triangles_m: (T, 3, 3) what may lie there.
        planes_m: Heights of planes without end.
        line: The line.
        start_z_m: Height at which the car starts.
    """
    limit_m = start_z_m + _STEP_UP_M
    points = line.position(np.arange(0.0, line.length_m, _EVERY_M))
    below = max((height for height in planes_m if height <= limit_m), default=-np.inf)
    heights_m = np.full(len(points), below)
    if len(triangles_m):
        tree = _tree(triangles_m)
        which, near = tree.query(shapely.points(points))
        z_m = _height_at(triangles_m[near], points[which])
        fits = ~np.isnan(z_m) & (z_m <= limit_m)
        np.maximum.at(heights_m, which[fits], z_m[fits])
    known = heights_m[np.isfinite(heights_m)]
    return float(np.median(known)) if len(known) else start_z_m


def walls_beside(triangles_m: Floats, line: Centreline, road_m: float) -> Walls | None:
    """The walls that the triangles make; None where there are none.

    Args:
        triangles_m: (T, 3, 3) everything.
        line: The line.
        road_m: Height of the road.
    """
    height_m = road_m + _CUT_HEIGHT_M
    low_m, high_m = triangles_m[..., 2].min(axis=1), triangles_m[..., 2].max(axis=1)
    cut = triangles_m[(low_m < height_m) & (high_m > height_m)]
    if not len(cut):
        return None
    first, second = _slice(cut, height_m)
    tops_m = cut[..., 2].max(axis=1)
    tree = shapely.STRtree(shapely.linestrings(np.stack([first, second], axis=1)))
    stations_m = np.arange(0.0, line.length_m, _EVERY_M)
    found: list[tuple[float, float]] = []
    for station_m in stations_m:
        at, heading = line.position(station_m), float(line.heading(station_m))
        left = np.array([-np.sin(heading), np.cos(heading)])
        for side in (left, -left):
            near = tree.query(shapely.LineString([at, at + _FARTHEST_M * side]))
            away_m = _hits(at, side, first[near], second[near])
            if len(away_m) and np.isfinite(away_m).any():
                nearest = int(np.nanargmin(away_m))
                found.append((float(away_m[nearest]), float(tops_m[near[nearest]])))
    if len(found) < _LEAST_SHARE * 2 * len(stations_m):
        return None
    distances_m, heights_m = np.array(found).T
    return Walls(
        float(np.median(distances_m)),
        float(np.quantile(distances_m, 0.05)),
        float(np.median(heights_m)) - road_m,
    )


def _tree(triangles_m: Floats) -> shapely.STRtree:
    flat = triangles_m[..., :2]
    return shapely.STRtree(shapely.box(*flat.min(axis=1).T, *flat.max(axis=1).T))


def _height_at(triangles_m: Floats, points_m: Floats) -> Floats:
    """Heights (N,) of triangles (N, 3, 3) at points (N, 2); NaN beside them and where upright."""
    a, b, c = (triangles_m[:, corner] for corner in range(3))
    ab, ac, ap = b - a, c - a, points_m - a[:, :2]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
        v = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
        inside = (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9)
        return np.where(inside, a[:, 2] + u * ab[:, 2] + v * ac[:, 2], np.nan)


def _slice(triangles_m: Floats, height_m: float) -> tuple[Floats, Floats]:
    """Both ends (N, 2) of the cuts of triangles through a level plane."""
    z_m = triangles_m[..., 2] - height_m
    after = np.roll(triangles_m, -1, axis=1)
    after_z_m = np.roll(z_m, -1, axis=1)
    crosses = (z_m > 0) != (after_z_m > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = z_m / (z_m - after_z_m)
        points = triangles_m[..., :2] + share[..., None] * (after - triangles_m)[..., :2]
    # Two of three edges cross.
    order = np.argsort(~crosses, axis=1, kind="stable")[:, :2]
    ends = np.take_along_axis(points, order[..., None], axis=1)
    return ends[:, 0], ends[:, 1]


def _hits(at: Floats, ahead: Floats, first: Floats, second: Floats) -> Floats:
    """How far ahead a ray meets segments (N,); NaN where it passes them."""
    along = second - first
    to = first - at
    with np.errstate(divide="ignore", invalid="ignore"):
        cross = ahead[0] * along[:, 1] - ahead[1] * along[:, 0]
        away_m = (to[:, 0] * along[:, 1] - to[:, 1] * along[:, 0]) / cross
        share = (to[:, 0] * ahead[1] - to[:, 1] * ahead[0]) / cross
    met = (away_m > 0) & (away_m <= _FARTHEST_M) & (share >= 0) & (share <= 1)
    return np.where(met, away_m, np.nan)
