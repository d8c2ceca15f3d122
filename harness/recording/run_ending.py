"""From a closed bag to result.json: the last step of every run. No ROS."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.errors import BrainError, DataError, HarnessError
from harness.metrics.figures import Metrics, compute_metrics
from harness.paths import project_root
from harness.recording.log import read_run_log
from harness.recording.provenance import collect_provenance
from harness.recording.results import RESULT_NAME, Outcome, Result, write_result
from harness.spec.run import RunSpec

_EXIT_CODES = {"brain_error": BrainError.exit_code, "harness_error": HarnessError.exit_code}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: its outcome, and why in words."""

    outcome: Outcome
    reason: str


def exit_code(outcome: Outcome) -> int:
    """0 for every result of driving, the failure's own code otherwise."""
    return _EXIT_CODES.get(outcome, 0)


def finish_recording(
    folder: Path,
    spec: RunSpec,
    ending: Ending,
    proof: dict[str, Any],
    started_at: datetime,
    timings: dict[str, float],
    bag_recovered: bool = False,
) -> Result:
    """Computes the result from the bag and writes result.json, last and atomically.

    Args: as `compute_result`.

    Raises:
        StorageError: the result can't be written.
    """
    result = compute_result(folder, spec, ending, proof, started_at, timings, bag_recovered)
    write_result(result, folder / RESULT_NAME)
    return result


def compute_result(
    folder: Path,
    spec: RunSpec,
    ending: Ending,
    proof: dict[str, Any],
    started_at: datetime,
    timings: dict[str, float],
    bag_recovered: bool = False,
) -> Result:
    """Computes the figures from the bag.

    Args:
        folder: the recording; its run.bag is closed.
        spec: what was asked.
        ending: how it ended.
        proof: what the brain said it executes.
        started_at: when the run began.
        timings: wall seconds of the run's phases.
        bag_recovered: the recorder was killed, and the bag's index rebuilt.
    """
    bag = folder / "run.bag"
    try:
        metrics = compute_metrics(
            read_run_log(bag),
            spec.load_circuit(),
            spec.direction,
            spec.start_station_m(),
            spec.laps,
            spec.timeout_s(),
        )
    except DataError:
        # A run that failed before the car moved has no figures; its outcome says why.
        metrics = Metrics()
    return Result(
        **metrics.model_dump(),
        outcome=ending.outcome,
        outcome_reason=ending.reason,
        model=spec.model,
        circuit=spec.circuit,
        direction=spec.direction,
        start_station_m=spec.start_station_m(),
        laps_asked=spec.laps,
        timeout_s=spec.timeout_s(),
        seed=spec.seed,
        clock=spec.clock,
        latency=spec.latency if spec.clock == "lockstep" else None,
        command=(folder / "command.sh").read_text().strip(),
        started_at=started_at,
        bag=bag.name if bag.exists() else None,
        bag_recovered=bag_recovered,
        timings=timings,
        brain_proof=proof,
        provenance=collect_provenance(project_root(), proof.get("artifact_sha256")),
    )
