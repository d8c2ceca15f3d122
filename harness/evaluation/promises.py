"""What the project promises of its models, beside what an evaluation measured."""

from collections.abc import Callable, Collection, Sequence

from brains import availability
from brains.availability import Lack
from brains.catalogue import read_catalogue
from harness.evaluation.evaluate import TF_BASELINE
from harness.evaluation.row import Row
from harness.report.promises import Promise

FAST = "pitwall_fast"
PRUNED = (
    "tflite_pruned",
    "tflite_pruned_dynamic",
    "tflite_pqat",
    "tflite_pcqat",
    "torch_pruned_local",
    "torch_pruned_global",
    "torch_pruned_qat",
)
# Their published size contains the optimiser's state, or the engine's plan for another GPU.
_SIZE_NOT_COMPARABLE = ("tf_baseline",)
_SIZE_TABLES = ("tflite", "torch")

Figure = Callable[[Row], float | None]


def promises(rows: Sequence[Row]) -> list[Promise]:
    """The bounds that an evaluation of all models can check."""
    catalogue = {model.name: model for model in read_catalogue().models}
    aside = {
        name
        for name, model in catalogue.items()
        if model.nvidia or availability.to_load(model).lack is Lack.HARDWARE
    }
    clusters = {
        name: int(model.recipe_options["clusters"])
        for name, model in catalogue.items()
        if "clusters" in model.recipe_options
    }
    by_name = {row.model: row for row in rows}
    ran = [row for row in rows if row.runnable]
    fast = [by_name[FAST]] if FAST in by_name else []
    timed_bare = any(row.bare_ratio is not None for row in ran)
    best = sorted(ran, key=lambda row: row.inference_ms_median or 0.0)[:1]
    return [
        _all_evaluated([row for row in rows if row.model not in aside]),
        _fastest_published(ran, by_name.get(TF_BASELINE)),
        _bounds(f"{FAST}: speed-up over {TF_BASELINE}", fast, lambda r: r.speed_up, 120.0, None),
        _bounds(f"{FAST}: size, MiB", fast, lambda r: r.size_mib, None, 1.0),
        _bounds("MSE / float baseline, every model", ran, lambda r: r.mse_ratio, None, 1.1),
        _bounds("output step, m/s", _integers(ran), lambda r: r.output_step_m_s, None, 0.1),
        _bounds("output step, rad/s", _integers(ran), lambda r: r.output_step_rad_s, None, 0.1),
        _bounds("size / published size", _sized(ran), lambda r: r.size_ratio, 0.99, 1.01),
        _bounds("sparsity of pruned models", _of(ran, PRUNED), lambda r: r.sparsity, 0.5, None),
        _bounds(
            "different values a tensor / clusters asked for",
            _of(ran, clusters),
            lambda r: None if r.unique_values is None else r.unique_values / clusters[r.model],
            None,
            1.0,
        ),
        *(
            [
                _bounds(
                    "fastest model: / engine's own loop", best, lambda r: r.bare_ratio, None, 1.05
                )
            ]
            if timed_bare
            else []
        ),
    ]


def _of(rows: Sequence[Row], names: Collection[str]) -> list[Row]:
    return [row for row in rows if row.model in names]


def _integers(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.output_step_m_s is not None]


def _sized(rows: Sequence[Row]) -> list[Row]:
    return [
        row
        for row in rows
        if row.published and row.backend in _SIZE_TABLES and row.model not in _SIZE_NOT_COMPARABLE
    ]


def _all_evaluated(rows: Sequence[Row]) -> Promise:
    absent = [row.model for row in rows if not row.runnable]
    measured = f"{len(rows) - len(absent)} of {len(rows)}"
    return Promise(
        what="models evaluated, those for other hardware aside",
        promise="all",
        measured=f"{measured}; not {', '.join(absent)}" if absent else measured,
        kept=bool(rows) and not absent,
    )


def _fastest_published(ran: Sequence[Row], baseline: Row | None) -> Promise:
    """The published network at its fastest: all its weights, and nearly its error."""
    what, promise = "published network at its fastest, MSE within 1.05 x: speed-up", ">= 45x"
    same = [
        row
        for row in ran
        if baseline is not None
        and baseline.parameters
        and abs((row.parameters or 0) / baseline.parameters - 1.0) < 0.01
        and row.float_baseline == TF_BASELINE
        and row.mse_ratio is not None
        and row.mse_ratio <= 1.05
        and row.speed_up is not None
    ]
    if not same:
        return Promise(what=what, promise=promise, measured="not evaluated", kept=False)
    best = max(same, key=lambda row: row.speed_up or 0.0)
    speed_up = best.speed_up or 0.0
    measured = f"{speed_up:.1f}x ({best.model}, MSE x {best.mse_ratio:.3f})"
    return Promise(what=what, promise=promise, measured=measured, kept=speed_up >= 45.0)


def _bounds(
    what: str, rows: Sequence[Row], figure: Figure, low: float | None, high: float | None
) -> Promise:
    """A figure's bounds over models; one that lacks the figure breaks the promise."""
    ends = {">=": low, "<=": high}
    promise = " and ".join(f"{sign} {end:g}" for sign, end in ends.items() if end is not None)
    if not rows:
        return Promise(what=what, promise=promise, measured="not evaluated", kept=False)
    values = {row.model: figure(row) for row in rows}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        measured = f"unknown of {', '.join(missing)}"
        return Promise(what=what, promise=promise, measured=measured, kept=False)
    known = {name: value for name, value in values.items() if value is not None}
    least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    told = [name for name, end in ((least, low), (most, high)) if end is not None]
    measured = ", ".join(f"{known[name]:.4g} ({name})" for name in told)
    kept = (low is None or known[least] >= low) and (high is None or known[most] <= high)
    return Promise(what=what, promise=promise, measured=measured, kept=kept)
