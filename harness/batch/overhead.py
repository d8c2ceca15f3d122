"""What the scheduling of a batch costs beside its runs."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from harness.batch.jobs import expand
from harness.batch.plan import Block, Plan
from harness.batch.study import Study
from harness.errors import HarnessError
from harness.paths import project_root
from harness.recording.provenance import collect_provenance
from harness.recording.results import Result, asked, write_result
from harness.spec.run import RunSpec


def scheduler_overhead_s(runs: int = 200, slots: int = 1) -> float:
    """Wall time a run of a batch of null runs, whose program only copies a result.

    Args:
        runs: how many, up to 999.
        slots: side by side.

    Returns:
        Seconds for each run: start and end of the batch, Snakemake's scheduling and the shell of
        each run among them; a real run's program, simulator and network are not.

    Raises:
        HarnessError: a run is missing at the end.
    """
    with tempfile.TemporaryDirectory(prefix="pitwall-overhead-") as folder:
        template = Path(folder, "template.json")
        write_result(_null_result(), template)
        block = Block(models=["null"], circuits=["simple_circuit"], repetitions=runs)
        output = Path(folder, "recordings")
        study = Study(
            expansion=expand(Plan(name="overhead", blocks=[block]), output),
            output=output,
            slots=slots,
            run_command=("sh", "-c", 'cp "$0" "$2/result.json"', str(template)),
        )
        started_s = time.monotonic()
        results = study.run(Console(quiet=True))
        taken_s = time.monotonic() - started_s
    if len(results) < runs:
        raise HarnessError(f"{runs - len(results)} of {runs} null runs are missing")
    return taken_s / runs


def _null_result() -> Result:
    return Result(
        outcome="completed",
        **asked(RunSpec(model="null")),
        timeout_s=1.0,
        command="true",
        started_at=datetime.now(UTC),
        provenance=collect_provenance(project_root()),
    )
