"""`harness evaluate`: size, error, inference time and proof of models, in one table."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Models (see `harness models`), networks' cards (my_net.yaml), or `all`."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for the files; default: recordings/evaluation-TIME."),
    ] = None,
    inferences: Annotated[
        int, typer.Option(min=1, help="Single frames to time a model, after warm-up.")
    ] = 300,
    block: Annotated[int, typer.Option(min=1, help="Of these, how many in one go.")] = 20,
    bare: Annotated[
        bool, typer.Option("--bare", help="Time the engines' own loops and whole answers too.")
    ] = False,
    priority: Annotated[
        bool,
        typer.Option("--priority", help="Time at real-time priority (root): on a busy machine."),
    ] = False,
    promises: Annotated[
        bool,
        typer.Option(
            "--promises", help="Check the project's bounds; exit code 1 if one is broken."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Evaluate models offline: one table beside the published figures, CSV, JSON, Markdown, a plot.

    Every model has a row: one that can't run here has its reason.

    Example: harness evaluate all --promises

    Example: harness evaluate my_net.yaml

    Example: harness evaluate tflite_dynamic pitwall_fast --bare --output here
    """
    import json
    import os
    import shlex
    import sys
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.progress import Progress

    from brains.catalogue import chosen_models, read_catalogue
    from brains.cpu import int8_arithmetic
    from harness.evaluation.document import Evaluation, write_evaluation_files
    from harness.evaluation.evaluate import Plan
    from harness.evaluation.evaluate import evaluate as run
    from harness.evaluation.priority import check_priority
    from harness.evaluation.promises import promises as checked
    from harness.evaluation.table import PIPE_WIDTH, terminal
    from harness.paths import project_root, recordings_root
    from harness.recording.provenance import collect_provenance
    from harness.report.promises import promise_table

    networks = [model for model in read_catalogue().models if model.artifact or model.nvidia]
    one_by_one, versions = chosen_models([name for name in models if name != "all"])
    chosen = networks if "all" in models else [*one_by_one, *versions]
    console = Console(stderr=True, highlight=False)
    if priority:
        check_priority()
    load_before = os.getloadavg()[0]
    plan = Plan(inferences=inferences, block=block, bare=bare, priority=priority)
    with Progress(console=console, refresh_per_second=2) as progress:
        task = progress.add_task("", total=None)
        rows = run(
            chosen,
            plan,
            lambda text, done, total: progress.update(
                task, description=text, completed=done, total=total
            ),
        )
    now = datetime.now(UTC)
    evaluation = Evaluation(
        measured_at=now,
        command=shlex.join(["harness", *sys.argv[1:]]),
        inferences=inferences,
        block=block,
        priority=priority,
        load_average=(load_before, os.getloadavg()[0]),
        provenance=collect_provenance(project_root()),
        rows=tuple(rows),
    )
    folder = output or recordings_root() / f"evaluation-{now:%Y%m%d-%H%M%S}"
    written = write_evaluation_files(evaluation, folder)
    if as_json:
        provenance = evaluation.provenance.model_dump(mode="json")
        document = [row.model_dump(mode="json") | {"provenance": provenance} for row in rows]
        typer.echo(json.dumps(document, indent=2))
    else:
        # A pipe has no width: nothing is left out there.
        wide = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
        wide.print(terminal(rows, wide.width))
    found = checked(rows) if promises else []
    if found:
        machine = evaluation.provenance
        cpu = f"{machine.cpu_model or 'unknown CPU'} with {int8_arithmetic()}"
        title = f"harness evaluate --promises on {cpu}, {machine.cpu_cores} cores"
        console.print(promise_table(title, found))
    for path in written:
        console.print(f"wrote {path}", markup=False, soft_wrap=True)
    if not all(row.kept for row in found):
        raise typer.Exit(1)
