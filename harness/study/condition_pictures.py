"""`python -m harness.study.condition_pictures`: a picture of every condition, for its guide.

Each shows one camera frame of a recording as it is and at the condition's levels, or what the
condition draws over time. Frames are changed by the very functions of a run; what a run has the
simulator render anew (how the camera sits, a worn line, light, the start) is computed from the
frame by the camera's geometry: exact for turns and for the ground, not for what stands on it.
"""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.conditions.arrivals import FrameLoss, Freezes
from harness.conditions.asked import Conditions
from harness.conditions.draws import generator
from harness.conditions.sight import Sight
from harness.conditions.table import TABLE, Condition, level_text
from harness.conditions.wear import worn_gaps_m
from harness.conditions.wind import PERIOD_S, gusts_rad_s
from harness.errors import PitwallError
from harness.files import writing
from harness.paths import project_root
from harness.recording.bag_metrics import measured_log
from harness.recording.messages import bag_of
from harness.replay.source import open_source, read_frames
from harness.run.lockstep import CAMERA_PERIOD_NS
from worlds.appearance import lit
from worlds.car.model import ORIGIN_HEIGHT_M
from worlds.car.sdf import CAMERA_HFOV_RAD, CAMERA_XYZ_M
from worlds.centreline import Centreline

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

_FRAME = 320
_SEED = 4
_CELL = (160, 120)
_LABEL = 16
_QUALITY = 82
_HEIGHT_M = CAMERA_XYZ_M[2] + ORIGIN_HEIGHT_M
_INK, _PAPER, _LOST = (40, 40, 40), (255, 255, 255), (200, 60, 40)
_SHOWN_S = 5.0
# What is steered by when a picture shows where the car goes.
_V_M_S, _W_RAD_S, _AHEAD_S = 6.0, -0.6, 1.4


@dataclass(frozen=True)
class View:
    """A camera frame, and where it was taken.

    Attributes:
        pixels: The frame, red-green-blue.
        stamp_ns: Its simulated time.
        pose: Of the car: x and y in metres, yaw in rad.
        line: The circuit's forward centreline.
    """

    pixels: Picture
    stamp_ns: int
    pose: tuple[float, float, float]
    line: Centreline

    @property
    def focal_px(self) -> float:
        """Focal length."""
        return float(self.pixels.shape[1]) / 2.0 / math.tan(CAMERA_HFOV_RAD / 2.0)

    def camera(self) -> Floats:
        """The camera's matrix (3, 3), for rays with x right, y down, z ahead."""
        height, width, _ = self.pixels.shape
        f = self.focal_px
        return np.array([[f, 0.0, width / 2.0], [0.0, f, height / 2.0], [0.0, 0.0, 1.0]])

    def warped(self, homography: Floats) -> Picture:
        """The frame through a mapping (3, 3) of rays from the usual camera's to another's."""
        matrix = self.camera()
        height, width, _ = self.pixels.shape
        whole = matrix @ homography @ np.linalg.inv(matrix)
        return np.asarray(
            cv2.warpPerspective(
                self.pixels, whole, (width, height), borderMode=cv2.BORDER_REPLICATE
            ),
            np.uint8,
        )

    def ground_px(self, ahead_m: Floats, left_m: Floats) -> Floats:
        """Pixels (N, 2) of points on the ground, in the car's frame."""
        depth_m = ahead_m - CAMERA_XYZ_M[0]
        beside_m = left_m - CAMERA_XYZ_M[1]
        height, width, _ = self.pixels.shape
        u = width / 2.0 - self.focal_px * beside_m / depth_m
        v = height / 2.0 + self.focal_px * _HEIGHT_M / depth_m
        return np.column_stack([u, v])


def view_of(recording: Path, number: int) -> View:
    """A frame of a recording with its camera, and where the car was.

    Raises:
        DataError: There is no bag, or none with so many frames.
    """
    bag = bag_of(recording)
    measured, log, _ = measured_log(bag)
    frame = next(f for i, f in enumerate(read_frames(open_source(bag))) if i == number)
    at = int(np.searchsorted(log.odometry.sim_s, frame.stamp_ns / 1e9))
    odometry = log.odometry
    pose = (float(odometry.x_m[at]), float(odometry.y_m[at]), float(odometry.yaw_rad[at]))
    line = measured.course.circuit.centreline("forward")
    return View(frame.pixels, frame.stamp_ns, pose, line)


def _seen(view: View, name: str, level: float) -> Picture:
    text = f"{name}={level_text(level)}"
    sight = Sight(Conditions.parse(text), _SEED, CAMERA_PERIOD_NS)
    return sight.of(view.pixels, view.stamp_ns)


