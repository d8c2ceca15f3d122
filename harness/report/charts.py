"""Charts as inline SVG: small, sharp at any size, coloured by the page's own style sheet."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.report.labels import Box, Named, place_names

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 460.0, 244.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 10.0, 22.0, 38.0
_CHARACTER, _LINE_HEIGHT, _DESCENT = 6.6, 14.0, 3.5
_DOT_RADIUS, _LEADER = 4.0, 6.0
_TICKS = 5
_MANY_DECADES = 100.0
_ROW_HEIGHT = 22.0


@dataclass(frozen=True)
class Axis:
    """A range of values along an edge of a chart.

    Attributes:
        low: Value at the left or lower end.
        high: Value at the other end, greater.
        label: What it is, with its unit.
        log: Equal ratios take equal lengths; both ends are then positive.
    """

    low: float
    high: float
    label: str
    log: bool = False

    @classmethod
    def around(
        cls, values: Floats | NDArray[np.float32], label: str, least_span: float = 0.0
    ) -> Self:
        """An axis that holds all finite values, with some air."""
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        air = max((high - low) * 0.06, (least_span - (high - low)) / 2.0, 1e-9)
        return cls(low - air, high + air, label)

    def share(self, value: Floats | float) -> Floats:
        """Where values (...) lie, 0 at the low end and 1 at the high one."""
        low, high, values = self.low, self.high, np.asarray(value, dtype=np.float64)
        if self.log:
            low, high, values = math.log(low), math.log(high), np.log(values)
        return np.asarray((values - low) / (high - low))

    def ticks(self) -> list[float]:
        """Round values to label, four or so."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            steps = (1.0,) if self.high / self.low > _MANY_DECADES else (1.0, 2.0, 5.0)
            found = [s * 10.0**exponent for exponent in range(first, last + 1) for s in steps]
        else:
            rough = (self.high - self.low) / _TICKS
            power = 10.0 ** math.floor(math.log10(rough))
            step = next(s * power for s in (1.0, 2.0, 2.5, 5.0, 10.0) if s * power >= rough)
            first = math.ceil(self.low / step)
            found = [i * step for i in range(first, math.floor(self.high / step) + 1)]
        return [value for value in found if self.low <= value <= self.high]


