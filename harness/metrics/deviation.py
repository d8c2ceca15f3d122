"""How far the driven line lies from the centreline or a recorded lap."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Floats = NDArray[np.float64]

STATION_SPACING_M = 0.5
# The published study raises this base to the distance in metres before it averages.
PUBLISHED_BASE = 1000.0
# A reference point's nearest part of the driven line is sought this far along the lap.
_SEARCH_M = 5.0
_POINTS_PER_SAMPLE = 5


@dataclass(frozen=True)
class Path:
    """The driven line, sample by sample; every array (N,).

    Attributes:
        sim_s: Simulated times, strictly increasing.
        x_m: Positions, east.
        y_m: Positions, north.
        progress_m: Distances along the centreline from the start station, over all laps.
        lateral_m: Offsets from the centreline, positive to the left.
    """

    sim_s: Floats
    x_m: Floats
    y_m: Floats
    progress_m: Floats
    lateral_m: Floats


@dataclass(frozen=True)
class ReferenceLap:
    """A recorded lap that a driven line is measured against, placed on the centreline.

    Attributes:
        points_m: Its points (P, 2), in any order.
        stations_m: Their stations (P,) on the centreline in the driving direction.
        away_m: Their distances (P,) from the centreline.
    """

    points_m: Floats
    stations_m: Floats
    away_m: Floats


def passed_stations(path: Path, end_m: float, spacing_m: float = STATION_SPACING_M) -> Floats:
    """Stations (K,) every `spacing_m` that the car passed, as progress from the start station.

    They run from the first one at or after the car's first progress to `end_m`, the progress at
    which the run ended. The end itself is left out: it is the next lap's first station.

    Args:
        path: The driven line.
        end_m: Progress that counts, in metres: whole laps of a completed run.
        spacing_m: Distance between stations.
    """
    first = int(np.ceil(float(path.progress_m[0]) / spacing_m - 1e-9))
    last = int(np.ceil(min(end_m, float(path.progress_m.max())) / spacing_m - 1e-9))
    return np.arange(first, max(first, last), dtype=np.float64) * spacing_m


def lateral_at(path: Path, stations_m: Floats) -> Floats:
    """Signed lateral offset (K,) of the driven line at stations (K,), in metres."""
    return at_stations(path, path.lateral_m, stations_m)


def at_stations(path: Path, values: Floats, stations_m: Floats) -> Floats:
    """Values (K,) of the driven line at stations (K,).

    Linear between the odometry samples either side of a station. Where the car went back, its
    first passage counts.

    Args:
        path: The driven line.
        values: One value (N,) for each of its samples.
        stations_m: Stations (K,) as progress from the start station.
    """
    furthest_m = np.maximum.accumulate(path.progress_m)
    forward = np.concatenate([[True], furthest_m[1:] > furthest_m[:-1]])
    return np.asarray(np.interp(stations_m, path.progress_m[forward], values[forward]))


def passages(
    path: Path, along_m: Floats, length_m: float, end_m: float
) -> tuple[NDArray[np.intp], Floats]:
    """Which points of a lap the car passed, each once in every lap that it was passed.

    Args:
        path: The driven line.
        along_m: Distances (P,) of the points along the lap from the start station, in
            [0, length_m), in any order.
        length_m: Length of a lap.
        end_m: Progress that counts, in metres: whole laps of a completed run.

    Returns:
        Indices (K,) of the points, and their progress (K,).
    """
    first_m, last_m = float(path.progress_m[0]), min(end_m, float(path.progress_m.max()))
    laps = np.arange(np.floor(first_m / length_m), np.ceil(last_m / length_m))
    progress_m = laps[:, None] * length_m + along_m
    lap, point = np.nonzero((progress_m >= first_m) & (progress_m < last_m))
    return point, progress_m[lap, point]


def reference_distances(path: Path, references_m: Floats, progress_m: Floats) -> Floats:
    """Distance (K,) from each reference point to the driven line, in metres.

    The line is the natural cubic spline through the odometry samples, as the published study draws
    it. It is sought near a point's own place along the lap, as the study goes from point to point,
    so that neither another lap nor a leg close by is taken for it.

    Args:
        path: The driven line, at least two samples.
        references_m: Reference points (K, 2): stations of the centreline, or of a recorded lap.
        progress_m: Where they lie, as progress (K,) from the start station.
    """
    knots = np.arange(len(path.sim_s), dtype=np.float64)
    fine = np.linspace(0.0, knots[-1], _POINTS_PER_SAMPLE * (len(knots) - 1) + 1)
    samples = np.column_stack([path.x_m, path.y_m])
    line_m = CubicSpline(knots, samples, bc_type="natural")(fine)
    line_progress_m = np.interp(fine, knots, path.progress_m)
    # Progress may fall where the car goes back: its running extremes bracket every passage.
    low = np.searchsorted(np.maximum.accumulate(line_progress_m), progress_m - _SEARCH_M)
    suffix_min = np.minimum.accumulate(line_progress_m[::-1])[::-1]
    high = np.searchsorted(suffix_min, progress_m + _SEARCH_M)
    return np.array(
        [
            _distance_to_polyline(reference, line_m[max(a - 1, 0) : b + 1])
            for reference, a, b in zip(references_m, low, high, strict=True)
        ]
    )


def published_deviation(distances_m: Floats) -> float:
    """The published study's "position deviation MAE": mean of 1000 ** distance.

    Not metres: 1 is a line through every point, 7.4 a constant distance of 0.29 m.

    Args:
        distances_m: Distances (K,) of the reference points from the driven line, K >= 1.
    """
    return float(np.mean(PUBLISHED_BASE**distances_m))


def _distance_to_polyline(point_m: Floats, line_m: Floats) -> float:
    """Distance from a point (2,) to a polyline (M, 2), M >= 2."""
    start, step = line_m[:-1], np.diff(line_m, axis=0)
    length2 = np.maximum((step**2).sum(axis=1), np.finfo(np.float64).tiny)
    share = np.clip(((point_m - start) * step).sum(axis=1) / length2, 0.0, 1.0)
    nearest = start + share[:, None] * step
    return float(np.sqrt(((point_m - nearest) ** 2).sum(axis=1).min()))
