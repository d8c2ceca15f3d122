"""Runs in groups: equal conditions make a table, one model under equal conditions makes a row."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from harness.metrics.intervals import Interval, completion_interval, mean_interval
from harness.recording.results import Outcome, Result
from harness.spec.launch import launch_value
from harness.spec.recorded import UNSAID

# Arguments that make no other table: they have a place of their own in it, tell repetitions apart,
# or change nothing in what is driven. Any other argument does, also one of a later version.
_NO_SETTINGS = frozenset(
    {"model", "circuit", "laps", "direction", "clock", "latency"}
    | {"start", "seed", "appearance", "record_camera", "gui", "output"}
)
_SHORT_HASH = 8


@dataclass(frozen=True)
class Run:
    """A result with the name of the recording that it comes from.

    Attributes:
        name: The recording, relative to the folder that was asked for.
        result: What it came to.
        folder: Where it lies; None if it is not on this disk.
    """

    name: str
    result: Result
    folder: Path | None = None


@dataclass(frozen=True)
class Conditions:
    """What runs must share to stand in one table.

    Attributes:
        circuit: The circuit's name, or its file.
        direction: The driving direction.
        laps: Laps asked for.
        clock: `realtime` or `lockstep`.
        latency: How lockstep applied latency, a profile without its file (every model has its
            own); None in real time.
        settings: Other arguments that change what is driven, such as the image's size.
    """

    circuit: str
    direction: str
    laps: int
    clock: str
    latency: str | None
    settings: tuple[str, ...]

    @classmethod
    def of(cls, run: Run) -> "Conditions":
        """The conditions of a run."""
        result = run.result
        latency = result.latency
        return cls(
            circuit=result.circuit,
            direction=result.direction,
            laps=result.laps_asked,
            clock=result.clock,
            latency="profile" if latency and latency.startswith("profile:") else latency,
            settings=_settings(run),
        )

    @property
    def pace(self) -> str:
        """Clock mode and latency in words."""
        return self.clock if self.latency is None else f"{self.clock}, {self.latency}"

    @property
    def course(self) -> str:
        """The circuit (of a file its name), with the direction if it is not the published one."""
        name = Path(self.circuit).stem
        return name if self.direction == "forward" else f"{name} ({self.direction})"

    @property
    def title(self) -> str:
        """All of it in words."""
        laps = f"{self.laps} lap" if self.laps == 1 else f"{self.laps} laps"
        return "; ".join([self.course, laps, self.pace, *self.settings])


@dataclass(frozen=True)
class Pair:
    """What two runs share that may be compared with each other directly.

    Attributes:
        circuit: The circuit.
        direction: The driving direction.
        start_m: Station of the start, in millimetres' precision.
        seed: Seed of all that is drawn.
        appearance: Seed of the world's look, 0 for the published one.
        repetition: Counts the runs of one model from the same start and seed.
    """

    circuit: str
    direction: str
    start_m: float
    seed: int
    appearance: int
    repetition: int


@dataclass(frozen=True)
class Group:
    """The runs of one model under the same conditions.

    Attributes:
        label: The model; with its file's hash where the report holds several files of that model.
        conditions: What its runs share.
        runs: Its runs, by start of driving.
    """

    label: str
    conditions: Conditions
    runs: tuple[Run, ...]

    @property
    def model(self) -> str:
        """The model's name."""
        return self.runs[0].result.model

    @cached_property
    def completed(self) -> tuple[Run, ...]:
        """Runs that drove all laps."""
        return tuple(run for run in self.runs if run.result.completed)

    @cached_property
    def judged(self) -> tuple[Run, ...]:
        """Runs that say something of the model's driving: the denominator of completion."""
        return tuple(run for run in self.runs if run.result.judged)

    @cached_property
    def failed(self) -> tuple[Run, ...]:
        """Every run that did not complete, errors of harness and brain among them."""
        return tuple(run for run in self.runs if not run.result.completed)

    @cached_property
    def distinct(self) -> tuple[Run, ...]:
        """Completed runs, equal laps once.

        Lockstep with a fixed latency drives the same lap again, digit by digit: that is one
        observation of driving, however often it is repeated.
        """
        laps = {run.result.odometry_sha256 or run.name: run for run in reversed(self.completed)}
        return tuple(reversed(laps.values()))

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How often each outcome occurred; they add up to the runs."""
        return Counter(run.result.outcome for run in self.runs)

    @property
    def latencies(self) -> tuple[str, ...]:
        """Clock and latency of its runs in full, profiles with their files."""
        pairs = ((run.result.clock, run.result.latency) for run in self.runs)
        return tuple(dict.fromkeys(c if text is None else f"{c}, {text}" for c, text in pairs))

    @cached_property
    def completion(self) -> Interval | None:
        """Share of completed runs with its Clopper-Pearson interval; None if none was judged."""
        if not self.judged:
            return None
        return completion_interval(len(self.completed), len(self.judged))

    def mean(self, figure: str, driving: bool) -> Interval | None:
        """Mean of a figure over completed runs, with its bootstrap interval.

        Args:
            figure: A field of `Metrics`.
            driving: The figure is of the driven line: equal laps count once, and a single
                distinct lap has no interval.
        """
        if (figure, driving) not in self._means:
            runs = self.distinct if driving else self.completed
            values = (getattr(run.result, figure) for run in runs)
            known = [value for value in values if value is not None]
            self._means[figure, driving] = mean_interval(known)
        return self._means[figure, driving]

    @cached_property
    def _means(self) -> dict[tuple[str, bool], Interval | None]:
        """Means that were asked for: resampling takes a while, and tables ask again."""
        return {}

    def pairs(self) -> dict[Pair, Run]:
        """Its judged runs by what makes them comparable with another group's.

        A run that does not say what it was asked has none that it is comparable with.
        """
        found: dict[Pair, Run] = {}
        seen: Counter[tuple[str, str, float, int, int]] = Counter()
        for run in self.judged:
            spec = run.result.spec
            if spec is None:
                continue
            start_m = round(run.result.start_station_m, 3)
            key = (spec.circuit, spec.direction, start_m, spec.seed, spec.appearance)
            found[Pair(*key, repetition=seen[key])] = run
            seen[key] += 1
        return found


@dataclass(frozen=True)
class Heat:
    """All models driven under the same conditions: one table of the report.

    Attributes:
        conditions: What the runs share.
        groups: One for each model, in the order in which they first occur.
    """

    conditions: Conditions
    groups: tuple[Group, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """All its runs."""
        return tuple(run for group in self.groups for run in group.runs)


def heats(runs: Iterable[Run]) -> tuple[Heat, ...]:
    """Sort runs into tables and rows; every run lands in exactly one row."""
    runs = tuple(runs)
    labels = _labels(runs)
    sorted_runs: dict[Conditions, dict[str, list[Run]]] = {}
    for run in runs:
        rows = sorted_runs.setdefault(Conditions.of(run), {})
        rows.setdefault(labels[_artifact(run)], []).append(run)
    return tuple(
        Heat(
            conditions,
            tuple(
                Group(label, conditions, tuple(sorted(own, key=lambda run: run.result.started_at)))
                for label, own in rows.items()
            ),
        )
        for conditions, rows in sorted_runs.items()
    )


def pooled(found: Sequence[Heat]) -> tuple[Heat, ...]:
    """Tables of several circuits as one, where all else is equal; models that drove them all."""
    alike: dict[Conditions, list[Heat]] = {}
    for heat in found:
        anywhere = replace(heat.conditions, circuit="", direction="forward")
        alike.setdefault(anywhere, []).append(heat)
    return tuple(
        _pool(anywhere, several) for anywhere, several in alike.items() if len(several) > 1
    )


def _pool(anywhere: Conditions, several: Sequence[Heat]) -> Heat:
    courses = ", ".join(heat.conditions.course for heat in several)
    conditions = replace(anywhere, circuit=courses)
    driven = [
        {group.label: group.runs for group in heat.groups if group.judged} for heat in several
    ]
    everywhere = [label for label in driven[0] if all(label in runs for runs in driven)]
    return Heat(
        conditions,
        tuple(
            Group(label, conditions, tuple(run for runs in driven for run in runs[label]))
            for label in everywhere
        ),
    )


def _settings(run: Run) -> tuple[str, ...]:
    """The other arguments that change what is driven, where they are not as usual."""
    spec = run.result.spec
    if spec is None:
        # Nobody knows what it may stand beside: not even another one of these.
        return (f"arguments unknown ({run.name})",)
    settings = [
        f"{name}={launch_value(value)}"
        for name, value in spec.model_dump().items()
        if name not in _NO_SETTINGS and (name not in UNSAID or value != UNSAID[name])
    ]
    # Every other look of the world is one more draw; the published look is one of its own.
    if spec.appearance:
        settings.append("random appearance")
    if run.result.world_sha256 is not None:
        # The same name may have been given to another look.
        settings.append(f"world {run.result.world_sha256[:_SHORT_HASH]}")
    return tuple(settings)


def _artifact(run: Run) -> tuple[str, str | None]:
    return run.result.model, run.result.provenance.model_sha256


def _labels(runs: Sequence[Run]) -> dict[tuple[str, str | None], str]:
    """What to call each model and file; runs that ended before the file was known go with it."""
    labels: dict[tuple[str, str | None], str] = {}
    for model in dict.fromkeys(run.result.model for run in runs):
        hashes = dict.fromkeys(_artifact(run)[1] for run in runs if run.result.model == model)
        several = len([value for value in hashes if value is not None]) > 1
        for value in hashes:
            named = f"{model} ({(value or 'no file')[:_SHORT_HASH]})"
            labels[model, value] = named if several else model
    return labels