@dataclass
class Chart:
    """A chart with two axes, filled piece by piece."""

    x: Axis
    y: Axis
    height: float = HEIGHT
    width: float = WIDTH
    left: float = _LEFT
    y_ticks: bool = True
    _parts: list[str] = field(default_factory=list)
    _legend: list[tuple[str, str]] = field(default_factory=list)

    def line(self, x: Floats, y: Floats, style: str, name: str = "") -> None:
        """A line (N,) through points; broken where a value is not finite."""
        self._parts.append(f'<path class="{style}" d="{path(self._px(x), self._py(y))}"/>')
        self._named(style, name)

    def band(self, x: Floats, low: Floats, high: Floats, style: str, name: str = "") -> None:
        """The area between two lines (N,); broken where either is not finite."""
        data = []
        for run in _runs(np.isfinite(low) & np.isfinite(high)):
            there_and_back = np.concatenate([x[run], x[run][::-1]])
            edge = np.concatenate([high[run], low[run][::-1]])
            data.append(path(self._px(there_and_back), self._py(edge)) + "Z")
        self._parts.append(f'<path class="{style}" d="{"".join(data)}"/>')
        self._named(style, name)

    def bars(self, edges: Floats, heights: Floats, style: str, name: str = "") -> None:
        """A histogram of (N,) bars between edges (N + 1,) as one area from 0."""
        x = np.repeat(edges, 2)
        y = np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
        self._parts.append(f'<path class="{style}" d="{path(self._px(x), self._py(y))}"/>')
        self._named(style, name)

    def level(self, y: float, style: str, name: str = "") -> None:
        """A horizontal line across the chart, named at its right end."""
        at = self._py(np.array([y]))[0]
        right = self.width - _RIGHT
        self._parts.append(f'<path class="{style}" d="M{self.left:.1f} {at:.1f}H{right:.1f}"/>')
        if name:
            self.text(right - 2.0, at - 4.0, name, "end")

    def mark(self, x: float, style: str, name: str = "") -> None:
        """A vertical line across the chart."""
        at = self._px(np.array([x]))[0]
        bottom = self.height - _BOTTOM
        self._parts.append(f'<path class="{style}" d="M{at:.1f} {_TOP:.1f}V{bottom:.1f}"/>')
        self._named(style, name)

    def dot(self, x: float, y: float, style: str) -> None:
        """A point."""
        at_x, at_y = self._px(np.array([x]))[0], self._py(np.array([y]))[0]
        self._parts.append(
            f'<circle class="{style}" cx="{at_x:.1f}" cy="{at_y:.1f}" r="{_DOT_RADIUS:.0f}"/>'
        )

    def named_dots(self, dots: Sequence["Dot"]) -> None:
        """Points with their names beside them, where none covers another."""
        xs = self._px(np.array([dot.x for dot in dots])).tolist()
        ys = self._py(np.array([dot.y for dot in dots])).tolist()
        points = [
            Named((x, y), _DOT_RADIUS, (_CHARACTER * len(dot.name), _LINE_HEIGHT))
            for x, y, dot in zip(xs, ys, dots, strict=True)
        ]
        frame = Box(self.left, _TOP, self.width - _RIGHT, self.height - _BOTTOM)
        boxes = place_names(points, frame)
        for point, box in zip(points, boxes, strict=True):
            (x, y), (near_x, near_y) = point.centre, box.nearest(point.centre)
            if math.dist(point.centre, (near_x, near_y)) > _DOT_RADIUS + _LEADER:
                line = f"M{x:.1f} {y:.1f}L{near_x:.1f} {near_y:.1f}"
                self._parts.append(f'<path class="leader" d="{line}"/>')
        for dot, box in zip(dots, boxes, strict=True):
            self.dot(dot.x, dot.y, dot.style)
            words = "name strong" if dot.strong else "name"
            middle = (box.x0 + box.x1) / 2.0
            self._parts.append(label(middle, box.y1 - _DESCENT, dot.name, "middle", words))

    def text(self, at_x: float, at_y: float, text: str, anchor: str = "start") -> None:
        """Words at a place in pixels."""
        self._parts.append(label(at_x, at_y, text, anchor))

    def row_name(self, y: float, text: str) -> None:
        """Words left of the vertical axis."""
        self.text(self.left - 6.0, float(self._py(np.array([y]))[0]) + 4.0, text, "end")

    def svg(self, title: str) -> str:
        """The chart; `title` is what a screen reader says."""
        grid = []
        bottom, right = self.height - _BOTTOM, self.width - _RIGHT
        x_ticks, y_ticks = self.x.ticks(), self.y.ticks() if self.y_ticks else []
        for value, at in zip(x_ticks, self._px(np.array(x_ticks)), strict=True):
            grid.append(f'<path class="grid" d="M{at:.1f} {_TOP:.1f}V{bottom:.1f}"/>')
            grid.append(label(at, bottom + 15.0, tick_text(value, x_ticks), "middle"))
        for value, at in zip(y_ticks, self._py(np.array(y_ticks)), strict=True):
            grid.append(f'<path class="grid" d="M{self.left:.1f} {at:.1f}H{right:.1f}"/>')
            grid.append(label(self.left - 5.0, at + 4.0, tick_text(value, y_ticks), "end"))
        middle = (self.left + right) / 2.0
        grid.append(label(middle, self.height - 5.0, self.x.label, "middle", "axis"))
        if self.y.label:
            turned = f'transform="rotate(-90 11 {(_TOP + bottom) / 2.0:.1f})"'
            place = (11.0, (_TOP + bottom) / 2.0)
            grid.append(label(*place, self.y.label, "middle", "axis", turned))
        return svg(self.width, self.height, title, [*grid, *self._parts, *self._legend_row()])

    def _legend_row(self) -> list[str]:
        """Names above the plot, from the right; each after a swatch of its style."""
        parts, at = [], self.width - _RIGHT
        for style, name in reversed(self._legend):
            parts.append(label(at, 13.0, name, "end"))
            at -= _CHARACTER * len(name) + 6.0
            filled = style.startswith(("band", "fill"))
            swatch = f"M{at:.1f} 4h-16v10h16z" if filled else f"M{at:.1f} 9h-16"
            parts.append(f'<path class="{style}" d="{swatch}"/>')
            at -= 28.0
        return parts

    def _named(self, style: str, name: str) -> None:
        if name:
            self._legend.append((style, name))

    def _px(self, x: Floats) -> Floats:
        return self.left + self.x.share(x) * (self.width - self.left - _RIGHT)

    def _py(self, y: Floats) -> Floats:
        return self.height - _BOTTOM - self.y.share(y) * (self.height - _TOP - _BOTTOM)


