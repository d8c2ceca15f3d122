"""The pictures of one model under equal conditions, over all its repetitions, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from shapely import LinearRing, simplify

from harness.report.charts import WIDTH, Axis, Chart, label, path, svg
from harness.report.digest import Digest, station_count
from harness.report.groups import Group, Run
from worlds.centreline import Centreline
from worlds.circuit import Circuit

Floats = NDArray[np.float64]

SPEED_COLOURS = 6
# More lines than these would only hide each other.
_MOST_LINES = 12
_BAND_PERCENT = (5.0, 95.0)
_BINS = 48
_MAP_MARGIN = 18.0
_MOST_MAP_HEIGHT = 460.0
_LEAST_OPACITY = 0.3
_LEGEND_HEIGHT = 26.0


@dataclass(frozen=True)
class Pooled:
    """What was driven in all judged runs of a group.

    Attributes:
        runs: The runs, each with its digest.
        lateral_m: (M, S) offsets along the lap, a row for every round; NaN where not driven.
        speed_m_s: (M, S) speeds.
        pace: (N, W) real-time factor of each wall second of each run; NaN after its end.
        inference_ms: (K,) of all network calls.
        iteration_ms: (K,) of all iterations.
    """

    runs: tuple[tuple[Run, Digest], ...]
    lateral_m: NDArray[np.float32]
    speed_m_s: NDArray[np.float32]
    pace: NDArray[np.float32]
    inference_ms: NDArray[np.float32]
    iteration_ms: NDArray[np.float32]

    @classmethod
    def of(cls, runs: Sequence[tuple[Run, Digest]]) -> Self:
        """Pool the digests of judged runs, at least one."""
        digests = [digest for _, digest in runs]
        seconds = max(digest.real_time_factor.size for digest in digests)
        pace = np.full((len(digests), seconds), np.nan, dtype=np.float32)
        for row, digest in zip(pace, digests, strict=True):
            row[: digest.real_time_factor.size] = digest.real_time_factor
        return cls(
            tuple(runs),
            np.concatenate([digest.lateral_m for digest in digests]),
            np.concatenate([digest.speed_m_s for digest in digests]),
            pace,
            np.concatenate([digest.inference_ms for digest in digests]),
            np.concatenate([digest.iteration_ms for digest in digests]),
        )


@dataclass(frozen=True)
class Drawing:
    """A picture with the words beside it; a wide one takes the whole width of the page."""

    title: str
    svg: str
    caption: str
    wide: bool = False


def draw_group(group: Group, pooled: Pooled, circuit: Circuit) -> tuple[Drawing, ...]:
    """Every picture that there is data for."""
    centreline = circuit.centreline(group.runs[0].result.direction)
    drawings = [
        line_map(pooled, circuit, centreline),
        deviation_chart(pooled, circuit, centreline),
        speed_chart(pooled, centreline),
        times_chart(pooled),
        pace_chart(pooled),
    ]
    return tuple(drawing for drawing in drawings if drawing is not None)


def line_map(pooled: Pooled, circuit: Circuit, centreline: Centreline) -> Drawing:
    """The driven lines over the circuit, coloured by speed; where runs ended early."""
    frame = _Frame.of(circuit, centreline)
    drawn = _chosen(pooled.runs)
    speeds_m_s = pooled.speed_m_s[np.isfinite(pooled.speed_m_s)]
    scale = _SpeedScale.of(speeds_m_s)
    opacity = max(_LEAST_OPACITY, 1.0 / max(len(drawn), 1) ** 0.5)
    parts = [
        *_track(frame, circuit, centreline),
        f'<g class="lines" stroke-opacity="{opacity:.2f}">',
    ]
    for _, digest in drawn:
        parts += _coloured_line(digest, frame, scale)
    parts.append("</g>")
    start_m = circuit.start_station(pooled.runs[0][0].result.direction)
    parts += _start_line(frame, circuit, centreline, start_m)
    lost = [digest for run, digest in pooled.runs if not run.result.completed]
    for digest in lost:
        x, y = (float(v[0]) for v in frame.place(digest.end_m[None, :]))
        parts.append(f'<path class="lost" d="M{x - 5:.1f} {y - 5:.1f}l10 10m0-10l-10 10"/>')
    parts += scale.legend(frame.height)
    count = len(pooled.runs)
    caption = "1 run" if count == 1 else f"{count} runs"
    if len(drawn) < count:
        caption = f"{len(drawn)} of {count} runs drawn"
    if lost:
        caption += f"; crosses mark where {len(lost)} ended without completing"
    picture = svg(WIDTH, frame.height + _LEGEND_HEIGHT, "driven line", parts)
    return Drawing("Driven line", picture, caption)


def deviation_chart(pooled: Pooled, circuit: Circuit, centreline: Centreline) -> Drawing:
    """Offset from the centreline along the lap: median and band over rounds."""
    half_m = circuit.asphalt_width_m / 2.0
    axis = Axis.around(pooled.lateral_m, "Offset (m), left positive", least_span=0.2)
    chart = _band_chart(pooled.lateral_m, centreline, axis)
    chart.level(0.0, "zero")
    for edge_m in (-half_m, half_m):
        if axis.low < edge_m < axis.high:
            chart.level(edge_m, "edge", "asphalt's edge" if edge_m > 0 else "")
    return Drawing("Deviation along the lap", chart.svg("deviation"), _band_words(pooled.lateral_m))


def speed_chart(pooled: Pooled, centreline: Centreline) -> Drawing:
    """Speed along the lap: median and band over rounds."""
    axis = Axis.around(pooled.speed_m_s, "Speed (m/s)", least_span=1.0)
    chart = _band_chart(pooled.speed_m_s, centreline, axis)
    return Drawing("Speed along the lap", chart.svg("speed"), _band_words(pooled.speed_m_s))


def times_chart(pooled: Pooled) -> Drawing | None:
    """Distribution of inference and iteration times; None if no iteration was recorded."""
    if pooled.inference_ms.size == 0:
        return None
    inference, iteration = pooled.inference_ms, pooled.iteration_ms
    top_ms = float(np.percentile(iteration, 99.0)) * 1.15
    low_ms = float(min(inference.min(), iteration.min()))
    low_ms = 0.0 if low_ms < top_ms / 3.0 else low_ms * 0.98
    edges = np.linspace(low_ms, top_ms, _BINS + 1)
    heights = [100.0 * np.histogram(v, edges)[0] / v.size for v in (inference, iteration)]
    top = float(max(h.max() for h in heights)) * 1.08
    x = Axis(low_ms, top_ms, "Wall time of one frame (ms)")
    chart = Chart(x, Axis(0.0, top, "Frames (%)"))
    for values, style, name in zip(
        heights, ("fill1", "outline2"), ("inference", "iteration"), strict=True
    ):
        chart.bars(edges, values, style, name)
    beyond = int((iteration > top_ms).sum())
    p50, p95, p99 = np.percentile(inference, [50.0, 95.0, 99.0])
    caption = (
        f"{inference.size} frames; inference: median {_three(p50)}, 95 %"
        f" {_three(p95)}, 99 % {_three(p99)} ms"
    )
    if beyond:
        caption += f"; {beyond} iterations lie beyond, the longest {_three(iteration.max())} ms"
    return Drawing("Inference and iteration time", chart.svg("times"), caption)


def pace_chart(pooled: Pooled) -> Drawing | None:
    """Real-time factor over the wall time of the run; None for runs below a second."""
    if pooled.pace.shape[1] < 2:
        return None
    seconds = np.arange(pooled.pace.shape[1], dtype=np.float64)
    top = float(np.nanmax(pooled.pace)) * 1.08
    chart = Chart(
        Axis(0.0, float(seconds[-1]), "Wall time from go (s)"),
        Axis(0.0, max(top, 1.1), "Real-time factor"),
    )
    low, median, high = _band(pooled.pace)
    if len(pooled.pace) > 1:
        chart.band(seconds, low, high, "band2", "90 % of runs")
    chart.line(seconds, median, "line2", "median" if len(pooled.pace) > 1 else "")
    chart.level(1.0, "edge")
    least = float(np.nanmin(pooled.pace))
    return Drawing("Real-time factor", chart.svg("pace"), f"least wall second: {least:.2f}")


def _band_chart(values: NDArray[np.float32], centreline: Centreline, axis: Axis) -> Chart:
    """Median and band of rounds (M, S) along the lap."""
    length_m = centreline.length_m
    count = station_count(length_m)
    stations_m = np.arange(count, dtype=np.float64) * (length_m / count)
    chart = Chart(Axis(0.0, length_m, "Distance from the start line (m)"), axis)
    low, median, high = _band(values)
    if len(values) > 1:
        chart.band(stations_m, low, high, "band1", "90 % of laps")
    chart.line(stations_m, median, "line1", "median" if len(values) > 1 else "")
    return chart


def _band(values: NDArray[np.float32]) -> tuple[Floats, Floats, Floats]:
    """5th, 50th and 95th percentile (S,) over rows (M, S); NaN where no row has a value."""
    found = np.full((3, values.shape[1]), np.nan)
    known = np.isfinite(values).any(axis=0)
    percentiles = [_BAND_PERCENT[0], 50.0, _BAND_PERCENT[1]]
    if known.any():
        driven = values[:, known]
        # Far quicker than its sibling, which goes column by column where a value is missing.
        whole = bool(np.isfinite(driven).all())
        found[:, known] = (np.percentile if whole else np.nanpercentile)(
            driven, percentiles, axis=0
        )
    return found[0], found[1], found[2]


def _band_words(values: NDArray[np.float32]) -> str:
    return (
        "one lap"
        if len(values) == 1
        else f"median of {len(values)} laps; the band holds the middle 90 %"
    )


def _three(value: float) -> str:
    """Three digits at least, and never an exponent."""
    return f"{value:.0f}" if value >= 100.0 else f"{value:.3g}"


def _chosen(runs: Sequence[tuple[Run, Digest]]) -> list[tuple[Run, Digest]]:
    """The runs whose lines are drawn: failures first, then others evenly."""
    ordered = sorted(runs, key=lambda pair: pair[0].result.completed)
    lost = [pair for pair in ordered if not pair[0].result.completed][:_MOST_LINES]
    rest = [pair for pair in ordered if pair[0].result.completed]
    room = _MOST_LINES - len(lost)
    step = max(1, -(-len(rest) // room)) if room else 0
    return [*lost, *(rest[::step] if room else [])]


@dataclass(frozen=True)
class _Frame:
    """Where metres lie on the map, in pixels."""

    centre_m: Floats
    scale: float
    height: float

    @classmethod
    def of(cls, circuit: Circuit, centreline: Centreline) -> Self:
        edge_m = circuit.asphalt_width_m / 2.0 + circuit.verge_m
        low_m, high_m = centreline.points_m.min(axis=0), centreline.points_m.max(axis=0)
        width_m, height_m = high_m - low_m + 2.0 * edge_m
        room = (WIDTH - 2.0 * _MAP_MARGIN, _MOST_MAP_HEIGHT - 2.0 * _MAP_MARGIN)
        scale = min(room[0] / width_m, room[1] / height_m)
        return cls((low_m + high_m) / 2.0, scale, height_m * scale + 2.0 * _MAP_MARGIN)

    def place(self, points_m: Floats | NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Pixels across (N,) and down (N,) of points (N, 2); north is up."""
        across, up = (np.asarray(points_m, dtype=np.float64) - self.centre_m).T * self.scale
        return across + WIDTH / 2.0, self.height / 2.0 - up


