"""The middle of a red line that triangles show: followed, or found along a guide. Pure geometry."""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from harness.errors import DataError
from worlds.centreline import Centreline

Floats = NDArray[np.float64]

STEP_M = 0.25
# How far beside the guide, or beside the way straight on, the line is looked for.
REACH_M = 0.75
# The car starts no farther from its line.
FARTHEST_START_M = 5.0
# A cut through it whose width is another than most has another colour over it, or is a patch.
_WIDTHS = (0.5, 1.8)
# What lies this near is one piece: triangles of one line need not share their corners.
_CRACK_M = 0.02
_SMOOTHED_CUTS = 5

# Following: the heading is that of so many steps; a gap is crossed straight on, and looked beyond
# with so much more reach a metre.
_HEADING_STEPS = 3
_LONGEST_GAP_M = 40.0
_DRIFT = 0.03
_SHORTEST_LAP_M = 20.0
_LONGEST_LAP_M = 20_000.0


class Midline(NamedTuple):
    """A closed line through the middle of a red one.

    Attributes:
        points_m: (N, 2) points every quarter of a metre, the first not repeated.
        found: (N,) whether the red line was cut there; elsewhere the guide leads across.
        width_m: Median width of the red line.
    """

    points_m: Floats
    found: NDArray[np.bool_]
    width_m: float


