"""`make bench`: drives what the project promises and prints it beside the promise."""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.errors import PitwallError
from harness.files import write_text
from harness.metrics.timing import SHARES
from harness.paths import project_root
from harness.recording.provenance import collect_provenance
from harness.recording.results import Result
from harness.report.promises import Promise, promise_table
from harness.run.drive import drive
from harness.spec.run import RunSpec
from harness.study.bench_batch import batch_row
from harness.study.bench_costs import cost_rows

MODEL = "tflite_dynamic"
LOCKSTEP = "SimpleCircuit lockstep"
LOCKSTEP_PLAIN = "SimpleCircuit lockstep, antialiasing 0"
LOCKSTEP_SMALL = "SimpleCircuit lockstep, 320x240, antialiasing 0"


class Bench:
    """Drives runs one after the other and keeps their results by name."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.results: dict[str, list[Result]] = {}
        self.ends_s: list[float] = []

    def drive(self, name: str, repetitions: int, **values: object) -> None:
        """Drives the same run of the default model so many times and keeps it under a name."""
        for repetition in range(repetitions):
            spec = RunSpec.parse({"model": MODEL, "seed": repetition, **values})
            self._console.print(f"{MODEL} {name} {repetition + 1}/{repetitions}")
            folder, result = drive(spec, lambda _: None)
            self.ends_s.append(time.time() - (folder / "result.json").stat().st_mtime)
            self.results.setdefault(name, []).append(result)
            self._console.print(f"  {result.outcome} ({result.outcome_reason})")


def rows(bench: Bench) -> list[Promise]:
    """The promises of the project beside what was measured."""
    simple, montreal = bench.results["SimpleCircuit"], bench.results["Montreal"]
    driving = [*simple, *montreal]
    return [
        _all_completed("SimpleCircuit laps", simple),
        _mean("SimpleCircuit mean speed, m/s", simple, "average_speed_m_s", at_least=8.9),
        _mean("SimpleCircuit deviation_published", simple, "deviation_published", at_most=3.5),
        _mean("SimpleCircuit deviation_mae_m, m", simple, "deviation_mae_m", at_most=0.15),
        _all_completed("Montreal laps", montreal),
        _mean("Montreal mean speed, m/s", montreal, "average_speed_m_s", at_least=10.3),
        _mean("Montreal deviation_published", montreal, "deviation_published", at_most=5.0),
        _all_completed("Montmeló laps, forward", bench.results["Montmeló"]),
        _all_completed("Montmeló laps, reverse", bench.results["Montmeló reverse"]),
        _mean("real_time_factor, 640x480 at 20 Hz", driving, "real_time_factor", at_least=0.99),
        _mean("its worst second", driving, "real_time_factor_worst_second", at_least=0.9),
        _mean(
            "harness share of an iteration, ms (median)",
            driving,
            "harness_share_ms_median",
            at_most=0.4,
        ),
        _images(driving),
        _mean(f"{LOCKSTEP}: RTF", bench.results[LOCKSTEP], "real_time_factor", at_least=4.0),
        _mean(f"{LOCKSTEP_PLAIN}: RTF", bench.results[LOCKSTEP_PLAIN], "real_time_factor", 6.0),
        _mean(f"{LOCKSTEP_SMALL}: RTF", bench.results[LOCKSTEP_SMALL], "real_time_factor", 10.0),
        Promise(
            what="a run's end, s (longest)",
            promise="<= 5",
            measured=f"{max(bench.ends_s):.2f}",
            kept=max(bench.ends_s) <= 5.0,
        ),
    ]


def _all_completed(what: str, results: list[Result]) -> Promise:
    done = sum(result.completed for result in results)
    promise = f"{len(results)} of {len(results)}"
    return Promise(
        what=what, promise=promise, measured=f"{done} of {len(results)}", kept=done == len(results)
    )


def _mean(
    what: str,
    results: list[Result],
    figure: str,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Promise:
    """A figure's mean over the runs; a run that lacks it breaks the promise."""
    values = [getattr(result, figure) for result in results]
    promise = f">= {at_least:g}" if at_least is not None else f"<= {at_most:g}"
    if any(value is None for value in values):
        return Promise(what=what, promise=promise, measured="missing in a run", kept=False)
    mean = statistics.fmean(values)
    kept = mean >= at_least if at_least is not None else mean <= (at_most or 0.0)
    spread = f" ({min(values):.4g} to {max(values):.4g})" if len(values) > 1 else ""
    return Promise(what=what, promise=promise, measured=f"{mean:.4g}{spread}", kept=kept)


