"""How long runs take: a guess before anything ran, then what was measured. No ROS."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from harness.batch.jobs import Job, lap_of
from harness.recording.results import RESULT_NAME, Result
from harness.spec.run import RunSpec

SPEED_M_S = 9.0  # of a network that completes its lap, as the published ones did
START_S = 12.0  # simulator, ROS and the model; and the figures at the end
# Wall seconds a simulated second in lockstep: 0.4 at 640x480 and 0.2 at 320x240 (`make bench`).
_LOCKSTEP_FIXED = 0.133
_LOCKSTEP_PER_PIXEL = 8.7e-7
_PROFILE_S = 30.0

HOW = (
    f"estimated from the circuits' lengths at {SPEED_M_S:g} m/s, the pace of the simulator (1 in"
    f" real time, 2.5 in lockstep at 640x480) and {START_S:g} s to start and end a run; from then"
    " on as measured in the runs that are finished"
)


def guess_s(spec: RunSpec) -> float:
    """Wall time that a run should take, before anything is known of it."""
    lap = lap_of(spec.circuit, spec.direction)
    driven_s = spec.laps * min(lap.length_m / SPEED_M_S, lap.limit_s)
    if spec.timeout:
        driven_s = min(driven_s, spec.timeout)
    if spec.clock == "realtime":
        return START_S + driven_s
    pixels = spec.image_width * spec.image_height
    return START_S + driven_s * (_LOCKSTEP_FIXED + _LOCKSTEP_PER_PIXEL * pixels)


class Pace:
    """Corrects the guesses by what finished runs took, for each clock apart."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._guessed_s: defaultdict[str, float] = defaultdict(float)
        self._taken_s: defaultdict[str, float] = defaultdict(float)

    def finished(self, job: Job, result: Result) -> None:
        """A run is finished; its folder tells when."""
        if not result.judged:
            return
        ended_s = (job.folder / RESULT_NAME).stat().st_mtime
        ended_at = datetime.fromtimestamp(ended_s, UTC)
        self._taken_s[job.spec.clock] += (ended_at - result.started_at).total_seconds()
        self._guessed_s[job.spec.clock] += guess_s(job.spec)

    def left_s(self, jobs: Iterable[Job], profiles: int = 0) -> float:
        """Wall time for these runs and missing profiles: lockstep runs go side by side."""
        total_s = profiles * _PROFILE_S
        for job in jobs:
            clock = job.spec.clock
            guessed_s = self._guessed_s[clock]
            factor = self._taken_s[clock] / guessed_s if guessed_s else 1.0
            total_s += factor * guess_s(job.spec) / (1 if job.alone else self._slots)
        return total_s


def in_words(duration_s: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if duration_s < 90.0:
        return f"{duration_s:.0f} s"
    minutes = round(duration_s / 60.0)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
