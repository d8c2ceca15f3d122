"""What this process has cost so far: CPU time, memory, and the processor's energy meanwhile."""

import resource
import time
from dataclasses import dataclass

from harness.run.processor_energy import EnergyMeter


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process has cost.

    Attributes:
        cpu_s: CPU time of all its threads, user and system, since it started.
        peak_rss_bytes: Most memory that it has held.
        energy_j: What the processor took since `begin`; NaN where the machine shows none.
    """

    cpu_s: float
    peak_rss_bytes: int
    energy_j: float


class CostMeter:
    """Asked once before and once after each answer; a reading takes microseconds."""

    def __init__(self, energy: EnergyMeter) -> None:
        self._energy = energy

    def begin(self) -> None:
        """An answer begins: energy counts from here."""
        self._energy.spent_j()

    def read(self) -> Cost:
        """The cost by now."""
        # Linux tells the peak in units of 1,024 bytes.
        peak_rss_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Cost(time.process_time(), peak_rss_bytes, self._energy.spent_j())