@dataclass(frozen=True)
class _SpeedScale:
    """Speeds of the first and last colour."""

    slow_m_s: float
    fast_m_s: float

    @classmethod
    def of(cls, speeds_m_s: NDArray[np.float32]) -> Self:
        if speeds_m_s.size == 0:
            return cls(0.0, 1.0)
        # A start from rest must not take most of the colours.
        slow, fast = np.percentile(speeds_m_s, [5.0, 99.0])
        return cls(float(slow), max(float(fast), float(slow) + 0.1))

    def colours(self, speeds_m_s: NDArray[np.float32]) -> NDArray[np.int64]:
        share = (np.nan_to_num(speeds_m_s) - self.slow_m_s) / (self.fast_m_s - self.slow_m_s)
        return np.asarray(np.clip(share * SPEED_COLOURS, 0, SPEED_COLOURS - 1), dtype=np.int64)

    def legend(self, top: float) -> list[str]:
        """The colours in a row, below the map."""
        width, left = 22.0, WIDTH / 2.0 - 11.0 * SPEED_COLOURS
        parts = [
            f'<rect class="s{i}" x="{left + i * width:.0f}" y="{top + 6:.0f}" width="{width:.0f}"'
            f' height="8"/>'
            for i in range(SPEED_COLOURS)
        ]
        right = left + SPEED_COLOURS * width
        parts.append(label(left - 6.0, top + 14.0, f"{self.slow_m_s:.1f}", "end"))
        parts.append(label(right + 6.0, top + 14.0, f"{self.fast_m_s:.1f} m/s"))
        return parts


