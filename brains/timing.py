"""How long a call takes."""

import statistics
import time
from collections.abc import Callable


def median_ms(call: Callable[[], object], repetitions: int = 50) -> float:
    """Median time of a call, milliseconds; the call returns when its work is done.

    Args:
        call: what is timed.
        repetitions: how often it is called.
    """
    times_ms = []
    for _ in range(repetitions):
        started_s = time.perf_counter()
        call()
        times_ms.append(1e3 * (time.perf_counter() - started_s))
    return statistics.median(times_ms)
