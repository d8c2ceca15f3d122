"""What a bag's times mean, and the simulated time of what it holds. Arithmetic only.

Every message of a bag has two times: the record's, of the recorder's clock, and the stamp that its
sender wrote into it. A stamp may be of the simulation or of the wall's clock, or be missing (0);
the record's is of the wall, or of the simulation where the recorder lived in it. `/clock` ties
both together.
"""

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]
Kind = Literal["stamps", "clock", "wall", "none"]
Records = Literal["wall", "simulated", "unknown"]

# A simulation begins at 0, the wall's clock passed this in September 2001.
_EPOCH_S = 1e9
# Messages overtake each other by less than this; a world that is reset goes back by more.
_BACK_S = 0.2
# Where odometry is missing for longer, or over more metres, the car can't be followed.
HOLE_S = 0.5
_STILL_M = 0.5
# Stamps of the wall's clock, where they are of the recorder's: transport takes less.
_TRANSPORT_S = 0.2
# Records that run faster against simulated time were not written while it passed.
_FASTEST = 20.0


@dataclass(frozen=True)
class Times:
    """What the times of a bag mean.

    Attributes:
        kind: Where simulated time is from: the odometry's `stamps`; `clock`, where these are of
            the wall and /clock tells it; unknown where they are of the `wall` without a /clock, or
            there are `none`.
        records: What the records' times are: of the `wall`, of the simulation (`simulated`), or
            `unknown`, where they ran too fast to be true.
        clock: The bag has a /clock that belongs to the odometry.
        notes: What a reader of the figures must know, a line each.
    """

    kind: Kind = "stamps"
    records: Records = "wall"
    clock: bool = True
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether simulated time is known."""
        return self.kind in ("stamps", "clock")

    def check_known(self) -> None:
        """For figures and pictures over time.

        Raises:
            DataError: Simulated time is unknown.
        """
        if not self.known:
            raise DataError(f"no pictures over time: {'; '.join(self.notes)}")

    @property
    def words(self) -> str:
        """Where simulated and wall time are from, in a line."""
        match self.kind:
            case "none":
                return "none, simulated time is unknown"
            case "wall":
                return "of the wall without a /clock, simulated time is unknown"
            case "clock":
                simulated = "simulated by /clock, for the odometry's stamps are wall time"
            case _:
                simulated = "simulated by the odometry's stamps"
        told = self.clock and self.records == "wall"
        wall = "wall by /clock's records" if told else "no wall time"
        return f"{simulated}, {wall}"


LINE_ALONE = "simulated time is unknown, and the figures are of the line alone"


def kind_note(kind: Kind) -> str:
    """What a reader of the figures must know where the odometry's stamps are not simulated."""
    match kind:
        case "none":
            return f"its odometry carries no stamps: {LINE_ALONE}"
        case "wall":
            return f"its odometry is stamped with wall time, without a /clock: {LINE_ALONE}"
        case "clock":
            return (
                "its odometry is stamped with wall time: simulated time is that of /clock when it"
                " was recorded"
            )
    return ""


def wall_note(kind: Kind, records: Records, clock_belongs: bool) -> str:
    """Why there are no figures of wall time, where that is not plain."""
    if kind not in ("stamps", "clock"):
        return ""
    if records == "simulated":
        return "its records are stamped in simulated time: there are no figures of wall time"
    if records == "unknown":
        return (
            "its records follow one another too fast to be of the wall: there are no figures of"
            " wall time"
        )
    if not clock_belongs:
        return "its /clock tells other times than the odometry: there are no figures of wall time"
    return ""


def missing_stamps(stamps_s: Floats) -> Mask:
    """Which stamps (N,) are missing: those of 0, but for the ones with which simulated time begins.

    Args:
        stamps_s: Stamps in the order of the records.
    """
    zero: Mask = stamps_s == 0.0
    if not zero.any() or zero.all():
        return zero
    # For each sample the next stamp that is not 0: if it is near, simulated time has just begun.
    places = np.where(zero, len(stamps_s), np.arange(len(stamps_s)))
    following = np.minimum.accumulate(places[::-1])[::-1]
    next_s = np.append(stamps_s, np.inf)[following]
    return np.asarray(zero & (next_s > HOLE_S))


def kind_of(stamps_s: Floats, clock_sim_s: Floats) -> Kind:
    """Where the simulated time of odometry is to be taken from.

    Args:
        stamps_s: Its stamps (N,), N > 0.
        clock_sim_s: The times that /clock tells (M,); empty without one.
    """
    stamped = stamps_s[~missing_stamps(stamps_s)]
    if stamped.size == 0:
        return "none"
    if float(np.median(stamped)) < _EPOCH_S:
        return "stamps"
    if clock_sim_s.size < 2:
        return "wall"
    # A simulation may as well be given the wall's date: then /clock tells the same.
    return "stamps" if overlap(stamped, clock_sim_s) else "clock"


