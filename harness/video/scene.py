"""The pictures of a video: the camera's frame, and beside it what the car does."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.recording.images import Picture
from harness.video.canvas import (
    ASPHALT,
    BLUE,
    FAINT,
    INK,
    ORANGE,
    PAPER,
    RAISED,
    RED,
    Align,
    box,
    line,
    polygon,
    shade,
    words,
)
from harness.video.telemetry import Telemetry
from worlds.centreline import Centreline
from worlds.circuit import Circuit

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 1280, 720
_CAMERA_WIDTH = 960
_LEFT, _RIGHT = _CAMERA_WIDTH + 22, WIDTH - 22
_SPAN = _RIGHT - _LEFT
_MAP_TOP, _MAP_HEIGHT = 112, 216
_GAUGES_TOP, _GAUGE_HEIGHT = 352, 84
_CHART_TOP, _CHART_HEIGHT = 634, 64
_CAR_LENGTH = 9.0
_LEAST_CHART_M = 0.3
_MAP_SPACING_M = 1.0


@dataclass(frozen=True)
class Titles:
    """Words that stay.

    Attributes:
        model: Who drives.
        course: On what.
        verdict: How it ended, shown over the last picture; its first word is the outcome.
        figures: The run in numbers, below the verdict.
    """

    model: str
    course: str
    verdict: str
    figures: str


class Scene:
    """Draws a video's pictures in their order."""

    def __init__(
        self,
        circuit: Circuit,
        centreline: Centreline,
        start_station_m: float,
        laps: int,
        telemetry: Telemetry,
        titles: Titles,
    ) -> None:
        """Draw what stays the same.

        Args:
            circuit: The circuit.
            centreline: Its centreline in the driving direction.
            start_station_m: Station of the start line on it.
            laps: Laps to drive.
            telemetry: The car at the times of the pictures.
            titles: Words that stay.
        """
        self._telemetry = telemetry
        self._titles = titles
        self._laps = laps
        self._lap_m = centreline.length_m
        self._half_m = circuit.asphalt_width_m / 2.0
        self._top_speed_m_s = float(np.ceil(max(1.0, telemetry.speed_m_s.max())))
        self._top_steering = float(np.ceil(max(1.0, np.abs(telemetry.steering_rad_s).max())))
        self._frame = _Frame.of(centreline)
        self._back = np.full((HEIGHT, WIDTH, 3), PAPER, dtype=np.uint8)
        self._drawn = 0
        self._draw_titles()
        self._draw_map(centreline, start_station_m)
        self._chart = self._draw_chart()

    def picture(self, index: int, camera: Picture) -> Picture:
        """The picture of a frame; asked for in ascending order.

        Args:
            index: Number of the frame.
            camera: What the camera saw, uint8 (height, width, 3) in blue-green-red.

        Returns:
            A new picture, uint8 (720, 1280, 3).
        """
        self._draw_trails(index)
        picture = self._back.copy()
        place_camera(picture, camera)
        self._write_state(picture, index)
        self._draw_car(picture, index)
        self._draw_gauges(picture, index)
        x, y = self._chart[index]
        line(picture, np.array([[x, _CHART_TOP], [x, _CHART_TOP + _CHART_HEIGHT]]), FAINT)
        cv2.circle(picture, (round(x), round(y)), 4, INK, -1, cv2.LINE_AA)
        return picture

    def ending(self, picture: Picture) -> Picture:
        """A picture with the run's verdict over the camera's part."""
        picture = picture.copy()
        shade(picture, 0, 270, _CAMERA_WIDTH, 130, 0.72)
        middle = _CAMERA_WIDTH // 2
        words(picture, self._titles.verdict, middle, 326, 38, INK, Align.CENTRE, bold=True)
        words(picture, self._titles.figures, middle, 370, 22, INK, Align.CENTRE)
        return picture

    def _draw_titles(self) -> None:
        # A long name must not run out of the picture.
        size = min(26, int(26 * 19 / max(19, len(self._titles.model))))
        words(self._back, self._titles.model, _LEFT, 42, size, bold=True)
        words(self._back, self._titles.course, _LEFT, 66, 16, FAINT)

    def _draw_map(self, centreline: Centreline, start_station_m: float) -> None:
        count = max(8, round(centreline.length_m / _MAP_SPACING_M))
        stations_m = np.arange(count) * (centreline.length_m / count)
        line(
            self._back, self._frame.place(centreline.position(stations_m)), ASPHALT, 7, closed=True
        )
        heading = float(centreline.heading(start_station_m))
        across = np.array([-np.sin(heading), np.cos(heading)]) * 7.0 / self._frame.scale
        here = centreline.position(start_station_m)
        line(self._back, self._frame.place(np.stack([here - across, here + across])), INK, 2)

    def _draw_chart(self) -> Floats:
        """The frame of the deviation's chart; where each frame's point lies in it (N, 2)."""
        seen = self._telemetry
        progress_m = seen.progress_m
        words(self._back, "Deviation along the way", _LEFT, _CHART_TOP - 10, 15, FAINT)
        top_m = max(_LEAST_CHART_M, float(np.abs(seen.lateral_m).max()) * 1.05)
        named = f"\N{PLUS-MINUS SIGN}{top_m:.1f} m"
        words(self._back, named, _RIGHT, _CHART_TOP - 10, 15, FAINT, Align.RIGHT)
        box(self._back, _LEFT, _CHART_TOP, _SPAN, _CHART_HEIGHT, RAISED)
        middle = _CHART_TOP + _CHART_HEIGHT / 2.0
        line(self._back, np.array([[_LEFT, middle], [_RIGHT, middle]]), ASPHALT)
        whole_m = max(self._laps * self._lap_m, float(progress_m.max()))
        return np.column_stack(
            [
                _LEFT + np.clip(progress_m / whole_m, 0.0, 1.0) * _SPAN,
                middle - seen.lateral_m / top_m * (_CHART_HEIGHT / 2.0 - 3.0),
            ]
        )

    def _draw_trails(self, index: int) -> None:
        """The driven line on the map and in the chart, up to a frame: drawn once, they stay."""
        if index <= self._drawn:
            return
        seen, part = self._telemetry, slice(self._drawn, index + 1)
        places = self._frame.place(np.column_stack([seen.x_m[part], seen.y_m[part]]))
        line(self._back, places, BLUE, 2)
        line(self._back, self._chart[part], BLUE, 1)
        self._drawn = index

    def _write_state(self, picture: Picture, index: int) -> None:
        seen = self._telemetry
        lap = int(np.clip(seen.progress_m[index] // self._lap_m, 0, self._laps - 1)) + 1
        words(picture, f"Lap {lap}/{self._laps}", _LEFT, 97, 18)
        elapsed_s = seen.sim_s[index] - seen.sim_s[0]
        words(picture, f"{elapsed_s:.1f} s", _RIGHT, 97, 18, INK, Align.RIGHT)
        inference_ms = float(seen.inference_ms[index])
        if np.isfinite(inference_ms):
            shade(picture, 14, 14, 210, 36, 0.55)
            words(picture, f"inference {inference_ms:.1f} ms", 26, 38, 18)

    def _draw_car(self, picture: Picture, index: int) -> None:
        seen = self._telemetry
        yaw = float(seen.yaw_rad[index])
        ahead = np.array([np.cos(yaw), -np.sin(yaw)])  # the map's y runs down
        left = np.array([ahead[1], -ahead[0]])
        here = self._frame.place(np.array([[seen.x_m[index], seen.y_m[index]]]))[0]
        tail = here - 0.8 * _CAR_LENGTH * ahead
        corners = [here + _CAR_LENGTH * ahead, tail + 6.0 * left, tail - 6.0 * left]
        polygon(picture, np.array(corners), ORANGE)

    def _draw_gauges(self, picture: Picture, index: int) -> None:
        seen = self._telemetry
        speed = float(seen.speed_m_s[index])
        y = self._gauge(picture, 0, "Speed", f"{speed:.2f} m/s")
        box(picture, _LEFT, y, _SPAN, 10, RAISED)
        box(picture, _LEFT, y, _SPAN * min(speed / self._top_speed_m_s, 1.0), 10, BLUE)

        steering = float(seen.steering_rad_s[index])
        y = self._gauge(picture, 1, "Steering", f"{steering:+.2f} rad/s")
        box(picture, _LEFT, y, _SPAN, 10, RAISED)
        middle = _LEFT + _SPAN / 2.0
        # To the left is to the left.
        end = middle - steering / self._top_steering * _SPAN / 2.0
        box(picture, min(middle, end), y, abs(end - middle), 10, ORANGE)
        box(picture, middle - 1, y - 3, 2, 16, FAINT)

        lateral_m = float(seen.lateral_m[index])
        y = self._gauge(picture, 2, "Deviation", f"{lateral_m:+.3f} m")
        box(picture, _LEFT, y, _SPAN, 10, ASPHALT)
        box(picture, middle - 2, y, 4, 10, RED)
        share = np.clip(lateral_m / self._half_m, -1.0, 1.0)
        box(picture, middle - share * _SPAN / 2.0 - 4, y - 4, 8, 18, INK)

    def _gauge(self, picture: Picture, row: int, name: str, value: str) -> int:
        """A gauge's words; the height at which its bar begins."""
        y = _GAUGES_TOP + row * _GAUGE_HEIGHT
        words(picture, name, _LEFT, y + 26, 16, FAINT)
        words(picture, value, _RIGHT, y + 28, 26, INK, Align.RIGHT, bold=True)
        return y + 42


def place_camera(picture: Picture, camera: Picture) -> None:
    """Put a camera's frame into the left of a picture, as large as it fits."""
    height, width = camera.shape[:2]
    scale = min(_CAMERA_WIDTH / width, HEIGHT / height)
    fitted = (round(width * scale), round(height * scale))
    x, y = (_CAMERA_WIDTH - fitted[0]) // 2, (HEIGHT - fitted[1]) // 2
    smooth = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    picture[y : y + fitted[1], x : x + fitted[0]] = cv2.resize(camera, fitted, interpolation=smooth)


@dataclass(frozen=True)
class _Frame:
    """Where metres lie on the map, in pixels."""

    centre_m: Floats
    scale: float

    @classmethod
    def of(cls, centreline: Centreline) -> "_Frame":
        low_m, high_m = centreline.points_m.min(axis=0), centreline.points_m.max(axis=0)
        room = np.array([_SPAN - 16.0, _MAP_HEIGHT - 16.0])
        scale = float((room / np.maximum(high_m - low_m, 1.0)).min())
        return cls((low_m + high_m) / 2.0, scale)

    def place(self, points_m: Floats) -> Floats:
        """Pixels (N, 2) of points (N, 2); north is up."""
        across, up = (points_m - self.centre_m).T * self.scale
        middle_x, middle_y = _LEFT + _SPAN / 2.0, _MAP_TOP + _MAP_HEIGHT / 2.0
        return np.column_stack([middle_x + across, middle_y - up])