@dataclass(frozen=True)
class Dot:
    """A named point of a chart; a strong one has its name in bold."""

    x: float
    y: float
    name: str
    style: str
    strong: bool = False


@dataclass(frozen=True)
class Row:
    """One line of a chart of intervals: a name, an estimate, and its ends if it has some."""

    name: str
    value: float
    low: float | None
    high: float | None


def interval_chart(rows: Sequence[Row], label_text: str, log: bool = False) -> str:
    """Estimates with their intervals, one row each, from the top; 0 is marked if some are below."""
    known = [v for row in rows for v in (row.value, row.low, row.high) if v is not None]
    values = np.array(known, dtype=np.float64)
    if log:
        axis = Axis(float(values.min()) / 1.3, float(values.max()) * 1.3, label_text, log=True)
    else:
        around = Axis.around(np.append(values, 0.0), label_text)
        axis = Axis(around.low if values.min() < 0.0 else 0.0, around.high, label_text)
    left = min(8.0 + _CHARACTER * max(len(row.name) for row in rows), WIDTH * 0.45)
    height = _TOP + _BOTTOM + _ROW_HEIGHT * len(rows)
    chart = Chart(axis, Axis(-0.5, len(rows) - 0.5, ""), height, left=left, y_ticks=False)
    if axis.low < 0.0:
        chart.mark(0.0, "zero")
    for index, row in enumerate(rows):
        y = float(len(rows) - 1 - index)
        chart.row_name(y, row.name)
        if row.low is not None and row.high is not None:
            chart.line(np.array([row.low, row.high]), np.array([y, y]), "whisker")
        chart.dot(row.value, y, "dot")
    return chart.svg(label_text)


def path(x: Floats, y: Floats, digits: int = 1) -> str:
    """Path data through points (N,), in relative steps; broken where a value is not finite."""
    scale = 10**digits
    parts: list[str] = []
    for run in _runs(np.isfinite(x) & np.isfinite(y)):
        # Steps between rounded points: rounding errors do not add up.
        points = np.round(np.column_stack([x[run], y[run]]) * scale).astype(np.int64)
        steps = np.diff(points, axis=0)
        parts.append(f"M{_short(points[0, 0] / scale)} {_short(points[0, 1] / scale)}")
        moves = [f"{_short(a / scale)} {_short(b / scale)}" for a, b in steps.tolist()]
        parts.append(f"l{' '.join(moves)}" if moves else "h0")
    return "".join(parts)


def label(
    x: float, y: float, text: str, anchor: str = "start", style: str = "", more: str = ""
) -> str:
    """Words in a picture."""
    extra = f' class="{style}"' if style else ""
    extra += f" {more}" if more else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(text)}</text>'


def svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """A picture that takes the width that the page gives it."""
    head = f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">'
    return f"{head}{''.join(parts)}</svg>"


def tick_text(value: float, ticks: Sequence[float]) -> str:
    """A tick's value with the digits that tell it from its neighbours."""
    steps = [b - a for a, b in itertools.pairwise(ticks)]
    step = min(steps) if steps else abs(value) or 1.0
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1.0 else 0
    if abs(math.remainder(step * 10.0**digits, 1.0)) > 1e-6:
        digits += 1
    return f"{value:.{digits}f}" if abs(value) > 1e-12 else "0"


def _short(value: float) -> str:
    """A number in as few characters as possible."""
    return f"{value:.1f}".removesuffix(".0") if value else "0"


def _runs(valid: NDArray[np.bool_]) -> list[slice]:
    """Stretches of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]]).astype(np.int8)))
    return [slice(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]
