"""The picture of a replay: answers and recorded commands over simulated time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.errors import StorageError
from harness.replay.answers import Answer


def draw_answers(answers: Sequence[Answer], model: str, recorded: str | None, path: Path) -> None:
    """Draws speed and yaw rate, answered and recorded, and how far they are apart.

    Args:
        answers: one a frame, in order.
        model: what answered.
        recorded: what drove when it was recorded, if known.
        path: PNG to write.

    Raises:
        StorageError: it can't be written.
    """
    figure = Figure(figsize=(11.0, 7.5), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True, height_ratios=[3, 3, 2])
    sim_s = np.array([answer.stamp_ns / 1e9 for answer in answers])
    known = np.array([answer.recorded is not None for answer in answers])
    apart_axes = axes[2]
    drove = f"recorded: {recorded}" if recorded else "recorded"
    for panel, name, label, colour in (
        (axes[0], "v_m_s", "v (m/s)", "C0"),
        (axes[1], "w_rad_s", "w (rad/s)", "C1"),
    ):
        new = np.array([getattr(answer.command, name) for answer in answers])
        old = np.array([getattr(answer.recorded, name, np.nan) for answer in answers])
        panel.plot(sim_s[known], old[known], color="0.6", lw=3.0, label=drove)
        panel.plot(sim_s, new, color=colour, lw=1.0, label=f"replayed: {model}")
        panel.set_ylabel(label)
        _legend_above(panel)
        apart = np.abs(new - old)[known]
        apart_axes.plot(sim_s[known], apart, color=colour, lw=1.0, label=label)
    axes[0].set_title(f"{model} on {len(answers)} recorded frames", loc="left")
    apart_axes.set_ylabel("absolute difference")
    apart_axes.set_ylim(bottom=0.0)
    _legend_above(apart_axes)
    apart_axes.set_xlabel("simulated time of the frame (s)")
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise StorageError(f"can't write {path}: {error.strerror}") from error


def _legend_above(axes: Axes) -> None:
    """Beside the title, where no line runs."""
    axes.legend(
        fontsize="small", frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2
    )
