"""Evaluates models: one process each, judged one after the other, timed in turns."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from brains import availability
from brains.artifacts import asked_by, built_dir, read_agreement
from brains.catalogue import read_catalogue
from brains.model import ModelSpec
from harness.errors import BrainError, DataError, PitwallError
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
    """What was timed of one thing so far.

    Attributes:
        times_ms: Of single inferences.
        block_medians_ms: Median of each block.
        cpu_ms: CPU time of all threads meanwhile.
        wall_ms: Wall time meanwhile.
    """

    times_ms: list[float] = field(default_factory=list)
    block_medians_ms: list[float] = field(default_factory=list)
    cpu_ms: float = 0.0
    wall_ms: float = 0.0

    def add(self, block: dict[str, Any]) -> None:
        """Take in a block."""
        self.times_ms += block["times_ms"]
        self.block_medians_ms.append(statistics.median(block["times_ms"]))
        self.cpu_ms += block["cpu_ms"]
        self.wall_ms += block["wall_ms"]

    def timing(self) -> Timing:
        """Summary."""
        return Timing.of(self.times_ms, self.cpu_ms, self.wall_ms)

    def over(self, other: "Times") -> float:
        """Median ratio of the blocks to those timed next to them: drift hits both alike."""
        pairs = zip(self.block_medians_ms, other.block_medians_ms, strict=True)
        return statistics.median(own / others for own, others in pairs)


@dataclass
class Entrant:
    """One model on its way through the evaluation.

    Attributes:
        model: The model.
        remote: Its process.
        judged: What its process said of errors and proof.
        times: What was timed: ``predict`` and, where wanted, ``in_loop`` and ``bare``.
        reason: Why it was not evaluated.
    """

    model: ModelSpec
    remote: Remote | None = None
    judged: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Times] = field(default_factory=dict)
    reason: str | None = None


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
    entrants = [Entrant(model, reason=availability.to_drive(model).reason) for model in models]
    with ExitStack() as stack:
        for number, entrant in enumerate(entrants):
            tell(f"{entrant.model.name}: errors", number, len(entrants))
            if entrant.reason is None:
                _guarded(entrant, partial(_judge, entrant, plan, stack, start))
        blocks = list(schedule(entrants, plan.inferences, plan.block, plan.seed))
        for number, (block, entrant, count) in enumerate(blocks):
            if entrant.reason is None:
                tell(f"{entrant.model.name}: inference", number, len(blocks))
                _guarded(entrant, partial(_time, entrant, count, block))
    return assemble(entrants)


def _guarded(entrant: Entrant, step: Callable[[], None]) -> None:
    """A model that fails is out, with the reason; the others go on."""
    try:
        step()
    except PitwallError as error:
        entrant.reason = " ".join(str(error).split())
        if entrant.remote is not None:
            entrant.remote.close()


def _judge(entrant: Entrant, plan: Plan, stack: ExitStack, start: Callable[[str], Remote]) -> None:
    remote = entrant.remote = stack.enter_context(start(asked_by(entrant.model)))
    entrant.judged = remote.ask(JUDGE_TIMEOUT_S, "judge", bare=plan.bare)
    if plan.priority:
        remote.ask(BLOCK_TIMEOUT_S, "prioritise")


def _time(entrant: Entrant, count: int, block: int) -> None:
    assert entrant.remote is not None
    try:
        found = entrant.remote.ask(BLOCK_TIMEOUT_S, "measure", count=count, block=block)
    except BrainError as error:
        done = len(entrant.times["predict"].times_ms) if entrant.times else 0
        raise BrainError(f"{error} (after {done} timed inferences)") from error
    for what, times in found.items():
        entrant.times.setdefault(what, Times()).add(times)


def assemble(entrants: Sequence[Entrant]) -> list[Row]:
    """Rows of entrants, with what one model's figures say of another's."""
    rows = {entrant.model.name: _row(entrant) for entrant in entrants}
    for entrant in entrants:
        row = rows[entrant.model.name]
        floats = float_baseline(entrant.model, read_catalogue().models)
        # A user's own versions are measured by the network as it came.
        first = TF_BASELINE if entrant.model.folder is None else floats
        baseline_ms = _figure(rows, first, "inference_ms_median")
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
    """The model whose answers are the model's float reference: the catalogue's first of them.

    Of a user's network it is the network as it came.
    """
    if model.folder is not None:
        return model.name.partition("/")[0]
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
    row = row.model_copy(update=_agreement(model))
    if entrant.reason is not None:
        return row
    proof = entrant.judged["proof"]
    told = entrant.judged["errors"]
    errors = None if told is None else Errors.model_validate(told)
    timing = entrant.times["predict"].timing()
    bare, in_loop = entrant.times.get("bare"), entrant.times.get("in_loop")
    size_mib = proof["artifact_bytes"] / MIB
    is_baseline = (
        model.folder is None and float_baseline(model, read_catalogue().models) == model.name
    )
    return row.model_copy(
        update={
            "size_mib": size_mib,
            "size_ratio": _ratio(size_mib, published.size_mib if published else None),
            "training_state_mib": 8 * proof["parameters"] / MIB if is_baseline else None,
            **({} if errors is None else errors.model_dump(exclude={"frames"})),
            "circuits": {
                name: Errors.model_validate(value)
                for name, value in entrant.judged["circuits"].items()
            },
            "inferences": timing.count,
            "busy_cores": timing.cores,
            **{f"inference_ms_{n}": getattr(timing, n) for n in ("mean", "median", "p95", "p99")},
            "in_loop_ms_median": in_loop and in_loop.timing().median,
            "bare_ms_median": bare and bare.timing().median,
            "bare_reason": entrant.judged.get("bare_reason"),
            "bare_ratio": bare and entrant.times["predict"].over(bare),
            "in_loop_ratio": bare and in_loop and in_loop.over(bare),
            "weights": proof["weights"],
            "host_to_device_ms": proof.get("host_to_device_ms"),
            "sparsity": sparsity(proof["weights"]),
            "unique_values": unique_values(proof["weights"]),
            **{name: proof[name] for name in _TOLD},
        }
    )


def _agreement(model: ModelSpec) -> dict[str, Any]:
    """What the gate found of a version when it was made."""
    try:
        found = read_agreement(built_dir(model)) if model.built else None
    except DataError:
        # What is missing or broken is the row's reason already.
        return {}
    if found is None:
        return {}
    return {
        "agreement": found.verdict,
        "agreement_detail": found.detail,
        "variance_lost": found.share,
        "rmse_v_m_s": found.v and found.v.rmse,
        "rmse_w_rad_s": found.w and found.w.rmse,
    }


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
