"""`make bench`: laps an hour that a batch drives, all between command and report included."""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from harness.errors import HarnessError
from harness.report.promises import Promise

_LAPS = 8
_SLOTS = 2
_LAPS_AN_HOUR = 500.0
_PLAN = {
    "models": ["tflite_dynamic"],
    "circuits": ["simple_circuit"],
    "repetitions": _LAPS,
    "latency": "fixed:5",
    "antialiasing": 0,
}


def batch_row(show: Callable[[str], None]) -> Promise:
    """Drives the laps by `harness batch`, as a user would, and counts them.

    Args:
        show: takes each line of progress.

    Raises:
        HarnessError: the batch left no results; says what it last printed.
    """
    show(f"{_LAPS} laps of SimpleCircuit by harness batch --jobs {_SLOTS}, antialiasing 0")
    with tempfile.TemporaryDirectory(prefix="pitwall-bench-") as folder:
        plan = Path(folder, "plan.yaml")
        plan.write_text(yaml.safe_dump(_PLAN))
        command = ["harness", "batch", str(plan), "--output", str(Path(folder, "runs"))]
        started_s = time.monotonic()
        done = subprocess.run(
            [*command, "--jobs", str(_SLOTS), "--json"], capture_output=True, text=True, check=False
        )
        taken_s = time.monotonic() - started_s
    return promise_of(done.stdout, done.stderr, taken_s)


def promise_of(results: str, said: str, taken_s: float) -> Promise:
    """The row of the table.

    Args:
        results: what `harness batch --json` printed.
        said: what it printed besides.
        taken_s: wall time of the command, s.

    Raises:
        HarnessError: there are no results.
    """
    try:
        outcomes = [row["outcome"] for row in json.loads(results).values()]
    except ValueError:
        last = (said.strip().splitlines() or ["nothing"])[-1]
        raise HarnessError(f"harness batch left no results; it last said: {last}") from None
    completed = outcomes.count("completed")
    laps_an_hour = completed / taken_s * 3600.0
    short = "" if completed == _LAPS else f" ({completed} of {_LAPS} completed)"
    return Promise(
        what=f"laps an hour, harness batch --jobs {_SLOTS}"
        f" ({_LAPS} laps of SimpleCircuit, antialiasing 0)",
        promise=f">= {_LAPS_AN_HOUR:g}, all completed",
        measured=f"{laps_an_hour:.0f}{short}",
        kept=completed == _LAPS and laps_an_hour >= _LAPS_AN_HOUR,
    )