class RedLine:
    """Red triangles on the ground, seen from above."""

    def __init__(self, triangles_m: Floats) -> None:
        """Take them.

        Args:
            triangles_m: (T, 3, 2) corners, T >= 1.
        """
        self._triangles_m = triangles_m
        low_m, high_m = triangles_m.min(axis=1), triangles_m.max(axis=1)
        self._tree = shapely.STRtree(shapely.box(*low_m.T, *high_m.T))

    def followed(self, start_m: Floats | None, heading_rad: float | None, source: str) -> Floats:
        """Follow the line round its lap, straight on across gaps.

        Args:
            start_m: (2,) a point on the line or near it; None begins anywhere.
            heading_rad: Which way; None is either.
            source: What to name where it can't be followed.

        Returns:
            (N, 2) points of the closed line about a quarter of a metre apart, gaps left out.

        Raises:
            DataError: It isn't where the car starts, ends, or never comes back.
        """
        at = self._nearest(start_m, source)
        heading_rad = self._along(at) if heading_rad is None else heading_rad
        points = [self._on_line(at, heading_rad)]
        gap_m, driven_m = 0.0, 0.0
        at = points[0]
        while driven_m < _LONGEST_LAP_M:
            at = at + STEP_M * _ahead(heading_rad)
            driven_m += STEP_M
            cut = self._cut(at, heading_rad, REACH_M + _DRIFT * gap_m)
            if cut is None:
                gap_m += STEP_M
                if gap_m > _LONGEST_GAP_M:
                    x_m, y_m = points[-1]
                    raise DataError(
                        f"{source}: the red line ends {driven_m - gap_m:.0f} m from the start, at"
                        f" ({x_m:.1f}, {y_m:.1f}): --centreline with a circuit, a table or a bag"
                        " leads across"
                    )
            else:
                gap_m = 0.0
                at = at + cut[0] * _left(heading_rad)
                points.append(at)
                before = points[-1 - min(_HEADING_STEPS, len(points) - 1)]
                heading_rad = float(np.arctan2(*(at - before)[::-1]))
            if driven_m > _SHORTEST_LAP_M and _passes(at, heading_rad, points[0]):
                return np.array(points[:-1] if cut is not None else points)
        raise DataError(f"{source}: the red line never comes back to where the car starts")

    def along(self, guide: Centreline) -> Midline | None:
        """Cut the line across a guide.

        Where it can't be cut, the guide leads across, shifted from one end's offset to the other's.

        Args:
            guide: A closed line within `REACH_M` of it.

        Returns:
            Its middle; None where it is nowhere near.
        """
        count = max(8, round(guide.length_m / STEP_M))
        stations_m = np.arange(count) * (guide.length_m / count)
        middles, widths = np.full(count, np.nan), np.full(count, np.nan)
        for index, station_m in enumerate(stations_m):
            at, heading_rad = guide.position(station_m), float(guide.heading(station_m))
            if (cut := self._cut(at, heading_rad, REACH_M)) is not None:
                middles[index], widths[index] = cut
        if np.isnan(widths).all():
            return None
        width_m = float(np.nanmedian(widths))
        with np.errstate(invalid="ignore"):
            found = (widths > _WIDTHS[0] * width_m) & (widths < _WIDTHS[1] * width_m)
        offsets_m = np.interp(np.arange(count), np.flatnonzero(found), middles[found], period=count)
        half = _SMOOTHED_CUTS // 2
        wrapped = np.concatenate([offsets_m[-half:], offsets_m, offsets_m[:half]])
        offsets_m = np.convolve(wrapped, np.full(_SMOOTHED_CUTS, 1 / _SMOOTHED_CUTS), "valid")
        heading = guide.heading(stations_m)
        left = np.column_stack([-np.sin(heading), np.cos(heading)])
        return Midline(guide.position(stations_m) + offsets_m[:, None] * left, found, width_m)

    def _cut(self, at: Floats, heading_rad: float, reach_m: float) -> tuple[float, float] | None:
        """Offset to the left and width of the piece nearest to a point; None if there is none."""
        ahead, left = _ahead(heading_rad), _left(heading_rad)
        ends = np.array([at - reach_m * left, at + reach_m * left])
        near = self._tree.query(shapely.box(*ends.min(axis=0), *ends.max(axis=0)))
        corners = self._triangles_m[near] - at
        along_m, across_m = corners @ ahead, corners @ left
        next_along_m, next_across_m = np.roll(along_m, -1, axis=1), np.roll(across_m, -1, axis=1)
        crosses = (along_m > 0) != (next_along_m > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = along_m / (along_m - next_along_m)
            where_m = across_m + share * (next_across_m - across_m)
        cut = crosses.any(axis=1)
        low_m = np.where(crosses, where_m, np.inf).min(axis=1)[cut]
        high_m = np.where(crosses, where_m, -np.inf).max(axis=1)[cut]
        pieces = [
            (low, high) for low, high in _joined(low_m, high_m) if abs(low + high) / 2 <= reach_m
        ]
        if not pieces:
            return None
        low, high = min(pieces, key=lambda piece: abs(piece[0] + piece[1]))
        return (low + high) / 2, high - low

    def _nearest(self, start_m: Floats | None, source: str) -> Floats:
        """The point of the triangles nearest to the start."""
        if start_m is None:
            return np.asarray(self._triangles_m[0].mean(axis=0))
        polygons = shapely.polygons(self._triangles_m)
        apart_m = shapely.distance(polygons, shapely.Point(*start_m))
        nearest = int(apart_m.argmin())
        if apart_m[nearest] > FARTHEST_START_M:
            raise DataError(
                f"{source}: the car starts {apart_m[nearest]:.1f} m from the red line: say"
                " --centreline with a circuit, a table or a bag"
            )
        between = shapely.shortest_line(polygons[nearest], shapely.Point(*start_m))
        return np.array(between.coords[0])

    def _along(self, at: Floats) -> float:
        """The direction in which the triangles round a point stretch."""
        corners = self._triangles_m.reshape(-1, 2) - at
        near = corners[np.hypot(*corners.T) < 4 * REACH_M]
        _, _, axes = np.linalg.svd(near - near.mean(axis=0))
        return float(np.arctan2(axes[0, 1], axes[0, 0]))

    def _on_line(self, at: Floats, heading_rad: float) -> Floats:
        cut = self._cut(at, heading_rad, 2 * REACH_M)
        return at if cut is None else np.asarray(at + cut[0] * _left(heading_rad))


def _joined(low_m: Floats, high_m: Floats) -> list[tuple[float, float]]:
    """Intervals that touch as one, from right to left."""
    pieces: list[tuple[float, float]] = []
    for low, high in sorted(zip(low_m.tolist(), high_m.tolist(), strict=True)):
        if pieces and low <= pieces[-1][1] + _CRACK_M:
            pieces[-1] = pieces[-1][0], max(pieces[-1][1], high)
        else:
            pieces.append((low, high))
    return pieces


def _passes(at: Floats, heading_rad: float, goal: Floats) -> bool:
    """Whether the next step would pass a point, near it."""
    away = goal - at
    return bool(0 <= away @ _ahead(heading_rad) <= STEP_M and np.hypot(*away) <= REACH_M)


def _ahead(heading_rad: float) -> Floats:
    return np.array([np.cos(heading_rad), np.sin(heading_rad)])


def _left(heading_rad: float) -> Floats:
    return np.array([-np.sin(heading_rad), np.cos(heading_rad)])
