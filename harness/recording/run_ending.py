"""From a closed bag to result.json: the last step of every run. No ROS."""

import hashlib
import logging
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.errors import BrainError, DataError, HarnessError, PitwallError, one_line
from harness.metrics.figures import Metrics, compute_metrics
from harness.paths import project_root
from harness.recording.course import Course, course_of_spec
from harness.recording.log import read_run_log
from harness.recording.messages import BAG_NAME
from harness.recording.provenance import collect_provenance
from harness.recording.results import (
    DRIVING_OUTCOMES,
    RESULT_NAME,
    Outcome,
    Result,
    asked,
    write_result,
)
from harness.spec.run import RunSpec

_EXIT_CODES = {"brain_error": BrainError.exit_code, "harness_error": HarnessError.exit_code}
_LOG = logging.getLogger(__name__)

Publish = Callable[[Mapping[str, float]], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: its outcome, and why in words, on one line."""

    outcome: Outcome
    reason: str


def exit_code(outcome: Outcome) -> int:
    """0 for every result of driving, the failure's own code otherwise."""
    return _EXIT_CODES.get(outcome, 0)


def ended(run: Callable[[], Ending]) -> Ending:
    """Runs a run to its ending, whatever it raises: an error that nobody foresaw is one as well."""
    try:
        return run()
    except Exception as error:
        return ending_of(error)


def ending_of(error: Exception) -> Ending:
    """How a run ended that an error ended.

    The traceback of one that nobody foresaw goes to the log: it is a bug, its line says little.
    """
    if not isinstance(error, PitwallError):
        _LOG.error("unexpected: %s", one_line(error), exc_info=error)
        return Ending("harness_error", f"{one_line(error)} (see logs/)")
    outcome: Outcome = "brain_error" if isinstance(error, BrainError) else "harness_error"
    return Ending(outcome, one_line(error))


def finish_recording(
    folder: Path,
    spec: RunSpec,
    ending: Ending,
    proof: dict[str, Any],
    started_at: datetime,
    timings: dict[str, float],
    bag_recovered: bool = False,
    course: Course | None = None,
    publish: Publish | None = None,
) -> Result:
    """Computes the figures from the bag and writes result.json, last and atomically.

    A run whose figures can't be computed has a result too: it then is a harness_error.

    Args:
        folder: the recording; its run.bag is closed.
        spec: what was asked.
        ending: how it ended.
        proof: what the brain said it executes.
        started_at: when the run began.
        timings: wall seconds of the run's phases.
        bag_recovered: the recorder was killed, and the bag's index rebuilt.
        course: what was to be driven, as it was read when the run began; None reads it now.
        publish: takes the figures by the published study's names, before the result is written.

    Raises:
        PitwallError: the circuit can't be read any more, and no course is given.
        StorageError: the result can't be written.
    """
    course = course or course_of_spec(spec, "as asked")
    bag = folder / BAG_NAME
    metrics, ending = _figures(bag, course, ending)
    if publish and bag.exists():
        ending = _published(publish, metrics, ending)
    result = Result(
        **metrics.model_dump(),
        **asked(spec),
        outcome=ending.outcome,
        outcome_reason=ending.reason,
        circuit_sha256=course.circuit.sha256(),
        world_sha256=None if course.circuit.world is None else course.circuit.world.sha256,
        start_station_m=course.start_station_m,
        timeout_s=course.timeout_s,
        latency_sha256=latency_sha256(spec),
        command=command_of(spec),
        started_at=started_at,
        bag=bag.name if bag.exists() else None,
        bag_recovered=bag_recovered,
        timings=timings,
        brain_proof=proof,
        provenance=collect_provenance(project_root(), proof.get("artifact_sha256")),
    )
    write_result(result, folder / RESULT_NAME)
    return result


def latency_sha256(spec: RunSpec) -> str | None:
    """Hash (hex) of a run's latency profile: the file may be moved; None without one."""
    path = spec.latency_profile()
    if path is None or not path.is_file():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()


def command_of(spec: RunSpec) -> str:
    """The command that makes a run again."""
    return shlex.join(["roslaunch", "harness", "circuit.launch", *spec.launch_arguments()])


def _figures(bag: Path, course: Course, ending: Ending) -> tuple[Metrics, Ending]:
    """The figures of a bag; without them, how the run ended on that account."""
    try:
        metrics = compute_metrics(
            read_run_log(bag),
            course.circuit,
            course.direction,
            course.start_station_m,
            course.laps,
            course.timeout_s,
        )
    except Exception as error:
        if isinstance(error, DataError) and ending.outcome not in DRIVING_OUTCOMES:
            # A run that failed before the car moved has no figures; its outcome says why.
            return Metrics(), ending
        return Metrics(), _spoilt(ending, "its figures can't be computed", error)
    return metrics, ending


def _published(publish: Publish, metrics: Metrics, ending: Ending) -> Ending:
    try:
        publish(metrics.published())
    except Exception as error:
        return _spoilt(ending, "its bag does not take the figures", error)
    return ending


def _spoilt(ending: Ending, what: str, error: Exception) -> Ending:
    """The ending of a run after which something failed: a failure before that stays what it was."""
    cause = f"{what}: {ending_of(error).reason}"
    if ending.outcome in DRIVING_OUTCOMES:
        return Ending("harness_error", f"{ending.outcome}, but {cause}")
    return Ending(ending.outcome, f"{ending.reason}; {cause}")
