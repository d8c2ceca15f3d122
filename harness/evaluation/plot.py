"""The picture of an evaluation: MSE over inference time; a point's area is the model's size."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.evaluation.row import Row
from harness.report.labels import Box, Named, place_names

_INK, _FAINT, _GRID = "#333333", "#999999", "#ececec"
# Okabe and Ito's palette: told apart by colour-blind readers too.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_POINTS2_PER_MIB = 18.0
_SIZES_MIB = (1, 16, 64)
_WILD = 4.0
_LABEL_SIZE = 8.5


def evaluation_figure(rows: Sequence[Row], cpu_model: str | None) -> Figure | None:
    """MSE over median inference time; None where no model ran."""
    shown = [row for row in rows if row.inference_ms_median is not None and row.mse is not None]
    if not shown:
        return None
    figure = Figure(figsize=(11.0, 7.0), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    backends = list(dict.fromkeys(row.backend for row in shown))
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(backends)}
    # Large points first, so that they hide none.
    for row in sorted(shown, key=lambda row: -(row.size_mib or 0.0)):
        axes.scatter(
            *_place(row), s=_area(row.size_mib), color=colours[row.backend], alpha=0.55,
            edgecolor="white", linewidth=0.8, zorder=3,
        )  # fmt: skip
    _scales(axes, [_place(row) for row in shown])
    axes.set_xlabel("Inference time of one frame, median (ms)")
    axes.set_ylabel("MSE of the two scaled outputs, held-out frames")
    axes.set_title(
        "Error over inference time; a point's area is the model's size",
        loc="left", fontsize=12, fontweight="bold", color=_INK, pad=24,
    )  # fmt: skip
    where = f"measured on {cpu_model}" if cpu_model else ""
    axes.annotate(
        where, (0.0, 1.0), xytext=(0, 8), xycoords="axes fraction", textcoords="offset points",
        fontsize=9.5, color=_INK,
    )  # fmt: skip
    _legend(axes, colours)
    # Only a drawn figure knows where things are.
    canvas.draw()  # type: ignore[no-untyped-call]
    _label(axes, shown, colours)
    return figure


def _place(row: Row) -> tuple[float, float]:
    return float(row.inference_ms_median or 0.0), float(row.mse or 0.0)


def _area(size_mib: float | None) -> float:
    """Area of a point in square points, proportional to the size."""
    return _POINTS2_PER_MIB * (size_mib or 0.0)


def _scales(axes: Axes, places: Sequence[tuple[float, float]]) -> None:
    """Logarithmic time; the error too if one model is far off."""
    times_ms, mses = np.array(places).T
    axes.set_xscale("log")
    axes.set_xlim(times_ms.min() / 1.6, times_ms.max() * 2.0)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if mses.min() > 0.0 and mses.max() > _WILD * mses.min():
        axes.set_yscale("log")
        axes.set_ylim(mses.min() / 1.5, mses.max() * 1.5)
    else:
        margin = 0.2 * max(np.ptp(mses), 0.05 * mses.max())
        axes.set_ylim(mses.min() - margin, mses.max() + margin)
    axes.grid(color=_GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _legend(axes: Axes, colours: dict[str, str]) -> None:
    """Engines by colour, sizes by area, outside the axes."""
    engines = [
        Line2D([], [], marker="o", linestyle="", color=colour, alpha=0.7, label=name)
        for name, colour in colours.items()
    ]
    sizes = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="",
            color=_FAINT,
            alpha=0.6,
            markersize=math.sqrt(_area(size)),
            label=f"{size} MiB",
        )
        for size in _SIZES_MIB
    ]
    axes.legend(
        handles=[*engines, *sizes], frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0),
        labelspacing=2.0, handletextpad=1.4, borderpad=1.0,
    )  # fmt: skip


def _label(axes: Axes, rows: Sequence[Row], colours: dict[str, str]) -> None:
    """Name beside every point, where it covers no other name and no other point."""
    assert isinstance(axes.figure, Figure)
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    pixels_per_point = axes.figure.dpi / 72.0
    centres = axes.transData.transform([_place(row) for row in rows])
    texts = [
        axes.annotate(
            row.model, _place(row), xytext=(0, 0), textcoords="offset points",
            ha="left", va="bottom", fontsize=_LABEL_SIZE, color=_INK, zorder=6,
        )
        for row in rows
    ]  # fmt: skip
    points = []
    for row, text, (x, y) in zip(rows, texts, centres, strict=True):
        extent = text.get_window_extent(renderer)
        radius = math.sqrt(_area(row.size_mib) / math.pi) * pixels_per_point
        points.append(Named((float(x), float(y)), radius, (extent.width, extent.height)))
    frame = Box(*axes.get_window_extent(renderer).extents)
    for row, text, point, box in zip(rows, texts, points, place_names(points, frame), strict=True):
        x, y = point.centre
        text.set_position(((box.x0 - x) / pixels_per_point, (box.y0 - y) / pixels_per_point))
        near = box.nearest(point.centre)
        if math.dist(near, point.centre) > point.radius + 6.0:
            ends = axes.transData.inverted().transform([point.centre, near])
            axes.plot(*ends.T, color=colours[row.backend], linewidth=0.7, zorder=4)
