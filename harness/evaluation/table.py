"""The evaluation's tables: in the published layout on a terminal, and all of them as Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.evaluation.row import Row

PIPE_WIDTH = 140
_WIDE = 120
_OURS = 8
_MISSING = "-"
# A thread that had the core to itself shows 1.00.
_DISTURBED = 0.9

_NOTES = (
    "Size: the files that running it takes. MSE: mean over the held-out frames of three circuits "
    "and both scaled outputs, as published. Inference: the engine's call on one frame. Speed-up: "
    "median of tf_baseline in this run / median; of your own network's versions, that of the "
    "network as it came / theirs. x float: MSE / that of the float network with the same "
    "architecture.",
    "Published: the study's figures, on other hardware from table to table and on its own frames; "
    "its speed-up is over its own Keras model (36.4 ms, a Tesla V100).",
)


@dataclass(frozen=True)
class Column:
    """One column: its heading, a row's cell, and whether it holds words rather than figures."""

    heading: str
    cell: Callable[[Row], str]
    words: bool = False


def number(value: float | None, digits: int) -> str:
    """A figure with so many digits after the point."""
    return _MISSING if value is None else f"{value:.{digits}f}"


def significant(value: float | None, digits: int = 3) -> str:
    """A figure with so many digits that count; large ones whole, not in powers of ten."""
    if value is None:
        return _MISSING
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"


def times(value: float | None) -> str:
    """A ratio, as 12.3x."""
    return _MISSING if value is None else f"{significant(value)}x"


def percent(value: float | None) -> str:
    """A share, as 1.23%."""
    return _MISSING if value is None else f"{value:.2%}"


def _published(row: Row, figure: str) -> float | None:
    return None if row.published is None else float(getattr(row.published, figure))


MAIN = (
    Column("Model", lambda row: row.model, words=True),
    Column("Size MiB", lambda row: number(row.size_mib, 2)),
    Column("MSE", lambda row: significant(row.mse, 4)),
    Column("Inference ms", lambda row: number(row.inference_ms_median, 3)),
    Column("p95 ms", lambda row: number(row.inference_ms_p95, 3)),
    Column("p99 ms", lambda row: number(row.inference_ms_p99, 3)),
    Column("Speed-up", lambda row: times(row.speed_up)),
    Column("MSE x float", lambda row: number(row.mse_ratio, 3)),
    Column("Published size MiB", lambda row: number(_published(row, "size_mib"), 2)),
    Column("Published MSE", lambda row: significant(_published(row, "mse"), 4)),
    Column(
        "Published inference ms",
        lambda row: number(_published(row, "inference_ms"), 2),
    ),
    Column("Published speed-up", lambda row: times(row.published_speed_up)),
)

_ACCURACY = (
    Column("Model", lambda row: row.model, words=True),
    Column("MAE v m/s", lambda row: number(row.mae_v_m_s, 3)),
    Column("MAE w rad/s", lambda row: number(row.mae_w_rad_s, 3)),
    Column("Output step v m/s", lambda row: number(row.output_step_m_s, 4)),
    Column("Output step w rad/s", lambda row: number(row.output_step_rad_s, 4)),
    Column("Difference from float", lambda row: significant(row.reference_difference, 2)),
    Column("Variance lost", lambda row: percent(row.variance_lost)),
    Column("Sparsity", lambda row: _MISSING if row.sparsity is None else f"{row.sparsity:.1%}"),
    Column("Unique values", lambda row: str(row.unique_values or _MISSING)),
)

_PROOF = (
    Column("Model", lambda row: row.model, words=True),
    Column("Engine", lambda row: f"{row.engine} {row.engine_version or ''}".strip(), words=True),
    Column("Device", lambda row: row.device or _MISSING, words=True),
    Column("Threads", lambda row: "engine's choice" if row.threads is None else str(row.threads)),
    Column("Busy cores", lambda row: number(row.busy_cores, 2)),
    Column("Image to GPU ms", lambda row: number(row.host_to_device_ms, 3)),
    Column("Parameters", lambda row: f"{row.parameters or 0:,}"),
    Column("Executed", lambda row: executed(row.operators), words=True),
    Column("Artifact sha256", lambda row: (row.artifact_sha256 or _MISSING)[:12], words=True),
)

