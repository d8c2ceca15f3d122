"""Which models are both quicker and nearer the line: the Pareto front of speed and deviation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.report.columns import DEVIATION, SPEED
from harness.report.ranking import Place, mean_over_courses


@dataclass(frozen=True)
class Spot:
    """A model between speed and deviation.

    Attributes:
        label: The model.
        speed_m_s: Its mean average speed.
        deviation_m: Its mean absolute deviation.
        completes: It completes as often as the best, as far as can be told.
    """

    label: str
    speed_m_s: float
    deviation_m: float
    completes: bool


def spots(places: Iterable[Place]) -> tuple[Spot, ...]:
    """The ranked models that completed runs on every course that they drove."""
    found = []
    for place in places:
        speed_m_s, deviation_m = (mean_over_courses(place.group, f) for f in (SPEED, DEVIATION))
        if speed_m_s is not None and deviation_m is not None:
            found.append(Spot(place.group.label, speed_m_s, deviation_m, place.completes))
    return tuple(found)


def pareto_front(found: Sequence[Spot]) -> tuple[Spot, ...]:
    """Spots that no other one beats in speed or deviation without losing in the other; by speed.

    Only of models that complete as often as the best: whoever leaves the track may be quick.
    """
    front: list[Spot] = []
    quickest_first = sorted(found, key=lambda spot: (-spot.speed_m_s, spot.deviation_m))
    for spot in (spot for spot in quickest_first if spot.completes):
        last = front[-1] if front else None
        same = last and (last.speed_m_s, last.deviation_m) == (spot.speed_m_s, spot.deviation_m)
        if last is None or same or spot.deviation_m < last.deviation_m:
            front.append(spot)
    return tuple(reversed(front))


def front_statement(front: Sequence[Spot]) -> str:
    """The front in words."""
    if not front:
        return ""
    names = ", ".join(spot.label for spot in front)
    return f"On the Pareto front of mean speed and deviation, the quickest last: {names}."
