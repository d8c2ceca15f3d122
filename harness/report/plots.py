"""Pictures of a run: the driven line, its deviation along the lap, the inference times."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as MplPath
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from shapely import LinearRing

from harness.files import writing
from harness.metrics import timing
from harness.metrics.figures import Drive, replay
from harness.metrics.lap import LapLimits
from harness.metrics.run_log import RunLog
from harness.recording.results import Result
from worlds.centreline import Centreline
from worlds.circuit import Circuit

Floats = NDArray[np.float64]

_DPI = 150
_SPEED_MAP = "viridis"
# Okabe and Ito's palette: told apart by colour-blind readers too.
_BLUE, _ORANGE, _GREEN, _PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
_LAP_COLOURS = (_BLUE, _ORANGE, _GREEN, _PURPLE)
_INK, _FAINT, _ASPHALT, _WALL = "#333333", "#999999", "#ececec", "#b8b8b8"
_MIN_DEVIATION_SPAN_M = 0.2


@dataclass(frozen=True)
class Pictured:
    """What the pictures of a run are drawn from."""

    result: Result
    log: RunLog
    circuit: Circuit
    centreline: Centreline
    drive: Drive

    @classmethod
    def of(cls, result: Result, log: RunLog, circuit: Circuit) -> "Pictured":
        """Replay a run's log for drawing.

        Raises:
            DataError: Fewer than two odometry samples from go on, or simulated time is unknown.
        """
        log.times.check_known()
        centreline = circuit.centreline(result.direction)
        limits = LapLimits.of_circuit(circuit, result.laps_asked, result.timeout_s)
        drive = replay(log, centreline, result.start_station_m, result.laps_asked, limits)
        return cls(result, log, circuit, centreline, drive)


def draw_all(pictured: Pictured, folder: Path) -> tuple[Path, ...]:
    """Draw every picture that the run has the data for.

    Args:
        pictured: The run.
        folder: Where the PNGs go: `line.png`, `deviation.png` and, if the brain's iterations were
            recorded, `inference.png`.

    Returns:
        The files written.

    Raises:
        StorageError: The folder can't be written.
    """
    painters: dict[str, Callable[[Pictured], Figure | None]] = {
        "line.png": line_figure,
        "deviation.png": deviation_figure,
        "inference.png": inference_figure,
    }
    written = []
    for name, painter in painters.items():
        figure = painter(pictured)
        if figure is None:
            continue
        with writing(folder / name):
            figure.savefig(folder / name, dpi=_DPI, bbox_inches="tight", pad_inches=0.15)
        written.append(folder / name)
    return tuple(written)


def line_figure(pictured: Pictured) -> Figure:
    """The driven line over the circuit, coloured by speed."""
    circuit, centreline, path = pictured.circuit, pictured.centreline, pictured.drive.path
    width_m, height_m = np.ptp(centreline.points_m, axis=0)
    figure = _figure(10.0, float(np.clip(8.2 * height_m / width_m + 1.3, 4.0, 11.0)))
    axes = figure.add_subplot()
    half_m = circuit.asphalt_width_m / 2.0
    _track(axes, centreline, half_m, circuit.verge_m)
    points = np.column_stack([path.x_m, path.y_m])
    segments = np.stack([points[:-1], points[1:]], axis=1)
    steps_s = np.maximum(np.diff(path.sim_s), 1e-9)
    speeds_m_s = np.hypot(*np.diff(points, axis=0).T) / steps_s
    line = LineCollection(list(segments), cmap=_SPEED_MAP, linewidth=2.2, zorder=3)
    line.set_array(speeds_m_s)
    line.set_capstyle("round")
    axes.add_collection(line)
    _start_mark(axes, pictured)
    axes.set_aspect("equal")
    axes.margins(0.04)
    axes.autoscale_view()
    axes.set_xlabel("x, east (m)")
    axes.set_ylabel("y, north (m)")
    bar = figure.colorbar(line, cax=axes.inset_axes((1.02, 0.1, 0.02, 0.8)))
    bar.set_label("Speed (m/s)")
    bar.outline.set_visible(False)
    if pictured.drive.outcome not in ("completed", None):
        axes.plot(path.x_m[-1], path.y_m[-1], "X", color=_ORANGE, markersize=11, zorder=5)
        end = (float(path.x_m[-1]), float(path.y_m[-1]))
        _label(axes, f"{pictured.drive.outcome}".replace("_", " "), end, _ORANGE)
    _title(axes, pictured, _line_summary(pictured))
    return figure


def deviation_figure(pictured: Pictured) -> Figure:
    """Lateral offset from the centreline over the distance along the lap."""
    path, length_m = pictured.drive.path, pictured.centreline.length_m
    figure = _figure(10.0, 3.8)
    axes = figure.add_subplot()
    axes.axhline(0.0, color=_FAINT, linewidth=0.9)
    laps = np.floor_divide(path.progress_m, length_m).clip(0, pictured.result.laps_asked - 1)
    drawn = np.unique(laps)
    for index, lap in enumerate(drawn):
        of_lap = laps == lap
        axes.plot(
            path.progress_m[of_lap] - lap * length_m,
            path.lateral_m[of_lap],
            color=_LAP_COLOURS[index % len(_LAP_COLOURS)],
            linewidth=1.3,
            label=f"Lap {int(lap) + 1}",
        )
    span_m = max(float(np.abs(path.lateral_m).max()) * 1.15, _MIN_DEVIATION_SPAN_M)
    half_m = pictured.circuit.asphalt_width_m / 2.0
    if half_m < span_m:
        for edge_m in (-half_m, half_m):
            axes.axhline(edge_m, color=_INK, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.text(
            length_m, half_m, "asphalt's edge", ha="right", va="bottom", fontsize=8, color=_INK
        )
    axes.set_xlim(0.0, length_m)
    axes.set_ylim(-span_m, span_m)
    axes.set_xlabel("Distance along the centreline from the start (m)")
    axes.set_ylabel("Lateral offset (m)\nleft is positive")
    if len(drawn) > 1:
        axes.legend(loc="upper right", ncols=len(drawn), frameon=False, fontsize=9)
    axes.grid(axis="y", color=_ASPHALT)
    mae_m, worst_m = pictured.result.deviation_mae_m, pictured.result.deviation_max_m
    facts = (
        "too short for a figure"
        if mae_m is None or worst_m is None
        else f"mean absolute deviation {mae_m:.3f} m, greatest {worst_m:.3f} m"
    )
    _title(axes, pictured, facts)
    return figure


def inference_figure(pictured: Pictured) -> Figure | None:
    """How long the network took, frame by frame; None if no iteration was recorded."""
    first_s, end_s = float(pictured.drive.path.sim_s[0]), pictured.drive.end_sim_s
    iterations = timing.iterations_between(pictured.log.iterations, first_s, end_s)
    times_ms = timing.inference_ms(iterations)
    figures = timing.summary(times_ms)
    if figures is None:
        return None
    figure = _figure(8.0, 4.0)
    axes = figure.add_subplot()
    # The slowest percent may lie far out: the last bin holds it, and says so.
    top_ms = max(figures.p99 * 1.2, figures.median * 1.5, 1e-3)
    shown_ms = np.minimum(times_ms, top_ms)
    weights = np.full(times_ms.size, 1.0 / times_ms.size)
    low_ms = float(times_ms.min())
    edges = np.linspace(0.0 if low_ms < top_ms / 3.0 else low_ms, top_ms, 50)
    axes.hist(shown_ms, bins=list(edges), weights=weights, color=_BLUE, alpha=0.85)
    marks = (("median", figures.median, _INK, "-"), ("95 %", figures.p95, _ORANGE, "--"))
    for name, value_ms, colour, style in marks:
        label = f"{name}: {value_ms:.2f} ms"
        axes.axvline(value_ms, color=colour, linestyle=style, linewidth=1.5, label=label)
    beyond = int((times_ms > top_ms).sum())
    if beyond:
        note = f"{beyond} longer, up to {times_ms.max():.1f} ms"
        axes.plot([], [], " ", label=note)
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1.0))
    axes.set_xlabel("Inference time of one frame (ms, wall)")
    axes.set_ylabel("Share of frames")
    axes.legend(frameon=False, loc="upper right")
    axes.grid(axis="y", color=_ASPHALT)
    axes.set_axisbelow(True)
    _title(axes, pictured, f"{times_ms.size} frames")
    return figure


def _figure(width_in: float, height_in: float) -> Figure:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _track(axes: Axes, centreline: Centreline, half_m: float, verge_m: float) -> None:
    """The asphalt as a faint band, and the walls beyond its verge."""
    # Buffers, not parallel curves: those would cross themselves inside tight turns.
    ring = LinearRing(centreline.points_m)
    asphalt, walls = ring.buffer(half_m), ring.buffer(half_m + verge_m)
    edges = [np.asarray(r.coords) for r in (asphalt.exterior, *asphalt.interiors)]
    outline = MplPath.make_compound_path(*(MplPath(edge, closed=True) for edge in edges))
    axes.add_patch(PathPatch(outline, facecolor=_ASPHALT, edgecolor="none", zorder=0))
    for wall in (walls.exterior, *walls.interiors):
        axes.plot(*np.asarray(wall.coords).T, color=_WALL, linewidth=0.7, zorder=1)


def _start_mark(axes: Axes, pictured: Pictured) -> None:
    """The start line across the asphalt, and an arrow in the driving direction."""
    centreline, start_m = pictured.centreline, pictured.result.start_station_m
    here = np.asarray(centreline.position(start_m), dtype=np.float64)
    heading_rad = float(centreline.heading(start_m))
    along = np.array([np.cos(heading_rad), np.sin(heading_rad)])
    left = np.array([-along[1], along[0]])
    half_m = pictured.circuit.asphalt_width_m / 2.0
    ends = np.stack([here - half_m * left, here + half_m * left])
    axes.plot(*ends.T, color=_INK, linewidth=2.2, zorder=4)
    size_m = float(np.ptp(centreline.points_m, axis=0).max())
    # Beside the track, so that it hides nothing of the line.
    tail = here + (half_m + pictured.circuit.verge_m + 0.015 * size_m) * left
    tip = tail + 0.07 * size_m * along
    axes.annotate(
        "",
        tuple(tip),
        tuple(tail),
        arrowprops={"arrowstyle": "-|>", "color": _INK, "linewidth": 1.6},
        zorder=4,
    )
    # An annotation alone does not widen the axes.
    axes.update_datalim([tuple(tail), tuple(tip)])
    _label(axes, "start", tuple(tail), _INK, tuple(left))


def _label(
    axes: Axes,
    text: str,
    at_m: tuple[float, float],
    colour: str,
    away: tuple[float, float] = (0.7, 0.7),
) -> None:
    """A word beside a point, in the direction `away` from it."""
    axes.annotate(
        text,
        at_m,
        xytext=(14.0 * away[0], 14.0 * away[1]),
        textcoords="offset points",
        ha="right" if away[0] < -0.5 else "left" if away[0] > 0.5 else "center",
        va="top" if away[1] < -0.5 else "bottom" if away[1] > 0.5 else "center",
        color=colour,
        fontsize=9,
        bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        zorder=6,
    )


def _title(axes: Axes, pictured: Pictured, facts: str) -> None:
    """What the run is, and below it what the picture says."""
    result, circuit = pictured.result, pictured.circuit
    direction = "" if result.direction == "forward" else ", reverse"
    name = f"{result.model} on {circuit.title}{direction}"
    axes.set_title(name, loc="left", fontsize=12, fontweight="bold", color=_INK, pad=22)
    axes.annotate(
        facts,
        (0.0, 1.0),
        xytext=(0, 7),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9.5,
        color=_INK,
    )
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _line_summary(pictured: Pictured) -> str:
    result = pictured.result
    parts = [f"{result.outcome.replace('_', ' ')}, {result.laps} of {result.laps_asked} laps"]
    if result.lap_time_s is not None:
        parts.append(f"lap time {result.lap_time_s:.2f} s")
    if result.average_speed_m_s is not None:
        parts.append(f"average speed {result.average_speed_m_s:.2f} m/s")
    if result.clock == "lockstep":
        parts.append("lockstep")
    return "; ".join(parts)
