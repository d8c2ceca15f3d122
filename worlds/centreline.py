"""A closed centreline by arc length: positions, headings, curvatures, and projection onto it."""

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import DataError

Floats = NDArray[np.float64]

# Arc length is integrated this much finer than the stations: the trapezoid's error is then
# far below a micrometre on a circuit with curves of a metre's radius.
_OVERSAMPLING = 10
_CONVERGED_M = 1e-7
_MAX_REFINEMENTS = 40
_SAME_POINT_M = 1e-9


class Projection(NamedTuple):
    """Where a point lies along a centreline.

    Attributes:
        s_m: Station in [0, length).
        lateral_m: Offset from the line, positive to the left of the driving direction.
    """

    s_m: float
    lateral_m: float


class Centreline:
    """A closed plane curve, sampled at equal steps of arc length. Immutable.

    Between the samples the curve is the cubic Hermite segment through both ends' positions and
    unit tangents, so it is smooth and a projection does not jump at samples.

    Attributes:
        length_m: Length of one lap.
        stations_m: (M,) stations from 0, equally spaced; the lap's end is not repeated.
        points_m: (M, 2) positions.
        headings_rad: (M,) headings, unwrapped along the lap.
        curvatures_1_m: (M,) signed curvatures, positive where the line turns left.
    """

    def __init__(
        self, length_m: float, points_m: Floats, headings_rad: Floats, curvatures_1_m: Floats
    ) -> None:
        """Take samples at equal steps of arc length; use `from_control_points` to make them.

        Args:
            length_m: Length of one lap.
            points_m: (M, 2) positions, the first not repeated at the end.
            headings_rad: (M,) headings, unwrapped.
            curvatures_1_m: (M,) signed curvatures.
        """
        count = len(points_m)
        self.length_m = float(length_m)
        self.stations_m = np.arange(count) * (self.length_m / count)
        self.points_m = np.array(points_m, dtype=float)
        self.headings_rad = np.array(headings_rad, dtype=float)
        self.curvatures_1_m = np.array(curvatures_1_m, dtype=float)
        for array in (self.stations_m, self.points_m, self.headings_rad, self.curvatures_1_m):
            array.flags.writeable = False

        self._step_m = self.length_m / count
        last_step = math.remainder(self.headings_rad[0] - self.headings_rad[-1], math.tau)
        end_heading_rad = float(self.headings_rad[-1]) + last_step
        # One more sample closes the lap, so that every interval has both its ends.
        self._closed_headings = np.append(self.headings_rad, end_heading_rad)
        self._closed_curvatures = np.append(self.curvatures_1_m, self.curvatures_1_m[0])
        self._closed_points = np.vstack([self.points_m, self.points_m[:1]])
        self._tangents = np.column_stack(
            [np.cos(self._closed_headings), np.sin(self._closed_headings)]
        )
        # Plain floats: scalar access in `project` is several times faster than through numpy.
        self._samples: list[tuple[float, float, float, float]] = [
            (float(x), float(y), float(tx), float(ty))
            for (x, y), (tx, ty) in zip(self._closed_points, self._tangents, strict=True)
        ]

    @classmethod
    def from_control_points(cls, points: ArrayLike, spacing_m: float = 0.05) -> Self:
        """Lay a periodic cubic spline by chord length through control points.

        Args:
            points: (N, 2) control points in driving order, metres, N >= 4; a first point
                repeated at the end is dropped.
            spacing_m: Wanted distance between samples; the length is divided evenly.

        Raises:
            DataError: The points are not (N, 2), not finite, too few, or two neighbours coincide.
        """
        control = np.asarray(points, dtype=float)
        if control.ndim != 2 or control.shape[1] != 2 or not np.isfinite(control).all():
            raise DataError("control points must be a list of finite x, y pairs in metres")
        # An absolute tolerance: on a map's grid a relative one takes metres for nothing.
        if len(control) > 1 and np.hypot(*(control[0] - control[-1])) < _SAME_POINT_M:
            control = control[:-1]
        if len(control) < 4:
            raise DataError(f"a centreline needs at least 4 control points, got {len(control)}")
        closed = np.vstack([control, control[:1]])
        chords_m = np.hypot(*np.diff(closed, axis=0).T)
        if chords_m.min() < _SAME_POINT_M:
            at = int(chords_m.argmin())
            raise DataError(f"control points {at} and {(at + 1) % len(control)} are the same point")
        knots = np.concatenate([[0.0], np.cumsum(chords_m)])
        # Half a second to import: a model that can't run here is refused sooner.
        from scipy.interpolate import CubicSpline  # noqa: PLC0415

        spline = CubicSpline(knots, closed, bc_type="periodic")

        fine_count = math.ceil(knots[-1] / spacing_m * _OVERSAMPLING) + 1
        parameters = np.linspace(0.0, knots[-1], fine_count)
        speeds = np.hypot(*spline(parameters, 1).T)
        arc_m = np.concatenate(
            [[0.0], np.cumsum((speeds[1:] + speeds[:-1]) / 2 * np.diff(parameters))]
        )
        length_m = float(arc_m[-1])
        count = max(8, round(length_m / spacing_m))
        at_station = np.interp(np.arange(count) * (length_m / count), arc_m, parameters)

        first, second = spline(at_station, 1), spline(at_station, 2)
        cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
        return cls(
            length_m,
            spline(at_station),
            np.unwrap(np.arctan2(first[:, 1], first[:, 0])),
            cross / np.hypot(*first.T) ** 3,
        )

    def position(self, s_m: ArrayLike) -> Floats:
        """Positions (..., 2) at stations (...) of any value; stations wrap at the lap's end."""
        index, u = self._locate(s_m)
        u = u[..., None]
        step = self._step_m
        # Cubic Hermite basis.
        return np.asarray(
            (1 + 2 * u) * (1 - u) ** 2 * self._closed_points[index]
            + u * (1 - u) ** 2 * step * self._tangents[index]
            + u**2 * (3 - 2 * u) * self._closed_points[index + 1]
            + u**2 * (u - 1) * step * self._tangents[index + 1]
        )

    def heading(self, s_m: ArrayLike) -> Floats:
        """Headings (...) in radians at stations (...), unwrapped within the lap."""
        return self._interpolate(self._closed_headings, s_m)

    def curvature(self, s_m: ArrayLike) -> Floats:
        """Signed curvatures (...) in 1/m at stations (...), positive where the line turns left."""
        return self._interpolate(self._closed_curvatures, s_m)

    def project(
        self, xy: ArrayLike, near_s_m: float | None = None, window_m: float = 10.0
    ) -> Projection:
        """Find the nearest point of the line, exact to well below a millimetre.

        Args:
            xy: (2,) position in metres.
            near_s_m: If given, only stations within `window_m` of it count, so that a leg
                running close by is never mistaken for the one being driven.
            window_m: Half the window's length.

        Returns:
            Its station and the signed lateral offset.
        """
        x, y = (float(value) for value in np.asarray(xy, dtype=float))
        count, step = len(self.points_m), self._step_m
        if near_s_m is None or 2 * window_m >= self.length_m:
            candidates, low, high = None, -math.inf, math.inf
            points = self.points_m
        else:
            near = near_s_m % self.length_m
            low, high = near - window_m, near + window_m
            candidates = np.arange(math.ceil(low / step), math.floor(high / step) + 1)
            points = self.points_m[candidates % count]
        nearest = int(((points - (x, y)) ** 2).sum(axis=1).argmin())
        if candidates is not None:
            nearest = int(candidates[nearest])
        low, high = max(low, (nearest - 1) * step), min(high, (nearest + 1) * step)
        station_m, lateral_m = self._refine(x, y, nearest * step, low, high)
        # The modulo of a tiny negative number rounds to the length itself.
        wrapped_m = station_m % self.length_m
        return Projection(wrapped_m if wrapped_m < self.length_m else 0.0, lateral_m)

    def project_many(
        self, points: ArrayLike, near_first_s_m: float | None = None, window_m: float = 10.0
    ) -> tuple[Floats, Floats]:
        """Project a driven path, following it sample by sample with the window.

        Args:
            points: (K, 2) positions in driven order.
            near_first_s_m: A station near the first position; None searches the whole lap.
            window_m: Half the window around the previous station.

        Returns:
            Stations (K,) and lateral offsets (K,).
        """
        path = np.asarray(points, dtype=float).reshape(-1, 2)
        projected = np.empty((len(path), 2))
        near_m = near_first_s_m
        for row, xy in enumerate(path):
            projected[row] = self.project(xy, near_m, window_m)
            near_m = float(projected[row, 0])
        return projected[:, 0], projected[:, 1]

    def reversed(self) -> "Centreline":
        """The same curve driven the other way; station 0 stays the same point."""
        headings_rad = self._closed_headings[:0:-1] + math.pi
        headings_rad -= math.tau * round(float(headings_rad[0]) / math.tau)
        return Centreline(
            self.length_m,
            self._closed_points[:0:-1],
            headings_rad,
            -self._closed_curvatures[:0:-1],
        )

    def _locate(self, s_m: ArrayLike) -> tuple[NDArray[np.intp], Floats]:
        """Interval index and the fraction within it, for stations of any value."""
        scaled = np.mod(np.asarray(s_m, dtype=float), self.length_m) / self._step_m
        index = np.minimum(scaled.astype(np.intp), len(self.points_m) - 1)
        return index, np.asarray(scaled - index)

    def _interpolate(self, values: Floats, s_m: ArrayLike) -> Floats:
        index, u = self._locate(s_m)
        return np.asarray(values[index] * (1 - u) + values[index + 1] * u)

    def _refine(
        self, x: float, y: float, s_m: float, low_m: float, high_m: float
    ) -> tuple[float, float]:
        """Nearest station in [low, high] by Newton's method, kept in a shrinking bracket.

        The nearest point is where the offset is square to the tangent: (p - c(s)) . t(s) = 0.
        """
        for _ in range(_MAX_REFINEMENTS):
            cx, cy, tx, ty, curvature = self._evaluate(s_m)
            ahead_m = (x - cx) * tx + (y - cy) * ty
            lateral_m = (y - cy) * tx - (x - cx) * ty
            if ahead_m > 0:
                low_m = s_m
            else:
                high_m = s_m
            slope = 1 - curvature * lateral_m
            proposed = s_m + ahead_m / slope if slope > 0 else math.nan
            if not low_m <= proposed <= high_m:
                proposed = (low_m + high_m) / 2
            moved_m, s_m = abs(proposed - s_m), proposed
            if moved_m < _CONVERGED_M:
                break
        cx, cy, tx, ty, _ = self._evaluate(s_m)
        return s_m, (y - cy) * tx - (x - cx) * ty

    def _evaluate(self, s_m: float) -> tuple[float, float, float, float, float]:
        """Position, unit tangent and curvature of the Hermite segment at a station."""
        step = self._step_m
        scaled = (s_m % self.length_m) / step
        index = min(int(scaled), len(self._samples) - 2)
        u = scaled - index
        x0, y0, tx0, ty0 = self._samples[index]
        x1, y1, tx1, ty1 = self._samples[index + 1]
        v = 1 - u
        a, b, c, d = (1 + 2 * u) * v * v, u * v * v * step, u * u * (3 - 2 * u), -u * u * v * step
        e, f, g = 6 * u * v / step, v * (1 - 3 * u), u * (3 * u - 2)
        dx = e * (x1 - x0) + f * tx0 + g * tx1
        dy = e * (y1 - y0) + f * ty0 + g * ty1
        speed = math.hypot(dx, dy)
        curvature = (tx0 * ty1 - ty0 * tx1) / step
        return (
            a * x0 + b * tx0 + c * x1 + d * tx1,
            a * y0 + b * ty0 + c * y1 + d * ty1,
            dx / speed,
            dy / speed,
            curvature,
        )