def _images(results: list[Result]) -> Promise:
    values = [result.images_per_sim_s for result in results if result.images_per_sim_s is not None]
    kept = len(values) == len(results) and all(abs(value - 20.0) <= 0.1 for value in values)
    return Promise(
        what="images per simulated second",
        promise="20.0 +- 0.1 in every run",
        measured=f"{min(values):.3f} to {max(values):.3f}" if values else "missing",
        kept=kept,
    )


def main() -> int:
    """Drives, prints the table, writes bench.json; exit code 1 if a promise is broken."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="10 / 5 / 5 + 5 runs (about 50 min)")
    parser.add_argument("--output", type=Path, default=project_root() / "bench.json")
    options = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    bench = Bench(console)
    simple, montreal, montmelo = (10, 5, 5) if options.full else (2, 1, 1)
    lockstep = {"clock": "lockstep", "latency": "fixed:5"}
    plain = {**lockstep, "antialiasing": 0}
    plan: list[Callable[[], None]] = [
        lambda: bench.drive("SimpleCircuit", simple),
        lambda: bench.drive(LOCKSTEP, 3, **lockstep),
        lambda: bench.drive(LOCKSTEP_PLAIN, 3, **plain),
        lambda: bench.drive(LOCKSTEP_SMALL, 3, **plain, image_width=320, image_height=240),
        lambda: bench.drive("Montreal", montreal, circuit="montreal"),
        lambda: bench.drive("Montmeló", montmelo, circuit="montmelo"),
        lambda: bench.drive("Montmeló reverse", montmelo, circuit="montmelo", direction="reverse"),
    ]
    try:
        costs = cost_rows(console.print)
        for step in plan:
            step()
        laps = batch_row(console.print)
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    found = [*rows(bench), laps, *costs]
    machine = collect_provenance(project_root())
    _print(console, found, machine.cpu_model or "unknown CPU", machine.cpu_cores)
    _print_shares(console, bench)
    document: dict[str, Any] = {
        "rows": [row.model_dump() for row in found],
        "machine": machine.model_dump(mode="json"),
        "load_average": os.getloadavg(),
        "runs": {
            name: [result.model_dump(mode="json") for result in results]
            for name, results in bench.results.items()
        },
    }
    write_text(options.output, json.dumps(document, indent=2) + "\n")
    console.print(f"written: {options.output}")
    return 0 if all(row.kept for row in found) else 1


def _print(console: Console, found: list[Promise], cpu: str, cores: int) -> None:
    console.print(promise_table(f"make bench on {cpu}, {cores} cores", found))


def _print_shares(console: Console, bench: Bench) -> None:
    """Where the wall time goes, real time beside lockstep."""
    names = [share.removesuffix("_share") for share in SHARES]
    table = Table("run", "RTF", *names, title="shares of the wall time")
    for name in ("SimpleCircuit", LOCKSTEP, LOCKSTEP_PLAIN, LOCKSTEP_SMALL):
        result = bench.results[name][-1]
        shares = [getattr(result, share) for share in SHARES]
        cells = ["-" if share is None else f"{share:.0%}" for share in shares]
        table.add_row(name, f"{result.real_time_factor or 0.0:.2f}", *cells)
    console.print(table)
    console.print("waiting: in real time, for the clock on the wall")


if __name__ == "__main__":
    sys.exit(main())