_BARE = (
    Column("Model", lambda row: row.model, words=True),
    Column("Engine's own loop ms", lambda row: number(row.bare_ms_median, 3)),
    Column("Inference ms", lambda row: number(row.inference_ms_median, 3)),
    Column("Inference / own loop", lambda row: number(row.bare_ratio, 3)),
    Column("In whole answers ms", lambda row: number(row.in_loop_ms_median, 3)),
    Column("In whole answers / own loop", lambda row: number(row.in_loop_ratio, 3)),
)


def executed(operators: dict[str, dict[str, int]]) -> str:
    """Operators by delegate: ``xnnpack: 5 CONV_2D, 5 FULLY_CONNECTED``."""
    parts = [
        f"{delegate}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        for delegate, kinds in operators.items()
    ]
    return "; ".join(parts) or _MISSING


def circuit_columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    """MSE on each circuit's frames."""
    names = sorted({name for row in rows for name in row.circuits})

    def column(name: str) -> Column:
        return Column(f"MSE {name}", lambda row: significant(_circuit_mse(row, name), 4))

    return tuple(column(name) for name in names)


def _circuit_mse(row: Row, circuit: str) -> float | None:
    return row.circuits[circuit].mse if circuit in row.circuits else None


def terminal(rows: Sequence[Row], width: int) -> RenderableType:
    """The published layout, and below it what did not run and, where timed, the bare loops.

    Args:
        rows: The evaluation.
        width: Of the terminal, in characters; a narrow one gets no published figures.
    """
    columns = MAIN if width >= _WIDE else MAIN[:_OURS]
    if not any(row.published for row in rows):
        columns = (*MAIN[:_OURS], Column("Variance lost", lambda row: percent(row.variance_lost)))
    parts: list[RenderableType] = [_rich_table(columns, [row for row in rows if row.runnable])]
    bare = [row for row in rows if row.bare_ms_median is not None]
    if bare:
        parts.append(_rich_table(_BARE, bare))
    parts += [Text(line, style="yellow") for line in _remarks(rows)]
    parts += [Text(note, style="dim") for note in _NOTES]
    return Group(*parts)


def markdown(rows: Sequence[Row], facts: Sequence[str]) -> str:
    """All tables; every row is in the first."""
    ran = [row for row in rows if row.runnable]
    accuracy = (*_ACCURACY[:3], *circuit_columns(rows), *_ACCURACY[3:])
    bare = [row for row in ran if row.bare_ms_median is not None]
    lines = ["# Offline evaluation", "", *_markdown_table(MAIN, rows), ""]
    lines += [f"- {line}" for line in _remarks(rows)]
    lines += ["", *(f"{note}\n" for note in _NOTES), *(f"{fact}\n" for fact in facts)]
    lines += [f"{line}\n" for line in _training_states(ran)]
    lines += ["## Errors, steps, weights", "", *_markdown_table(accuracy, ran), ""]
    if bare:
        lines += ["## Against the engine's own loop", "", *_markdown_table(_BARE, bare), ""]
    lines += ["## What executed", "", *_markdown_table(_PROOF, ran), ""]
    return "\n".join(lines)


def _remarks(rows: Sequence[Row]) -> list[str]:
    lines = [f"{row.model} was not evaluated: {row.reason}" for row in rows if not row.runnable]
    lines += [
        f"{row.model}: own loop not timed: {row.bare_reason}" for row in rows if row.bare_reason
    ]
    return lines + [
        f"{row.model} had only {row.busy_cores:.2f} of its core: the machine was busy, its times "
        "are too long"
        for row in rows
        if row.threads == 1 and (row.busy_cores or 0.0) < _DISTURBED
    ]


def _training_states(rows: Sequence[Row]) -> list[str]:
    return [
        f"Training state of {row.model}, not in its size: {row.training_state_mib:.1f} MiB (Adam's "
        "two moments, float32)."
        for row in rows
        if row.training_state_mib is not None
    ]


def _rich_table(columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for column in columns:
        heading = column.heading.replace(" ", "\n")
        table.add_column(heading, justify="left" if column.words else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(column.cell(row)) for column in columns))
    return table


def _markdown_table(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    dashes = ["---" if column.words else "---:" for column in columns]
    cells = [[column.cell(row) for column in columns] for row in rows]
    headings = [column.heading for column in columns]
    return [f"| {' | '.join(line)} |" for line in (headings, dashes, *cells)]