def _tilted(view: View, down_deg: float) -> Picture:
    a = math.radians(down_deg)
    turn = [[1.0, 0.0, 0.0], [0.0, math.cos(a), -math.sin(a)], [0.0, math.sin(a), math.cos(a)]]
    return view.warped(np.array(turn))


def _turned(view: View, left_deg: float) -> Picture:
    a = math.radians(left_deg)
    turn = [[math.cos(a), 0.0, math.sin(a)], [0.0, 1.0, 0.0], [-math.sin(a), 0.0, math.cos(a)]]
    return view.warped(np.array(turn))


def _moved(view: View, up_m: float, left_m: float) -> Picture:
    """The ground as a camera elsewhere sees it; what stands above the horizon stays."""
    # Of the plane y = height: X' = X - t, t = (-left, -up, 0), and 1 = y / height on it.
    shift = np.eye(3)
    shift[0, 1] += left_m / _HEIGHT_M
    shift[1, 1] += up_m / _HEIGHT_M
    ground = view.warped(shift)
    horizon = view.pixels.shape[0] // 2
    return np.vstack([view.pixels[:horizon], ground[horizon:]])


def _worn(view: View, share: float) -> Picture:
    gaps = np.array(worn_gaps_m(_SEED, share, view.line.length_m))
    red, green, blue = (view.pixels[..., i].astype(int) for i in range(3))
    rows, columns = np.nonzero((red > 120) & (green < 60) & (blue < 60))
    height, width, _ = view.pixels.shape
    below = rows > height / 2.0 + 1.0
    rows, columns = rows[below], columns[below]
    ahead_m = view.focal_px * _HEIGHT_M / (rows + 0.5 - height / 2.0)
    left_m = (width / 2.0 - columns - 0.5) / view.focal_px * ahead_m + CAMERA_XYZ_M[1]
    x_m, y_m, yaw = view.pose
    ahead_m = ahead_m + CAMERA_XYZ_M[0]
    places = np.column_stack(
        [
            x_m + ahead_m * math.cos(yaw) - left_m * math.sin(yaw),
            y_m + ahead_m * math.sin(yaw) + left_m * math.cos(yaw),
        ]
    )
    stations_m = np.arange(0.0, view.line.length_m, 0.05)
    points_m = view.line.position(stations_m)
    picture = view.pixels.copy()
    asphalt = view.pixels[-1, 0]
    for row, column, place in zip(rows, columns, places, strict=True):
        station_m = stations_m[np.argmin(((points_m - place) ** 2).sum(axis=1))]
        if ((gaps[:, 0] <= station_m) & (station_m < gaps[:, 1])).any():
            picture[row, column] = asphalt
    return picture


def _lit(view: View, light: float) -> Picture:
    shares = np.array(lit((1.0, 1.0, 1.0), light)) if light <= 1.0 else np.full(3, light)
    return np.asarray(np.clip(np.rint(view.pixels * shares), 0, 255), np.uint8)


def _path(gain: float, bias_rad_s: float, speed_gain: float, gusts: Floats | None) -> Floats:
    """Points (N, 2) ahead and left of a car that gets one command for a while, obeyed so."""
    steps = round(_AHEAD_S / PERIOD_S)
    w = np.full(steps, gain * _W_RAD_S + bias_rad_s)
    if gusts is not None:
        w += gusts[:steps]
    yaw = np.cumsum(w) * PERIOD_S
    step_m = speed_gain * _V_M_S * PERIOD_S
    return np.column_stack([np.cumsum(np.cos(yaw)), np.cumsum(np.sin(yaw))]) * step_m


def _driven(view: View, path_m: Floats) -> Picture:
    """The frame with where the car goes when it obeys (white), and where it does now (black)."""
    picture = view.pixels.copy()
    for points_m, colour in ((_path(1.0, 0.0, 1.0, None), (255, 255, 255)), (path_m, (0, 0, 0))):
        seen_m = points_m[points_m[:, 0] > CAMERA_XYZ_M[0] + 0.3]
        pixels = np.rint(view.ground_px(seen_m[:, 0], seen_m[:, 1]))
        pixels = np.clip(pixels, -5000, 5000).astype(np.int32)
        cv2.polylines(picture, [pixels.reshape(-1, 1, 2)], False, colour, 8, cv2.LINE_AA)
    return picture


