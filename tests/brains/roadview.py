"""A road seen by a level pinhole camera, drawn by ray casting onto flat ground."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from worlds.centreline import Centreline

FOV_RAD = 1.57
CLIP_M = 15.0
CAMERA_FORWARD_M, CAMERA_LEFT_M = 0.45, 0.04

GRASS, ASPHALT, LINE, SKY = (110, 190, 90), (60, 60, 62), (200, 20, 20), (120, 170, 230)


class RoadView:
    """Draws frames of a circuit's red line, asphalt and grass."""

    def __init__(
        self,
        line: Centreline,
        *,
        height_px: int = 240,
        width_px: int = 320,
        camera_height_m: float = 0.205,
        half_line_m: float = 0.05,
        half_asphalt_m: float = 1.6,
    ) -> None:
        self._tree = cKDTree(line.points_m)
        self._half_line_m, self._half_asphalt_m = half_line_m, half_asphalt_m
        focal_px = width_px / 2 / math.tan(FOV_RAD / 2)
        rows, columns = np.mgrid[0:height_px, 0:width_px] + 0.5
        below = rows - height_px / 2
        ahead_m = np.where(below > 0, focal_px * camera_height_m / np.maximum(below, 1e-9), np.inf)
        self._ground = ahead_m < CLIP_M
        self._ahead_m = ahead_m[self._ground]
        self._left_m = (width_px / 2 - columns[self._ground]) / focal_px * self._ahead_m
        self._shape = (height_px, width_px, 3)

    def frame(self, pose: tuple[float, float, float]) -> NDArray[np.uint8]:
        """What the camera of a car at ``pose`` (x, y, yaw) sees: uint8, (height, width, 3)."""
        x, y, yaw = pose
        ahead_m, left_m = self._ahead_m + CAMERA_FORWARD_M, self._left_m + CAMERA_LEFT_M
        ground = np.column_stack(
            [
                x + ahead_m * math.cos(yaw) - left_m * math.sin(yaw),
                y + ahead_m * math.sin(yaw) + left_m * math.cos(yaw),
            ]
        )
        distance_m = self._tree.query(ground, distance_upper_bound=self._half_asphalt_m)[0]
        image = np.full(self._shape, SKY, np.uint8)
        colours = np.full((len(ground), 3), GRASS, np.uint8)
        colours[distance_m < self._half_asphalt_m] = ASPHALT
        colours[distance_m < self._half_line_m] = LINE
        image[self._ground] = colours
        return image
