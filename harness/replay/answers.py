"""The answers of a replay beside the recorded commands: a table and its figures. No ROS."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brains.interface import Command
from harness.metrics.timing import summary

_COLUMNS = (
    "frame",
    "stamp_ns",
    "frame_crc32",
    "v_m_s",
    "w_rad_s",
    "recorded_v_m_s",
    "recorded_w_rad_s",
)


@dataclass(frozen=True)
class Answer:
    """What a model answered to one frame.

    Attributes:
        stamp_ns: Simulated time of the frame.
        frame_crc32: CRC-32 of its pixels.
        command: The answer.
        recorded: What was commanded when it was recorded; None where the frame was missed then.
        inference_s: Wall time of the network's call.
    """

    stamp_ns: int
    frame_crc32: int
    command: Command
    recorded: Command | None
    inference_s: float


def answers_csv(answers: Sequence[Answer]) -> str:
    """The answers as CSV, a line a frame. Nothing in it depends on wall time or on the machine."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for number, answer in enumerate(answers):
        recorded = answer.recorded
        writer.writerow(
            [
                number,
                answer.stamp_ns,
                f"{answer.frame_crc32:08x}",
                # repr gives every double back exactly.
                repr(answer.command.v_m_s),
                repr(answer.command.w_rad_s),
                repr(recorded.v_m_s) if recorded else "",
                repr(recorded.w_rad_s) if recorded else "",
            ]
        )
    return text.getvalue()


def difference_figures(answers: Sequence[Answer]) -> dict[str, Any]:
    """How far the answers are from the recorded commands, over the frames that got one.

    Returns:
        `frames_compared`, `commands_equal` (to the last bit), and of v and w mean, 95th percentile
        and greatest of the absolute differences; None where no frame can be compared.
    """
    pairs = [(answer.command, answer.recorded) for answer in answers if answer.recorded]
    figures: dict[str, Any] = {
        "frames_compared": len(pairs),
        "commands_equal": sum(command == recorded for command, recorded in pairs),
    }
    for axis, name in (("v", "v_m_s"), ("w", "w_rad_s")):
        unit = name[2:]
        apart = np.abs([getattr(new, name) - getattr(old, name) for new, old in pairs])
        figures |= {
            f"{axis}_mae_{unit}": float(apart.mean()) if pairs else None,
            f"{axis}_p95_{unit}": float(np.percentile(apart, 95.0)) if pairs else None,
            f"{axis}_max_{unit}": float(apart.max()) if pairs else None,
        }
    return figures


def inference_figures(answers: Sequence[Answer]) -> dict[str, Any]:
    """Wall time of the network's call: mean, median, 95th and 99th percentile, milliseconds."""
    figures = summary(np.array([answer.inference_s * 1e3 for answer in answers]))
    names = ("mean", "median", "p95", "p99")
    return {f"inference_ms_{name}": getattr(figures, name, None) for name in names}
