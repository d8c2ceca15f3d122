"""Evaluates models: one process each, judged one after the other, timed in turns."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from brains.catalogue import read_catalogue, why_not
from brains.model import ModelSpec
from harness.errors import BrainError, PitwallError
from harness.evaluation.accuracy import Errors
from harness.evaluation.remote import Remote
from harness.evaluation.row import MIB, Row, Timing, sparsity, unique_values
from harness.evaluation.schedule import schedule
from harness.report.published import published_offline

TF_BASELINE = "tf_baseline"
JUDGE_TIMEOUT_S = 900.0
BLOCK_TIMEOUT_S = 300.0

Tell = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Plan:
    """How to time.

    Attributes:
        inferences: How many of each model.
        block: How many in one go.
        bare: Time the engines' own loops and whole answers too.
        priority: Time at real-time priority.
        seed: Of the order of the blocks.
    """

    inferences: int = 300
    block: int = 20
    bare: bool = False
    priority: bool = False
    seed: int = 0


@dataclass
class Times:
    """What was timed of one contestant so far."""

    times_ms: list[float] = field(default_factory=list)
    cpu_ms: float = 0.0
    wall_ms: float = 0.0

    def add(self, answer: dict[str, Any]) -> None:
        """Take in a block."""
        self.times_ms += answer["times_ms"]
        self.cpu_ms += answer["cpu_ms"]
        self.wall_ms += answer["wall_ms"]

    def timing(self) -> Timing:
        """Summary."""
        return Timing.of(self.times_ms, self.cpu_ms, self.wall_ms)


@dataclass
class Entrant:
    """One model on its way through the evaluation.

    Attributes:
        model: The model.
        remotes: Its process for each thing that is timed: ``predict`` and, where wanted,
            ``in_loop`` (the same process) and ``bare``.
        judged: What its process said of errors and proof.
        times: What was timed of each.
        reason: Why it was not evaluated.
        bare_reason: Why the engine's own loop was not timed, though it was wanted.
    """

    model: ModelSpec
    remotes: dict[str, Remote] = field(default_factory=dict)
    judged: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Times] = field(default_factory=dict)
    reason: str | None = None
    bare_reason: str | None = None


def evaluate(
    models: Sequence[ModelSpec],
    plan: Plan,
    tell: Tell,
    start: Callable[[str], Remote] = Remote,
) -> list[Row]:
    """Evaluate models; every one has a row, in the order given.

    Args:
        models: What to evaluate.
        plan: How to time.
        tell: Is told the progress.
        start: Starts the process of the model so named.
    """
    entrants = [Entrant(model, reason=why_not(model)) for model in models]
    with ExitStack() as stack:
        for number, entrant in enumerate(entrants):
            tell(f"{entrant.model.name}: errors", number, len(entrants))
            if entrant.reason is None:
                _guarded(entrant, partial(_judge, entrant, plan, stack, start))
        turns = [(e, what) for e in entrants if e.reason is None for what in e.remotes]
        blocks = list(schedule(turns, plan.inferences, plan.block, plan.seed))
        for number, (block, (entrant, what), count) in enumerate(blocks):
            tell(f"{entrant.model.name}: {what}", number, len(blocks))
            if entrant.reason is None and what in entrant.remotes:
                _guarded(entrant, partial(_time, entrant, what, count, block))
    return assemble(entrants)


def _guarded(entrant: Entrant, step: Callable[[], None]) -> None:
    """A model that fails is out, with the reason; the others go on."""
    try:
        step()
    except PitwallError as error:
        entrant.reason = " ".join(str(error).split())
        for remote in entrant.remotes.values():
            remote.close()


def _judge(entrant: Entrant, plan: Plan, stack: ExitStack, start: Callable[[str], Remote]) -> None:
    remote = stack.enter_context(start(entrant.model.name))
    entrant.remotes["predict"] = remote
    entrant.judged = remote.ask(JUDGE_TIMEOUT_S, "judge")
    if plan.bare:
        entrant.remotes["in_loop"] = remote
        # A process of its own: two instances of an engine would share its thread pools.
        entrant.remotes["bare"] = stack.enter_context(start(entrant.model.name))
    if plan.priority:
        for remote in set(entrant.remotes.values()):
            remote.ask(JUDGE_TIMEOUT_S, "prioritise")


def _time(entrant: Entrant, what: str, count: int, block: int) -> None:
    times = entrant.times.setdefault(what, Times())
    remote = entrant.remotes[what]
    try:
        times.add(remote.ask(BLOCK_TIMEOUT_S, "measure", what=what, count=count, block=block))
    except BrainError as error:
        if what == "bare":
            entrant.bare_reason = str(error)
            del entrant.remotes[what], entrant.times[what]
            return
        raise BrainError(f"{error} (after {len(times.times_ms)} timed inferences)") from error


def assemble(entrants: Sequence[Entrant]) -> list[Row]:
    """Rows of entrants, with what one model's figures say of another's."""
    rows = {entrant.model.name: _row(entrant) for entrant in entrants}
    baseline_ms = _figure(rows, TF_BASELINE, "inference_ms_median")
    for entrant in entrants:
        row = rows[entrant.model.name]
        floats = float_baseline(entrant.model, read_catalogue().models)
        float_mse = _figure(rows, floats, "mse")
        rows[row.model] = row.model_copy(
            update={
                "speed_up": _ratio(baseline_ms, row.inference_ms_median),
                "float_baseline": floats if float_mse is not None else None,
                "mse_ratio": _ratio(row.mse, float_mse),
            }
        )
    return list(rows.values())


def float_baseline(model: ModelSpec, catalogue: Iterable[ModelSpec]) -> str | None:
    """The model whose answers are the model's float reference: the catalogue's first of them."""
    networks = (other for other in catalogue if other.artifact is not None)
    return next((o.name for o in networks if o.reference == model.reference), None)


def _row(entrant: Entrant) -> Row:
    """What an entrant's own figures say."""
    model = entrant.model
    published = published_offline(model.published_table, model.published_name)
    original = published_offline("tensorflow lite", "PilotNet (original)")
    what = model.model_dump(include={"title", "family", "backend", "precision"})
    row = Row(
        model=model.name,
        runnable=entrant.reason is None,
        reason=entrant.reason,
        published=published,
        published_speed_up=_ratio(
            original.inference_ms if original else None,
            published.inference_ms if published else None,
        ),
        **what,
    )
    if entrant.reason is not None:
        return row
    proof = entrant.judged["proof"]
    errors = Errors.model_validate(entrant.judged["errors"])
    timing = entrant.times["predict"].timing()
    medians = {name: times.timing().median for name, times in entrant.times.items()}
    size_mib = proof["artifact_bytes"] / MIB
    is_baseline = float_baseline(model, read_catalogue().models) == model.name
    return row.model_copy(
        update={
            "size_mib": size_mib,
            "size_ratio": _ratio(size_mib, published.size_mib if published else None),
            "training_state_mib": 8 * proof["parameters"] / MIB if is_baseline else None,
            **errors.model_dump(exclude={"frames"}),
            "circuits": {
                name: Errors.model_validate(value)
                for name, value in entrant.judged["circuits"].items()
            },
            "inferences": timing.count,
            "busy_cores": timing.cores,
            **{f"inference_ms_{n}": getattr(timing, n) for n in ("mean", "median", "p95", "p99")},
            "in_loop_ms_median": medians.get("in_loop"),
            "bare_ms_median": medians.get("bare"),
            "bare_reason": entrant.bare_reason,
            "bare_ratio": _ratio(medians["predict"], medians.get("bare")),
            "in_loop_ratio": _ratio(medians.get("in_loop"), medians.get("bare")),
            "weights": proof["weights"],
            "sparsity": sparsity(proof["weights"]),
            "unique_values": unique_values(proof["weights"]),
            **{name: proof[name] for name in _TOLD},
        }
    )


# What a row takes from the proof as it is.
_TOLD = (
    "parameters",
    "threads",
    "reference_difference",
    "output_step_m_s",
    "output_step_rad_s",
    "engine",
    "engine_version",
    "device",
    "operators",
    "artifact_sha256",
)


def _figure(rows: dict[str, Row], name: str | None, figure: str) -> float | None:
    return getattr(rows[name], figure) if name in rows else None


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below
