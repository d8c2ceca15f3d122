"""`harness profile`: a model's latency on this machine, as a file."""

from pathlib import Path
from typing import Annotated

import typer


def profile(
    model: Annotated[str, typer.Argument(help="see `harness models`, or my_module:MyBrain")],
    output: Annotated[Path | None, typer.Option(help="file; default: MODEL.profile.json")] = None,
    frames: Annotated[int, typer.Option(min=1, help="answers to time, after warm-up")] = 300,
    image_width: Annotated[int, typer.Option(min=64, help="frame, pixels")] = 640,
    image_height: Annotated[int, typer.Option(min=48, help="frame, pixels")] = 480,
    as_json: Annotated[bool, typer.Option("--json", help="profile as JSON on stdout")] = False,
) -> None:
    """Measure a model's latency here, to drive with it anywhere in lockstep.

    A brain that fails while it loads or answers ends it with one line and exit code 6.

    Example: harness profile tflite_dynamic --output board.json, then elsewhere
    harness lap --model tflite_dynamic --clock lockstep --latency profile:board.json
    """
    from rich.console import Console
    from rich.progress import Progress

    from brains.catalogue import enter_environment, load_brain
    from brains.failures import as_brain_error
    from harness.evaluation.profile import measure, noise_frames, write_profile
    from harness.paths import project_root
    from harness.recording.provenance import collect_provenance

    console = Console(stderr=True, highlight=False)
    enter_environment(model)
    brain = load_brain(model)
    with as_brain_error():
        proof = dict(brain.proof())
    provenance = collect_provenance(project_root(), proof.get("artifact_sha256"))
    with Progress(console=console) as progress:
        task = progress.add_task(model, total=frames)
        found = measure(
            model,
            brain,
            noise_frames(image_width, image_height),
            frames,
            provenance,
            lambda done: progress.update(task, completed=done),
        )
    path = output or Path(f"{model.replace(':', '.')}.profile.json")
    write_profile(found, path)
    p50, p95, p99 = found.quantiles_ms()
    console.print(f"{model}: median {p50:.2f} ms, p95 {p95:.2f}, p99 {p99:.2f}; written: {path}")
    if as_json:
        print(found.model_dump_json(indent=2))
