"""Which model drives best, and which differences are beyond noise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from harness.metrics.intervals import (
    MIN_PAIRS,
    Difference,
    paired_difference,
    paired_share_difference,
)
from harness.report.groups import Group, Heat, Run

DEVIATION = "deviation_mae_m"
SPEED = "average_speed_m_s"

Verdict = Literal["behind", "mixed", "not told apart", "too few pairs", "not compared"]
_PHRASES: dict[Verdict, str] = {
    "behind": "Behind it beyond noise",
    "mixed": "Complete less often, though not beyond noise, but deviate less beyond noise",
    "not told apart": "Not told apart from it",
    "too few pairs": f"Too few distinct pairs to tell (under {MIN_PAIRS})",
    "not compared": "Driven from other starts or seeds, so not compared",
}


@dataclass(frozen=True)
class Versus:
    """One group against another, over runs from equal starts and seeds.

    Attributes:
        completion: Difference of the shares completed; None without pairs.
        deviation_m: Difference of the mean absolute deviation, over pairs that both completed.
        speed_m_s: Difference of the average speed, over the same pairs.
    """

    completion: Difference | None
    deviation_m: Difference | None
    speed_m_s: Difference | None


@dataclass(frozen=True)
class Place:
    """A group's place in the ranking.

    Attributes:
        place: 1 for the first.
        group: The group.
        deviation_m: Its mean absolute deviation; None if it completed no run.
        versus_first: Its difference to the first; None for the first itself.
        verdict: What may be said of it; None for the first itself.
    """

    place: int
    group: Group
    deviation_m: float | None
    versus_first: Versus | None
    verdict: Verdict | None


def rank(heat: Heat) -> tuple[Place, ...]:
    """Rank the models of a table by driving: share completed first, then deviation.

    Models without a run of driving have no place. Every model is compared with the first; a
    difference counts as beyond noise at 0.05 over the number of those comparisons.
    """
    judged = [group for group in heat.groups if group.judged]
    ordered = sorted(judged, key=_order)
    if not ordered:
        return ()
    first, *rest = ordered
    places = [Place(1, first, _mean_deviation_m(first), None, None)]
    for number, group in enumerate(rest, start=2):
        versus = compare_groups(first, group, comparisons=len(rest))
        verdict = _verdict(versus)
        places.append(Place(number, group, _mean_deviation_m(group), versus, verdict))
    return tuple(places)


def compare_groups(first: Group, second: Group, comparisons: int = 1) -> Versus:
    """The second group less the first, over their common starts and seeds."""
    pairs = distinct_pairs(common_pairs(first, second))
    both = completed_pairs(pairs)
    return Versus(
        completion=completion_difference(pairs, comparisons),
        deviation_m=figure_difference(both, DEVIATION, comparisons),
        speed_m_s=figure_difference(both, SPEED, comparisons),
    )


def common_pairs(first: Group, second: Group) -> list[tuple[Run, Run]]:
    """Runs of both groups from equal starts and seeds, repetition by repetition."""
    ours, theirs = first.pairs(), second.pairs()
    return [(run, theirs[key]) for key, run in ours.items() if key in theirs]


def distinct_pairs(pairs: Iterable[tuple[Run, Run]]) -> list[tuple[Run, Run]]:
    """Pairs without those in which both drove equal laps again.

    Lockstep with a fixed latency does: repeats that must agree are no evidence.
    """
    kept: dict[tuple[str, str], tuple[Run, Run]] = {}
    for a, b in pairs:
        laps = (a.result.odometry_sha256 or a.name, b.result.odometry_sha256 or b.name)
        kept.setdefault(laps, (a, b))
    return list(kept.values())


def completed_pairs(pairs: Iterable[tuple[Run, Run]]) -> list[tuple[Run, Run]]:
    """The pairs in which both drove all laps."""
    return [(a, b) for a, b in pairs if a.result.completed and b.result.completed]


def completion_difference(
    pairs: Sequence[tuple[Run, Run]], comparisons: int = 1
) -> Difference | None:
    """Paired difference of the shares completed."""
    return paired_share_difference(
        [a.result.completed for a, _ in pairs], [b.result.completed for _, b in pairs], comparisons
    )


def figure_difference(
    pairs: Sequence[tuple[Run, Run]], figure: str, comparisons: int = 1
) -> Difference | None:
    """Paired difference of a figure, over the pairs where both have it."""
    values = [(getattr(a.result, figure), getattr(b.result, figure)) for a, b in pairs]
    known = [(a, b) for a, b in values if a is not None and b is not None]
    return paired_difference([a for a, _ in known], [b for _, b in known], comparisons)


def statement(places: Sequence[Place]) -> str:
    """The ranking in one paragraph: who is first, who is behind for sure, who may not be."""
    if not places:
        return "No run says anything of driving: there is no ranking."
    first, rest = places[0].group.label, places[1:]
    if not rest:
        return f"{first} is the only model here: there is nothing to rank it against."
    parts = [f"{first} stands first."]
    for verdict in get_args(Verdict):
        names = [place.group.label for place in rest if place.verdict == verdict]
        if names:
            parts.append(f"{_PHRASES[verdict]}: {', '.join(names)}.")
    return " ".join(parts)


def _order(group: Group) -> tuple[float, float]:
    share = group.completion.value if group.completion else 0.0
    deviation_m = _mean_deviation_m(group)
    return -share, float("inf") if deviation_m is None else deviation_m


def _mean_deviation_m(group: Group) -> float | None:
    interval = group.mean(DEVIATION, driving=True)
    return None if interval is None else interval.value


def _verdict(versus: Versus) -> Verdict:
    """What the comparison with the first allows to say."""
    completion, deviation = versus.completion, versus.deviation_m
    if completion is None:
        return "not compared"
    if completion.beyond_noise and completion.value < 0.0:
        return "behind"
    if deviation is None or deviation.low is None:
        return "too few pairs"
    if deviation.beyond_noise:
        return "behind" if deviation.value > 0.0 else "mixed"
    return "not told apart"
