"""A replay on the terminal."""

from rich.table import Table

from harness.replay.result import ReplayResult


def replay_table(result: ReplayResult) -> Table:
    """The figures of a replay, its notes below."""
    r = result
    rows: dict[str, tuple[float | None, ...]] = {
        "difference of v, m/s": (r.v_mae_m_s, None, r.v_p95_m_s, None, r.v_max_m_s),
        "difference of w, rad/s": (r.w_mae_rad_s, None, r.w_p95_rad_s, None, r.w_max_rad_s),
        "inference, ms": (
            r.inference_ms_mean,
            r.inference_ms_median,
            r.inference_ms_p95,
            r.inference_ms_p99,
            None,
        ),
    }
    table = Table("", title=f"{r.model}: {_frames(r)}", title_justify="left")
    for name in ("mean", "median", "p95", "p99", "greatest"):
        table.add_column(name, justify="right")
    for name, values in rows.items():
        table.add_row(name, *map(_digits, values))
    lines = [
        f"Recorded with {result.recorded_model or 'an unknown model'}, frames as "
        f"{_PACKING[result.frame_compression]}. {result.commands_equal} of {result.frames_compared}"
        " compared commands are equal to the last bit.",
        *result.notes,
    ]
    table.caption = "\n".join(lines)
    table.caption_justify = "left"
    return table


_PACKING = {"none": "raw images", "png": "PNG (lossless)", "jpeg": "JPEG (lossy)"}


def _frames(result: ReplayResult) -> str:
    return f"{result.frames_answered} of {result.frames_recorded} recorded frames answered"


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
