"""All figures of a run from its bag alone, beside those that were recorded with it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import DataError
from harness.metrics.figures import (
    Drive,
    Metrics,
    ReferenceDeviation,
    deviation_from_reference,
    earlier_definitions,
    metrics_of_drive,
    replay,
)
from harness.metrics.lap import DrivingOutcome
from harness.metrics.run_log import Odometry, RunLog
from harness.metrics.times import HOLE_S, Times
from harness.recording.chosen_topics import AskedTopics
from harness.recording.course import Course, Given, course_of
from harness.recording.log import read_run_log
from harness.recording.messages import bag_of
from harness.recording.reference import Reference
from harness.recording.results import RESULT_NAME, read_result


@dataclass(frozen=True)
class AgainstReference:
    """A bag against a reference lap; `measured` is None if the car passed no point of it."""

    reference: Reference
    measured: ReferenceDeviation | None

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            "bag": str(self.reference.bag),
            "sha256": self.reference.sha256,
            "points": self.measured.points if self.measured else 0,
            "deviation": self.measured.deviation if self.measured else None,
            "floor": self.measured.floor if self.measured else None,
        }


@dataclass(frozen=True)
class BagMetrics:
    """What a bag says.

    Attributes:
        bag: The bag.
        course: What was driven.
        metrics: All figures.
        outcome: How driving ended; None if the bag ends before.
        outcome_reason: The outcome in words.
        times: What the bag's times mean, in a line.
        notes: What a reader must know: topics taken, what the times lack, what is lost of a damaged
            bag, and what the figures leave out for it; a line each.
        recorded_in: Where figures recorded with the bag stand; None without any.
        recorded: Those figures by name.
        earlier: Figures by the definition that they had in older recordings.
        against: The bag against a reference lap, if one was given.
    """

    bag: Path
    course: Course
    metrics: Metrics
    outcome: DrivingOutcome | None
    outcome_reason: str
    times: Times
    notes: tuple[str, ...]
    recorded_in: str | None
    recorded: dict[str, Any]
    earlier: dict[str, Any]
    against: AgainstReference | None = None

    @property
    def different(self) -> tuple[str, ...]:
        """Names of the figures that are not those recorded, to the last digit."""
        return tuple(name for name in self._changed if name not in self.redefined)

    @property
    def redefined(self) -> tuple[str, ...]:
        """Names of the figures that are those recorded by the definition of then."""
        return tuple(
            name for name in self._changed if self.earlier.get(name) == self.recorded[name]
        )

    @property
    def _changed(self) -> tuple[str, ...]:
        now = self.metrics.model_dump()
        return tuple(name for name, value in self.recorded.items() if now[name] != value)

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            "bag": str(self.bag),
            "circuit": self.course.circuit.name,
            "circuit_source": self.course.source,
            "direction": self.course.direction,
            "start_station_m": self.course.start_station_m,
            "laps_asked": self.course.laps,
            "timeout_s": self.course.timeout_s,
            "outcome": self.outcome,
            "outcome_reason": self.outcome_reason,
            "times": self.times.words,
            "notes": list(self.notes),
            "recorded_in": self.recorded_in,
            "different": {name: self.recorded[name] for name in self.different},
            "redefined": {name: self.recorded[name] for name in self.redefined},
            "reference": self.against.to_dict() if self.against else None,
            **self.metrics.model_dump(mode="json"),
        }


def measure_bag(
    path: Path,
    given: Given | None = None,
    reference: Reference | None = None,
    asked: AskedTopics | None = None,
) -> BagMetrics:
    """Compute all figures of a bag, damaged ones as far as they go.

    Args:
        path: The bag, or a recording's folder.
        given: What the user says of its course.
        reference: A lap to measure the deviation against, as the published study does.
        asked: The topics that the user names.

    Raises:
        DataError: No bag, no run, no circuit recognised, or a reference of another one.
        UsageError: The circuit or a topic given is not known.
    """
    measured, _, drive = measured_log(bag_of(path), given, asked)
    if reference is None:
        return measured
    course = measured.course
    deviation = deviation_from_reference(
        drive,
        course.circuit.centreline(course.direction),
        course.start_station_m,
        reference.on(course.circuit, course.direction),
    )
    return replace(measured, against=AgainstReference(reference, deviation))


def measured_log(
    bag: Path, given: Given | None = None, asked: AskedTopics | None = None
) -> tuple[BagMetrics, RunLog, Drive]:
    """What a bag says, with its log and its driving, for who wants to draw them.

    Args:
        bag: The bag.
        given: What the user says of its course.
        asked: The topics that the user names.

    Raises:
        DataError: No bag, no run, or no circuit recognised.
        UsageError: The circuit or a topic given is not known.
    """
    log = read_run_log(bag, damaged=True, asked=asked)
    notes = [*log.notes, *log.times.notes, *log.losses]
    if log.losses and log.times.kind != "none":
        log = _before_hole(log, notes)
    course = course_of(log, given, bag)
    centreline = course.circuit.centreline(course.direction)
    drive = replay(log, centreline, course.start_station_m, course.laps, course.limits)
    metrics = metrics_of_drive(log, drive, centreline, course.start_station_m)
    reason = drive.outcome_reason
    if drive.outcome is None:
        after = (
            ""
            if metrics.duration_sim_s is None
            else f" {metrics.duration_sim_s:.2f} simulated s after go,"
        )
        whole_m = course.laps * centreline.length_m
        reason = f"the bag ends{after} at {metrics.progress_m:.1f} m of {whole_m:.1f} m"
    recorded_in, recorded = _recorded(bag, log)
    measured = BagMetrics(
        bag=bag,
        course=course,
        metrics=metrics,
        outcome=drive.outcome,
        outcome_reason=reason,
        times=log.times,
        notes=tuple(notes),
        recorded_in=recorded_in,
        recorded=recorded,
        earlier=earlier_definitions(log, drive),
    )
    return measured, log, drive


def _before_hole(log: RunLog, notes: list[str]) -> RunLog:
    """The log up to the first hole in its odometry: the car must not be followed across one."""
    odometry = log.odometry
    starts = (np.diff(odometry.sim_s) > HOLE_S) & (odometry.sim_s[:-1] >= log.go_sim_s)
    if not starts.any():
        return log
    last = int(np.flatnonzero(starts)[0])
    from_s, to_s = odometry.sim_s[last], odometry.sim_s[last + 1]
    notes.append(
        f"no odometry from {from_s:.2f} to {to_s:.2f} simulated s: the figures are of the run"
        " before that"
    )
    kept = Odometry(*(column[: last + 1] for column in vars(odometry).values()))
    return replace(log, odometry=kept)


def _recorded(bag: Path, log: RunLog) -> tuple[str | None, dict[str, Any]]:
    """Figures recorded with a bag: in the result beside it, else within it."""
    beside = bag.parent / RESULT_NAME
    if beside.is_file():
        try:
            result = read_result(beside)
        except DataError:
            return None, {}
        if result.bag == bag.name:
            figures = result.model_dump(include=set(Metrics.model_fields), exclude_none=True)
            return RESULT_NAME, figures
    names = {f"published_{name}": value for name, value in log.experiment_metrics.items()}
    known = {name: value for name, value in names.items() if name in Metrics.model_fields}
    return ("/experiment_metrics" if known else None), known
