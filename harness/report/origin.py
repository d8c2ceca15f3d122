"""What a report's figures were made with: machines, versions, files, commands."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.recording.provenance import Provenance
from harness.report.groups import Run
from harness.report.table import markdown_table

MODEL_HEADINGS = ("Model", "Engine", "Device", "Artifact", "SHA-256 of the artifact", "Runs")
_MISSING = "-"


@dataclass(frozen=True)
class Origin:
    """Where the figures come from.

    Attributes:
        facts: What and which; more than one value where the runs differ, with their number.
        models: One row of `MODEL_HEADINGS` for each model and file.
        commands: The command that makes each run again.
    """

    facts: tuple[tuple[str, tuple[str, ...]], ...]
    models: tuple[tuple[str, ...], ...]
    commands: tuple[str, ...]


def origin_of(runs: Sequence[Run]) -> Origin:
    """Gather what runs were made with."""
    made = [run.result.provenance for run in runs]
    starts = sorted(run.result.started_at for run in runs)
    period = f"{starts[0]:%Y-%m-%d %H:%M} to {starts[-1]:%Y-%m-%d %H:%M} UTC"
    facts = {
        "Driven": (period if len(runs) > 1 else f"{starts[0]:%Y-%m-%d %H:%M} UTC",),
        "Machine": _counted(map(_machine, made)),
        "System": _counted(f"{p.os}, Python {p.python}" for p in made),
        "Packages": _counted(
            ", ".join(f"{name} {version}" for name, version in p.packages.items()) for p in made
        ),
        "Commit": _counted(map(_commit, made)),
    }
    return Origin(
        facts=tuple(facts.items()),
        models=_models(runs),
        commands=tuple(f"{run.name}: {run.result.command}" for run in runs),
    )


def markdown_origin(origin: Origin) -> list[str]:
    """Facts and models as lines of Markdown."""
    facts = [f"- {name}: {'; '.join(values)}" for name, values in origin.facts]
    return [*facts, "", *markdown_table(MODEL_HEADINGS, origin.models, len(MODEL_HEADINGS) - 1)]


def _models(runs: Iterable[Run]) -> tuple[tuple[str, ...], ...]:
    counted: Counter[tuple[str, ...]] = Counter()
    for run in runs:
        proof = run.result.brain_proof
        engine = f"{proof.get('engine', _MISSING)} {proof.get('engine_version', '')}".strip()
        file_hash = run.result.provenance.model_sha256 or _MISSING
        named = (str(proof.get(name, _MISSING)) for name in ("device", "artifact"))
        counted[run.result.model, engine, *named, file_hash] += 1
    return tuple((*row, str(count)) for row, count in counted.items())


def _machine(provenance: Provenance) -> str:
    gpus = ", ".join(provenance.gpus) or "no GPU"
    return f"{provenance.cpu_model or 'unknown CPU'}, {provenance.cpu_cores} cores, {gpus}"


def _commit(provenance: Provenance) -> str:
    if provenance.git_commit is None:
        return "not from a git clone"
    return provenance.git_commit + (" with uncommitted changes" if provenance.git_dirty else "")


def _counted(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once; with the number of its runs where there are several."""
    counted = Counter(values)
    if len(counted) == 1:
        return tuple(counted)
    return tuple(f"{value} ({count} runs)" for value, count in counted.items())
