"""`harness batch`: a whole plan of runs."""

from pathlib import Path
from typing import Annotated

import typer

from harness.report.columns import DEFAULT_RANK_KEY, RANK_KEYS


def batch(
    plan: Annotated[Path | None, typer.Argument(help="the plan (YAML)")] = None,
    output: Annotated[
        Path | None, typer.Option(help="folder of the recordings; default: recordings/PLAN")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would run and how long it should take")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="lockstep runs side by side; default: cores")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Snakemake profile (a folder): Slurm, Kubernetes, ...")
    ] = None,
    again: Annotated[
        list[str] | None,
        typer.Option(help="drive runs with this outcome again, brain_error say; repeatable"),
    ] = None,
    rank_by: Annotated[
        str,
        typer.Option(help="what ranks models that complete equally often: " + ", ".join(RANK_KEYS)),
    ] = DEFAULT_RANK_KEY,
    schema: Annotated[
        bool, typer.Option("--schema", help="print the JSON Schema of plans and stop")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="results as JSON on stdout")] = False,
) -> None:
    """Drive all runs of a plan; the same command again drives only what is missing.

    Exit code 0: every run ended in a result of driving; 5: a run stayed without one;
    6: a brain failed; 7: the disk is full; 130: stopped.

    Examples: harness batch study.yaml --dry-run, then
    harness batch study.yaml
    """
    import json
    import signal
    import sys

    from rich.console import Console

    from harness.batch.plan import plan_schema, read_plan
    from harness.batch.study import Study, exit_code, print_summary
    from harness.errors import UsageError
    from harness.report.columns import ranked_by

    console = Console(stderr=True, highlight=False)
    if schema:
        print(json.dumps(plan_schema(), indent=2))
        return
    if plan is None:
        raise UsageError("give a plan: harness batch PLAN.yaml")
    ranked_by(rank_by)  # a wrong name is told before hours of driving
    study = Study.of(read_plan(plan), output, jobs, profile, again or ())
    if dry_run:
        for line in study.preview():
            print(line)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        results = study.run(console)
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on with what is missing")
        sys.exit(128 + signal.SIGINT)
    if as_json:
        rows = {name: json.loads(result.to_json()) for name, result in results.items()}
        print(json.dumps(rows, indent=2))
    elif results:
        print_summary(results, study.output, rank_by)
    raise typer.Exit(exit_code(results, len(study.expansion.jobs)))
