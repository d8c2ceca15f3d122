"""Which model drives best, and which differences are beyond noise.

An order needs a rule that never goes in a circle, and "not told apart" alone does: a may not be
told from b, nor b from c, but a from c. So models are put into tiers: sorted by one criterion, a
tier goes from its best down to the first that is told apart from that best. Within a tier the
next criterion decides, in the same way; docs/METRICS.md has the whole rule.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean
from typing import Literal, Protocol, get_args

from harness.metrics.intervals import (
    MIN_PAIRS,
    Difference,
    paired_difference,
    paired_ratio,
    paired_share_difference,
)
from harness.report.columns import DEFAULT_RANK_KEY, Figure, ranked_by
from harness.report.groups import Group, Heat, Run

# Of ten runs one may be lost by chance. More is never put down to noise, or few runs, which tell
# no 1 of 3 from 3 of 3, would let a car stand first that leaves the track.
_SHARE_MARGIN = 0.1
_ROUNDING = 1e-9

Verdict = Literal["behind", "mixed", "not told apart", "too few pairs", "not compared"]


class Criterion(Protocol):
    """Something that models are ordered by."""

    @property
    def title(self) -> str:
        """What it is, in words."""

    def cost(self, group: Group) -> float:
        """The group's value; less is better, and infinity is what can't be told."""

    def difference(self, first: Group, second: Group, comparisons: int = 1) -> Difference | None:
        """The second group less the first, over their pairs; None without any."""

    def is_worse(self, difference: Difference) -> bool:
        """Whether the difference speaks against the second group."""

    def is_level(self, best: Group, other: Group) -> bool:
        """Whether a group of no less cost is not told apart from the best."""


@dataclass(frozen=True)
class Completion:
    """The share of the runs that are completed."""

    title: str = "completion"

    def cost(self, group: Group) -> float:
        """How many of all judged runs are lost."""
        return 1.0 - group.completion.value if group.completion else float("inf")

    def difference(self, first: Group, second: Group, comparisons: int = 1) -> Difference | None:
        """Of the shares completed."""
        return completion_difference(distinct_pairs(common_pairs(first, second)), comparisons)

    def is_worse(self, difference: Difference) -> bool:
        """Less is worse."""
        return difference.value < 0.0

    def is_level(self, best: Group, other: Group) -> bool:
        """At most one run in ten less, and not beyond noise."""
        if self.cost(other) - self.cost(best) > _SHARE_MARGIN + _ROUNDING:
            return False
        found = self.difference(best, other)
        return found is None or not (found.beyond_noise and self.is_worse(found))


@dataclass(frozen=True)
class ByFigure:
    """A figure of the completed runs."""

    figure: Figure

    @property
    def title(self) -> str:
        """The figure's, as it stands within a sentence."""
        title = self.figure.title.lower()
        return f"{title} {self.figure.unit}" if self.figure.unit == "as published" else title

    def cost(self, group: Group) -> float:
        """The mean; its negative where more is better."""
        mean = mean_over_courses(group, self.figure)
        if mean is None:
            return float("inf")
        return -mean if self.figure.more_is_better else mean

    def difference(self, first: Group, second: Group, comparisons: int = 1) -> Difference | None:
        """Over pairs that both completed; a ratio less 1 where the circuit sets the size."""
        pairs = common_pairs(first, second)
        if self.figure.driving:
            pairs = distinct_pairs(pairs)
        values = _known_values(completed_pairs(pairs), self.figure.name)
        compared = paired_ratio if self.figure.of_circuit else paired_difference
        return compared([a for a, _ in values], [b for _, b in values], comparisons)

    def is_worse(self, difference: Difference) -> bool:
        """Less of what is better with more, or the reverse."""
        return (difference.value < 0.0) == self.figure.more_is_better and difference.value != 0.0

    def is_level(self, best: Group, other: Group) -> bool:
        """Not beyond noise; where there are too few pairs to tell, only the same mean is level."""
        if self.cost(other) == self.cost(best):
            return True
        found = self.difference(best, other)
        if found is None or found.n < MIN_PAIRS:
            return False
        return not (found.beyond_noise and self.is_worse(found))


@dataclass(frozen=True)
class Place:
    """A group's place in the ranking.

    Attributes:
        place: 1 for the first.
        group: The group.
        completes: It completes as often as the best, as far as can be told.
        means: Its mean of every figure that the ranking goes by; None if it completed no run.
        versus_first: Its differences to the first: completion, then those figures; empty for the
            first itself.
        verdict: What may be said of it; None for the first itself.
        decided_by: The criterion that says so, if one does.
    """

    place: int
    group: Group
    completes: bool
    means: tuple[float | None, ...]
    versus_first: tuple[Difference | None, ...]
    verdict: Verdict | None
    decided_by: str | None