def drive_starts(times_s: Floats) -> Indices:
    """Where time goes back and stays back: the first sample of each drive, 0 among them.

    Args:
        times_s: Times (N,) in the order of the records, N > 0; NaN is passed over.
    """
    known = np.flatnonzero(np.isfinite(times_s))
    times_s = times_s[known]
    back = times_s[1:] < times_s[:-1] - _BACK_S
    # A message that comes late is followed by one of the time before.
    stays = np.append(times_s[2:] < times_s[:-2] - _BACK_S, True)[: len(back)]
    return np.concatenate([[0], known[1:][back & stays]]).astype(np.intp)


def chosen_drive(starts: Indices, x_m: Floats, y_m: Floats) -> int:
    """Number of the last drive in which the car moved, or of the longest if it moved in none.

    Args:
        starts: The first sample of each drive, ascending; two are the same where one is empty.
        x_m: Positions (N,), east.
        y_m: Positions (N,), north.
    """
    parts = [slice(a, b) for a, b in itertools.pairwise([*starts.tolist(), len(x_m)])]
    for number in range(len(parts) - 1, -1, -1):
        if _extent_m(x_m[parts[number]], y_m[parts[number]]) > _STILL_M:
            return number
    return max(range(len(parts)), key=lambda number: parts[number].stop - parts[number].start)


def at_records(
    records_s: Floats, stamps_s: Floats, clock_records_s: Floats, clock_sim_s: Floats
) -> Floats:
    """Simulated times (N,) of messages that are stamped otherwise, by /clock.

    Read off at the stamp where it is of the recorder's own clock, else at the record.

    Args:
        records_s: When the messages were recorded (N,).
        stamps_s: Their stamps (N,).
        clock_records_s: When the messages of /clock were recorded (M,), ascending.
        clock_sim_s: The times that they tell (M,).

    Returns:
        NaN for what lies beyond /clock.
    """
    if clock_sim_s.size < 2 or clock_records_s[-1] <= clock_records_s[0]:
        return np.full(len(records_s), np.nan)
    late_s = np.abs(records_s - stamps_s)
    at_s = stamps_s if late_s.size and float(np.median(late_s)) < _TRANSPORT_S else records_s
    within = (at_s >= clock_records_s[0] - _TRANSPORT_S) & (
        at_s <= clock_records_s[-1] + _TRANSPORT_S
    )
    sim_s = np.interp(at_s, clock_records_s, clock_sim_s)
    return np.where(within, sim_s, np.nan)


def are_foreign(stamps_s: Floats, sim_s: Floats) -> bool:
    """Whether stamps (M,) of other messages are of another clock than the odometry's times (N,)."""
    stamped = stamps_s[~missing_stamps(stamps_s)]
    if stamped.size == 0:
        # A single message at 0 may be the first of all.
        return stamps_s.size > 1
    return bool((np.median(stamped) >= _EPOCH_S) != (np.median(sim_s) >= _EPOCH_S))


def overlap(stamps_s: Floats, clock_sim_s: Floats) -> bool:
    """Whether most stamps (N,) lie within the times that /clock tells (M,), M > 0."""
    within = (stamps_s >= clock_sim_s.min() - 1.0) & (stamps_s <= clock_sim_s.max() + 1.0)
    return bool(within.mean() > 0.5)


def can_be_left_out(unknown: Mask, sim_s: Floats, x_m: Floats, y_m: Floats) -> bool:
    """Whether samples without a time are few enough for the car to be followed without them.

    Args:
        unknown: Which samples (N,) have no time.
        sim_s: Times (N,) of the others.
        x_m: Positions (N,), east.
        y_m: Positions (N,), north.
    """
    known = np.flatnonzero(~unknown)
    if known.size < 2:
        return False
    first, last = int(known[0]), int(known[-1])
    ends = (slice(0, first + 1), slice(last, len(x_m)))
    if any(_extent_m(x_m[end], y_m[end]) > _STILL_M for end in ends):
        return False
    torn = np.diff(known) > 1
    steps_s = np.abs(np.diff(sim_s[known]))
    # Odometry that is slow anyway may lack a sample.
    longest_s = max(HOLE_S, 3.0 * float(np.median(steps_s)))
    return bool((steps_s[torn] <= longest_s).all())


def records_are(records_s: Floats, sim_s: Floats) -> Records:
    """What the times of records are, beside the simulated times of what they hold; both (N,)."""
    if float(np.median(np.abs(records_s - sim_s))) < 1.0:
        return "simulated"
    if np.ptp(sim_s) > _FASTEST * np.ptp(records_s):
        return "unknown"
    return "wall"


def _extent_m(x_m: Floats, y_m: Floats) -> float:
    """The longer side of the box round a line; 0 for none."""
    if len(x_m) == 0:
        return 0.0
    if not (np.isfinite(x_m).all() and np.isfinite(y_m).all()):
        return np.inf
    return float(max(np.ptp(x_m), np.ptp(y_m)))