_FRAMES: dict[str, Callable[[View, float], Picture]] = {
    "camera_pitch_deg": _tilted,
    "camera_yaw_deg": _turned,
    "camera_height_m": lambda view, up_m: _moved(view, up_m, 0.0),
    "line_worn": _worn,
    "light": _lit,
    "start_offset_m": lambda view, left_m: _moved(view, 0.0, left_m),
    "start_heading_deg": _turned,
    "steering_bias_rad_s": lambda view, bias: _driven(view, _path(1.0, bias, 1.0, None)),
    "steering_gain": lambda view, gain: _driven(view, _path(gain, 0.0, 1.0, None)),
    "speed_gain": lambda view, gain: _driven(view, _path(1.0, 0.0, gain, None)),
    "gusts": lambda view, sigma: _driven(
        view, _path(1.0, 0.0, 1.0, gusts_rad_s(_SEED, sigma, _AHEAD_S))
    ),
}


def _arrivals(lost: Callable[[int], bool]) -> Picture:
    """Five seconds of frames: one bar each, red where it is lost or held."""
    width, height = _CELL
    picture = np.full((height, width, 3), _PAPER, np.uint8)
    frames = round(_SHOWN_S * 1e9 / CAMERA_PERIOD_NS)
    for number in range(frames):
        left = 5 + number * (width - 10) // frames
        colour = _LOST if lost(number + 1) else _INK
        cv2.line(picture, (left, 35), (left, height - 35), colour, 1)
    return picture


def _latencies(mean_ms: float) -> Picture:
    """What is added to a hundred latencies: a bar each, the picture's height is 200 ms."""
    width, height = _CELL
    picture = np.full((height, width, 3), _PAPER, np.uint8)
    drawn_ms = generator(_SEED, "latency_jitter_ms").exponential(mean_ms, width - 10)
    for column, added_ms in enumerate(drawn_ms, start=5):
        top = height - 5 - round(min(float(added_ms) / 200.0, 1.0) * (height - 10))
        cv2.line(picture, (column, height - 5), (column, top), _INK, 1)
    return picture


def _cell(view: View, condition: Condition, level: float) -> Picture:
    match condition.name:
        case "frame_drop":
            loss = FrameLoss(_SEED, level)
            return _arrivals(loss.loses)
        case "camera_freeze":
            freezes = Freezes(_SEED, level)
            return _arrivals(lambda number: freezes.holds(number * CAMERA_PERIOD_NS))
        case "latency_jitter_ms":
            return _latencies(level)
        case name if name in _FRAMES:
            return _small(_FRAMES[name](view, level))
        case name:
            return _small(_seen(view, name, level))


def _usual(view: View, condition: Condition) -> Picture:
    match condition.name:
        case "frame_drop" | "camera_freeze":
            return _arrivals(lambda _: False)
        case "latency_jitter_ms":
            return _latencies(0.0)
        case _:
            return _small(view.pixels)


def _small(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, _CELL, interpolation=cv2.INTER_AREA), np.uint8)


def strip(view: View, condition: Condition) -> Picture:
    """A condition's picture: as usual, then its levels, each with its label."""
    labels = ["as usual", *(level_text(level) for level in condition.levels)]
    cells = [_usual(view, condition), *(_cell(view, condition, at) for at in condition.levels)]
    return np.hstack([_labelled(cell, label) for cell, label in zip(cells, labels, strict=True)])


def _labelled(cell: Picture, label: str) -> Picture:
    height, width, _ = cell.shape
    picture = np.full((height + _LABEL, width + 4, 3), _PAPER, np.uint8)
    picture[:height, 2 : width + 2] = cell
    place = (4, height + _LABEL - 4)
    cv2.putText(picture, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, _INK, 1, cv2.LINE_AA)
    return picture


def draw_all(recording: Path, folder: Path) -> list[Path]:
    """Writes a JPEG for each condition.

    Raises:
        DataError: The recording has no such frame.
        StorageError: A picture can't be written.
    """
    view = view_of(recording, _FRAME)
    files = []
    for condition in TABLE:
        path = folder / f"{condition.name}.jpg"
        turned = cv2.cvtColor(strip(view, condition), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.tobytes())
        files.append(path)
    return files


def main(words: Sequence[str] | None = None) -> int:
    """Draws them; the exit code of what went wrong, if anything did."""
    root = project_root()
    parser = argparse.ArgumentParser(
        prog="python -m harness.study.condition_pictures",
        description=(__doc__ or "").split("\n")[0],
    )
    parser.add_argument("--recording", type=Path, default=root / "recordings" / "sample")
    parser.add_argument("--output", type=Path, default=root / "docs" / "images" / "conditions")
    options = parser.parse_args(words)
    try:
        for path in draw_all(options.recording, options.output):
            print(path)
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
