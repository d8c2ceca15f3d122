"""The drives of a bag: where simulated time goes back, the world was reset and another one began.

Two drives laid over each other by their times would be neither of them: the last one is taken.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from harness import topics
from harness.metrics import times as bag_times
from harness.metrics.times import Floats

# Said once of a whole bag, not of a drive.
_LASTING = (topics.METADATA, topics.EXPERIMENT_METRICS)


class Row(NamedTuple):
    """One message.

    Attributes:
        number: Which of all messages it is, in the order of the records.
        place: Where it lies in the file, as `Record` has it.
        values: The record's time (s), then what the message says.
    """

    number: int
    place: tuple[int, int] | None
    values: tuple[Any, ...]


Rows = dict[str, list[Row]]


@dataclass(frozen=True)
class LastDrive:
    """The last drive of a bag.

    Attributes:
        rows: Its messages.
        kind: Where its simulated time is from.
        notes: That there were others, in a line; empty if there were none.
    """

    rows: Rows
    kind: bag_times.Kind
    notes: tuple[str, ...]


def last_drive(rows: Rows) -> LastDrive:
    """The messages of the last drive in which the car moved; all where time never goes back.

    Args:
        rows: All messages by topic; there is odometry among them.
    """
    stamps_s = _column(rows[topics.ODOMETRY], 1)
    clock_sim_s = _column(rows.get(topics.CLOCK, []), 1)
    kind = bag_times.kind_of(stamps_s, clock_sim_s)
    if kind == "stamps" and _recorded_in_simulated_time(rows[topics.ODOMETRY], stamps_s):
        return _by_places(rows, kind)
    by_stamps = kind in ("stamps", "wall")
    telling = rows[topics.ODOMETRY] if by_stamps else rows.get(topics.CLOCK, [])
    if not telling:
        return LastDrive(rows, kind, ())
    times_s = _column(telling, 1)
    if by_stamps:
        times_s[bag_times.missing_stamps(times_s)] = np.nan
    starts = bag_times.drive_starts(times_s)
    if len(starts) == 1:
        return LastDrive(rows, kind, ())
    firsts = [0, *(telling[start].number for start in starts[1:].tolist())]
    chosen = _chosen(rows[topics.ODOMETRY], firsts)
    first = firsts[chosen]
    end = firsts[chosen + 1] if chosen + 1 < len(firsts) else np.inf
    kept: Rows = defaultdict(list)
    for topic, own in rows.items():
        lasting = topic in _LASTING
        kept[topic] = [row for row in own if lasting or first <= row.number < end]
    # At its ends /clock may go back a little before or after the odometry.
    kept[topics.CLOCK] = _longest(kept[topics.CLOCK])
    return LastDrive(kept, kind, (_note(times_s, starts.tolist(), chosen),))


def _by_places(rows: Rows, kind: bag_times.Kind) -> LastDrive:
    """As `last_drive`, of a recorder that lived in simulated time: its records go back too.

    Ordered by their times they are mixed, but the file has them as they were written.
    """
    odometry = sorted(rows[topics.ODOMETRY], key=lambda row: row.place or (0, row.number))
    times_s = _column(odometry, 1)
    times_s[bag_times.missing_stamps(times_s)] = np.nan
    starts = bag_times.drive_starts(times_s)
    if len(starts) == 1:
        return LastDrive(rows, kind, ())
    x_m, y_m = _column(odometry, 2), _column(odometry, 3)
    chosen = bag_times.chosen_drive(starts, x_m, y_m)
    from_the_end = len(starts) - chosen
    kept: Rows = defaultdict(list)
    for topic, own in rows.items():
        parts = _parts(sorted(own, key=lambda row: row.place or (0, row.number)))
        whole = topic in _LASTING or len(parts) < len(starts)
        kept[topic] = own if whole else parts[-from_the_end]
    return LastDrive(kept, kind, (_note(times_s, starts.tolist(), chosen),))


def _recorded_in_simulated_time(odometry: list[Row], stamps_s: Floats) -> bool:
    """Whether the records' times are those of the stamps, and the file tells another order."""
    if odometry[0].place is None:
        return False
    return bag_times.records_are(_column(odometry, 0), stamps_s) == "simulated"


def _chosen(odometry: list[Row], firsts: list[int]) -> int:
    """Number of the drive to take, of those that begin with these messages."""
    numbers = np.array([row.number for row in odometry])
    starts = np.searchsorted(numbers, firsts)
    return bag_times.chosen_drive(starts, _column(odometry, 2), _column(odometry, 3))


def _parts(rows: list[Row]) -> list[list[Row]]:
    """Messages split where the times of their records go back."""
    if not rows:
        return []
    starts = bag_times.drive_starts(_column(rows, 0)).tolist()
    return [rows[a:b] for a, b in zip(starts, [*starts[1:], len(rows)], strict=True)]


def _longest(clock: list[Row]) -> list[Row]:
    """The longest part of /clock in which it never goes back."""
    if not clock:
        return clock
    starts = bag_times.drive_starts(_column(clock, 1)).tolist()
    parts = [clock[a:b] for a, b in zip(starts, [*starts[1:], len(clock)], strict=True)]
    return max(parts, key=len)


def _note(times_s: Floats, starts: list[int], chosen: int) -> str:
    places = [f"{_before(times_s, start):.2f} s" for start in starts[1:]]
    which = "the last" if chosen == len(starts) - 1 else f"number {chosen + 1}"
    return (
        f"simulated time went back at {' and at '.join(places)} (the world was reset): the figures"
        f" are of {which} of {len(starts)} drives"
    )


def _column(rows: list[Row], index: int) -> Floats:
    return np.array([row.values[index] for row in rows], dtype=np.float64)


def _before(times_s: Floats, start: int) -> float:
    """The last known time before a drive."""
    known = times_s[:start]
    return float(known[np.isfinite(known)][-1])
