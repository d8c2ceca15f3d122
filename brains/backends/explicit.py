"""The explicit brain: finds the red line in the image and pursues it; no network, no map.

Each looked-at image row is a known distance ahead on flat ground (pinhole camera, looking
level), so the line's pixels are points on the road in metres. The car steers for the point
on the line at its look-ahead distance (pure pursuit) and slows for the sharpest bend it sees.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from brains.interface import Brain, Command, Frame
from brains.model import ModelSpec

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ExplicitParams:
    """Camera and manner of driving.

    Attributes:
        camera_fov_rad: Horizontal field of view.
        camera_height_m: Height of the camera over the red line, which lies 15 mm over the ground.
        camera_forward_m: How far the camera is ahead of the point the car turns about.
        camera_left_m: How far it is to the left of the car's middle.
        nearest_m: Nearest distance at which the line is looked for.
        farthest_m: Farthest one.
        rows: How many image rows are looked at.
        lookahead_s: Look-ahead distance for each m/s of speed.
        lookahead_m: The same, constant part.
        lateral_acceleration_m_s2: Sets the speed in a bend, v^2 = a / |curvature|.
        v_min_m_s: Lowest speed.
        v_max_m_s: Highest speed.
        search_w_rad_s: Yaw rate towards where the line was last seen, once it is lost.
    """

    camera_fov_rad: float = 1.57
    camera_height_m: float = 0.205
    camera_forward_m: float = 0.45
    camera_left_m: float = 0.04
    nearest_m: float = 0.35
    farthest_m: float = 7.0
    rows: int = 28
    lookahead_s: float = 0.16
    lookahead_m: float = 0.6
    lateral_acceleration_m_s2: float = 8.0
    v_min_m_s: float = 3.0
    v_max_m_s: float = 9.0
    search_w_rad_s: float = 1.5


class ExplicitBrain(Brain):
    """Red line follower."""

    def __init__(self, params: ExplicitParams | None = None) -> None:
        self.params = params or ExplicitParams()
        self._last_side = 0.0
        p = self.params
        self._distances_m = np.geomspace(p.nearest_m, p.farthest_m, p.rows)

    @classmethod
    def load(cls, model: ModelSpec) -> Self:
        """Take the parameters from the model's options."""
        return cls(ExplicitParams(**model.options))

    def predict(self, data: Frame) -> Command:
        """Find the line in a frame and steer for it."""
        line = self._line_points(data)
        if len(line) < 2:
            return self._search()
        p = self.params
        x_m, y_m = line.T
        self._last_side = math.copysign(1.0, y_m[0])
        bends = 2 * np.abs(y_m - y_m[0]) / np.maximum((x_m - x_m[0]) ** 2 + 0.5, 1e-6)
        v = math.sqrt(p.lateral_acceleration_m_s2 / (float(bends.max()) + 1e-6))
        # A line that leaves the image early bends out of sight.
        v = min(v, p.v_max_m_s, p.v_min_m_s + 1.5 * float(x_m[-1] - p.camera_forward_m))
        v = max(v, p.v_min_m_s)
        wanted_m = p.lookahead_m + p.lookahead_s * v + p.camera_forward_m
        target_y_m = float(np.interp(wanted_m, x_m, y_m))
        target_x_m = min(max(wanted_m, float(x_m[0])), float(x_m[-1]))
        return Command(v, 2 * v * target_y_m / (target_x_m**2 + target_y_m**2))

    def proof(self) -> dict[str, Any]:
        """OpenCV on the CPU."""
        return super().proof() | {"engine": "opencv", "engine_version": str(cv2.__version__)}

    def _search(self) -> Command:
        """Creep towards the side where the line was last seen."""
        p = self.params
        return Command(p.v_min_m_s, p.search_w_rad_s * self._last_side)

    def _line_points(self, frame: Frame) -> Floats:
        """Points of the line, shape (n, 2), metres ahead and to the left of the car."""
        p = self.params
        height, width = frame.shape[:2]
        focal_px = width / 2 / math.tan(p.camera_fov_rad / 2)
        rows = np.rint(height / 2 + focal_px * p.camera_height_m / self._distances_m).astype(int)
        rows = np.unique(rows[rows < height])
        distances_m = focal_px * p.camera_height_m / np.maximum(rows - height / 2, 0.5)
        red = _red_mask(frame[rows])
        points: list[tuple[float, float]] = []
        # From the nearest row outwards: near the car no kerb can be taken for the line.
        for mask, ahead_m in zip(red[::-1], distances_m[::-1], strict=True):
            lefts_m = (width / 2 - _run_centres(mask)) / focal_px * ahead_m
            if not len(lefts_m):
                continue
            expected_m = _extrapolate(points, ahead_m)
            nearest = float(lefts_m[np.abs(lefts_m - expected_m).argmin()])
            step_m = ahead_m - points[-1][0] if points else ahead_m
            if abs(nearest - expected_m) <= 0.15 + 0.6 * step_m:
                points.append((float(ahead_m), nearest))
        offset = np.array([p.camera_forward_m, p.camera_left_m])
        return np.asarray(np.array(points).reshape(-1, 2) + offset)


def _red_mask(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels, shape (..., 3), are clearly red, whatever the brightness."""
    red, green, blue = (pixels[..., channel].astype(np.int16) for channel in range(3))
    other = np.maximum(green, blue)
    return np.asarray((red > 50) & (red > 2 * other))


def _run_centres(mask: NDArray[np.bool_]) -> Floats:
    """Centres of the runs of True in a row of pixels."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return np.asarray(edges.reshape(-1, 2).mean(axis=1))


def _extrapolate(points: list[tuple[float, float]], ahead_m: float) -> float:
    """Where the line should be at a distance, going on straight from the last two points."""
    if len(points) < 2:
        return points[-1][1] if points else 0.0
    (x0, y0), (x1, y1) = points[max(-4, -len(points))], points[-1]
    return y1 + (y1 - y0) / (x1 - x0) * (ahead_m - x1)