def _track(frame: _Frame, circuit: Circuit, centreline: Centreline) -> list[str]:
    """Walls and asphalt."""
    ring, half_m = LinearRing(centreline.points_m), circuit.asphalt_width_m / 2.0
    parts = []
    for away_m, style in ((half_m + circuit.verge_m, "wall"), (half_m, "asphalt")):
        # A third of a pixel: nobody sees it, and the page is far smaller.
        area = simplify(ring.buffer(away_m), 0.3 / frame.scale)
        edges = [np.asarray(edge.coords) for edge in (area.exterior, *area.interiors)]
        data = "".join(f"{path(*frame.place(points))}Z" for points in edges)
        parts.append(f'<path class="{style}" fill-rule="evenodd" d="{data}"/>')
    return parts


def _start_line(
    frame: _Frame, circuit: Circuit, centreline: Centreline, start_m: float
) -> list[str]:
    """The circuit's start line, and an arrow in the driving direction beside it."""
    here = np.asarray(centreline.position(start_m), dtype=np.float64)
    heading_rad = float(centreline.heading(start_m))
    along = np.array([np.cos(heading_rad), np.sin(heading_rad)])
    left = np.array([-along[1], along[0]])
    half_m = circuit.asphalt_width_m / 2.0
    aside = here + (half_m + circuit.verge_m + 7.0 / frame.scale) * left
    length_m = 26.0 / frame.scale
    head = [aside + length_m * along, aside + (length_m - 7.0 / frame.scale) * along]
    barb = 4.0 / frame.scale * left
    strokes = [
        np.stack([here - half_m * left, here + half_m * left]),
        np.stack([aside, head[0]]),
        np.stack([head[1] + barb, head[0], head[1] - barb]),
    ]
    data = "".join(path(*frame.place(stroke)) for stroke in strokes)
    return [f'<path class="start" d="{data}"/>']


def _coloured_line(digest: Digest, frame: _Frame, scale: _SpeedScale) -> list[str]:
    """The driven line as one path for each colour of speed."""
    x, y = frame.place(np.column_stack([digest.x_m.ravel(), digest.y_m.ravel()]))
    colours = scale.colours(digest.speed_m_s.ravel())
    parts = []
    for colour in np.unique(colours[np.isfinite(x)]).tolist():
        own = colours == colour
        # Each stretch goes on to the next one's first point, so that no gap shows.
        own[1:] |= own[:-1]
        data = path(np.where(own, x, np.nan), np.where(own, y, np.nan))
        parts.append(f'<path class="s{colour}" d="{data}"/>')
    return parts
