"""A report's figures as CSV: every model under equal conditions, and every run."""

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from harness.files import as_csv
from harness.metrics.figures import Metrics
from harness.metrics.intervals import Interval
from harness.recording.results import Outcome
from harness.report.columns import FIGURES
from harness.report.groups import Heat, Run
from harness.report.table import published_of


def groups_csv(found: Sequence[Heat]) -> str:
    """One row for each model under equal conditions, and the published rows, as CSV.

    Every figure has its mean, the ends of its interval and the number of observations.
    """
    outcomes = get_args(Outcome)
    ends = ("", "_low", "_high", "_n")
    fields = ["source", "model", "circuit", "direction", "laps_asked", "clock", "latency"]
    fields += ["settings", "model_sha256", "runs", "judged", "completed", "distinct_laps"]
    fields += [f"completion{end}" for end in ends[:3]]
    fields += [f"outcome_{name}" for name in outcomes]
    fields += [f"{figure.name}{end}" for figure in FIGURES for end in ends]
    rows: list[dict[str, Any]] = []
    for heat in found:
        for group in heat.groups:
            counted = group.outcomes
            row = _condition_values(heat) | {
                "source": "pitwall",
                "model": group.label,
                "latency": "; ".join(
                    dict.fromkeys(run.result.latency for run in group.runs if run.result.latency)
                ),
                "model_sha256": group.runs[-1].result.provenance.model_sha256,
                "runs": len(group.runs),
                "judged": len(group.judged),
                "completed": len(group.completed),
                "distinct_laps": len(group.distinct),
                **{f"outcome_{name}": counted[name] for name in outcomes},
                **_ends("completion", group.completion),
            }
            for figure in FIGURES:
                interval = group.mean(figure.name, figure.driving)
                row |= _ends(figure.name, interval)
                row[f"{figure.name}_n"] = interval.n if interval else 0
            rows.append(row)
    circuits = {heat.conditions.circuit: heat for heat in found if published_of(heat)}
    for circuit, heat in circuits.items():
        for published in published_of(heat):
            row = {"source": "published", "circuit": circuit, "direction": "forward"}
            row |= {"laps_asked": 1, "clock": published.clock, "model": published.model}
            rows.append(row | {f.name: getattr(published, f.name, None) for f in FIGURES})
    return as_csv(fields, rows)


def runs_csv(runs: Iterable[Run]) -> str:
    """One row for each run with all its figures, as CSV."""
    figures = [name for name in Metrics.model_fields if name != "lap_times_s"]
    own = ["outcome", "outcome_reason", "model", "circuit", "direction", "start_station_m"]
    own += ["laps_asked", "seed", "clock", "latency", "started_at"]
    fields = ["recording", *own, *figures, "model_sha256", "git_commit", "command"]
    rows = []
    for run in runs:
        values = run.result.model_dump(mode="json")
        provenance = values["provenance"]
        kept = {name: values[name] for name in (*own, *figures, "command")}
        kept |= {name: provenance[name] for name in ("model_sha256", "git_commit")}
        rows.append({"recording": run.name, **kept})
    return as_csv(fields, rows)


def _condition_values(heat: Heat) -> dict[str, Any]:
    conditions = heat.conditions
    return {
        "circuit": conditions.circuit,
        "direction": conditions.direction,
        "laps_asked": conditions.laps,
        "clock": conditions.clock,
        "settings": " ".join(conditions.settings),
    }


def _ends(name: str, interval: Interval | None) -> dict[str, Any]:
    if interval is None:
        return {}
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