def rank(heat: Heat, figures: Sequence[Figure] = ranked_by(DEFAULT_RANK_KEY)) -> tuple[Place, ...]:
    """Rank the models of a table: by share completed, then by the figures in their order.

    Models without a run of driving have no place. Every model is compared with the first; a
    difference counts as beyond noise at 0.05 over the number of those comparisons. Tiers are no
    claims: each of their comparisons is judged at 0.05.
    """
    judged = sorted((group for group in heat.groups if group.judged), key=lambda g: g.label)
    completion, by_figures = Completion(), tuple(map(ByFigure, figures))
    criteria: tuple[Criterion, ...] = (completion, *by_figures)
    completing = {group.label for group in next(_tiers(judged, completion), [])}
    ordered = _ordered(judged, criteria)
    places: list[Place] = []
    for number, group in enumerate(ordered, start=1):
        versus: tuple[Difference | None, ...] = ()
        verdict, decided_by = None, None
        if number > 1:
            comparisons = len(ordered) - 1
            versus = tuple(c.difference(ordered[0], group, comparisons) for c in criteria)
            verdict, decided_by = _verdict(criteria, versus)
        means = tuple(mean_over_courses(group, figure) for figure in figures)
        completes = group.label in completing
        places.append(Place(number, group, completes, means, versus, verdict, decided_by))
    return tuple(places)


def mean_over_courses(group: Group, figure: Figure) -> float | None:
    """A figure's mean over completed runs, every circuit and direction with the same weight.

    Of figures whose size the circuit sets it is the geometric mean of the circuits' means: it
    orders models alike whatever lap one measures them by. None if the group completed no run on
    one of the courses that it drove.
    """
    runs = group.distinct if figure.driving else group.completed
    values: dict[tuple[str, str], list[float]] = {_course(run): [] for run in group.judged}
    for run in runs:
        value = getattr(run.result, figure.name)
        if value is not None:
            values[_course(run)].append(value)
    if not all(values.values()):
        return None
    means = [fmean(own) for own in values.values()]
    return geometric_mean(means) if figure.of_circuit and len(means) > 1 else fmean(means)


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
    known = _known_values(pairs, figure)
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
        said = [place for place in rest if place.verdict == verdict]
        for criterion in dict.fromkeys(place.decided_by for place in said):
            names = ", ".join(p.group.label for p in said if p.decided_by == criterion)
            parts.append(f"{_phrase(verdict, criterion)}: {names}.")
    return " ".join(parts)


def verdict_text(place: Place) -> str:
    """What may be said of a place, in a few words; empty for the first."""
    if place.verdict is None:
        return ""
    return f"{place.verdict}: {place.decided_by}" if place.decided_by else place.verdict


def _phrase(verdict: Verdict, criterion: str | None) -> str:
    """What a verdict says of models, with the criterion that decided."""
    phrases: dict[Verdict, str] = {
        "behind": f"Behind it in {criterion}, beyond noise",
        "mixed": f"Placed behind it, but better in {criterion}, beyond noise",
        "not told apart": "Not told apart from it",
        "too few pairs": f"Too few distinct pairs to tell (under {MIN_PAIRS})",
        "not compared": "Driven from other starts or seeds, so not compared",
    }
    return phrases[verdict]


def _ordered(groups: Sequence[Group], criteria: Sequence[Criterion]) -> list[Group]:
    """Groups by the first criterion, those not told apart in it by the next."""
    if not criteria:
        return list(groups)
    first, *rest = criteria
    return [group for tier in _tiers(groups, first) for group in _ordered(tier, rest)]


def _tiers(groups: Iterable[Group], criterion: Criterion) -> Iterator[list[Group]]:
    """Groups by a criterion, best first, in stretches that are not told apart from their best."""
    tier: list[Group] = []
    for group in sorted(groups, key=criterion.cost):
        if tier and not criterion.is_level(tier[0], group):
            yield tier
            tier = []
        tier.append(group)
    if tier:
        yield tier


def _verdict(
    criteria: Sequence[Criterion], versus: Sequence[Difference | None]
) -> tuple[Verdict, str | None]:
    """What the differences to the first allow to say: the first beyond noise decides."""
    completion, *figures = versus
    if completion is None:
        return "not compared", None
    for criterion, difference in zip(criteria, versus, strict=True):
        if difference is not None and difference.beyond_noise:
            return ("behind" if criterion.is_worse(difference) else "mixed"), criterion.title
    if all(difference is None or difference.low is None for difference in figures):
        return "too few pairs", None
    return "not told apart", None


def _course(run: Run) -> tuple[str, str]:
    return run.result.circuit, run.result.direction


def _known_values(pairs: Iterable[tuple[Run, Run]], figure: str) -> list[tuple[float, float]]:
    """A figure of both runs of each pair, where both have it."""
    values = [(getattr(a.result, figure), getattr(b.result, figure)) for a, b in pairs]
    return [(a, b) for a, b in values if a is not None and b is not None]
