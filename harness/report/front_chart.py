"""Speed and deviation of all models in a picture, with their Pareto front."""

from collections.abc import Sequence
from statistics import median

import numpy as np

from harness.report.charts import Axis, Chart, Dot
from harness.report.drawings import Drawing
from harness.report.front import Spot, pareto_front

_WIDTH, _HEIGHT = 940.0, 560.0
# Models whose speed is within this share of the median stand together.
_TOGETHER = 0.1
# Where most of them take less than this share of the axis, they have a picture of their own.
_CROWDED = 1.0 / 3.0
_MANY_TIMES = 4.0
# So many names have room in a chart of the usual size.
_FEW = 6
_CAPTION = (
    "means over completed runs; better is down and to the right; hollow: completes less often than"
    " the best"
)


def front_drawings(found: Sequence[Spot]) -> tuple[Drawing, ...]:
    """Models between speed and deviation, and the edge of what their front beats.

    Where a few far slower or quicker models would leave the others no room, there are two
    pictures: all, and the many nearer.
    """
    if len(found) < 2:
        return ()
    front = pareto_front(found)
    crowd = _crowd(found)
    if len(crowd) == len(found):
        return (_drawing("Speed and deviation", _chart(found, front, found), _CAPTION),)
    near = _chart(crowd, front, crowd)
    whole = _chart(found, front, [spot for spot in found if spot not in crowd])
    corners = [(near.x.low, near.y.low), (near.x.high, near.y.low), (near.x.high, near.y.high)]
    corners += [(near.x.low, near.y.high), corners[0]]
    clipped = np.clip(corners, (whole.x.low, whole.y.low), (whole.x.high, whole.y.high))
    whole.line(clipped[:, 0], clipped[:, 1], "edge", "the picture before")
    return (
        _drawing("Speed and deviation", near, _CAPTION),
        _drawing("Speed and deviation of all", whole, "named: who is not in the picture before"),
    )


def _crowd(found: Sequence[Spot]) -> list[Spot]:
    """The models to draw nearer: most of many, where the others take most of the axis."""
    middle = median(spot.speed_m_s for spot in found)
    near = [spot for spot in found if abs(spot.speed_m_s - middle) <= _TOGETHER * middle]
    whole_span, span = (np.ptp([spot.speed_m_s for spot in some]) for some in (found, near))
    crowded = len(found) > _FEW and 2 * len(near) > len(found) and span < _CROWDED * whole_span
    return near if crowded else list(found)


def _chart(shown: Sequence[Spot], front: Sequence[Spot], named: Sequence[Spot]) -> Chart:
    """Spots in a chart, with the part of the front that is among them."""
    speeds_m_s = np.array([spot.speed_m_s for spot in shown])
    deviations_m = np.array([spot.deviation_m for spot in shown])
    x = Axis.around(speeds_m_s, "Average speed (m/s)")
    y = Axis.around(deviations_m, "Deviation (m)")
    if 0.0 < _MANY_TIMES * deviations_m.min() < deviations_m.max():
        low, high = float(deviations_m.min()) / 1.2, float(deviations_m.max()) * 1.2
        y = Axis(low, high, "Deviation (m, logarithmic)", log=True)
    chart = Chart(x, y) if len(named) <= _FEW else Chart(x, y, _HEIGHT, _WIDTH)
    inside = [spot for spot in front if spot in shown]
    if inside:
        edge = [(x.low, inside[0].deviation_m)]
        for spot in inside:
            edge += [(edge[-1][0], spot.deviation_m), (spot.speed_m_s, spot.deviation_m)]
        edge.append((edge[-1][0], y.high))
        speeds, deviations = np.array(edge).T
        chart.line(speeds, deviations, "line2", "Pareto front")
    for spot in shown:
        if spot not in named:
            chart.dot(spot.speed_m_s, spot.deviation_m, _style(spot, front))
    chart.named_dots(
        [
            Dot(spot.speed_m_s, spot.deviation_m, spot.label, _style(spot, front), spot in front)
            for spot in named
        ]
    )
    return chart


def _drawing(title: str, chart: Chart, caption: str) -> Drawing:
    return Drawing(title, chart.svg(title.lower()), caption, wide=chart.width == _WIDTH)


def _style(spot: Spot, front: Sequence[Spot]) -> str:
    if not spot.completes:
        return "dot hollow"
    return "dot best" if spot in front else "dot"
