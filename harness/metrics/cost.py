"""What a brain costs the machine that runs it."""

import numpy as np

from harness.metrics.run_log import Iterations


def brain_costs(iterations: Iterations) -> dict[str, float | None]:
    """CPU time a frame, greatest memory, and energy a frame of the brain's process.

    Args:
        iterations: The brain's iterations within the run.

    Returns:
        `brain_cpu_ms` (all threads), `brain_rss_mib` and `brain_energy_mj`; None where the bag
        lacks it: older ones, and energy where the machine shows none.
    """
    cpu_s, rss_bytes, energy_j = iterations.cpu_s, iterations.peak_rss_bytes, iterations.energy_j
    frames = cpu_s.size - 1
    known = rss_bytes[np.isfinite(rss_bytes) & (rss_bytes > 0.0)]
    spent = energy_j[np.isfinite(energy_j)]
    cpu_ms = float(cpu_s[-1] - cpu_s[0]) / frames * 1e3 if frames > 0 else float("nan")
    return {
        "brain_cpu_ms": cpu_ms if np.isfinite(cpu_ms) else None,
        "brain_rss_mib": float(known.max()) / 2**20 if known.size else None,
        "brain_energy_mj": float(spent.mean()) * 1e3 if spent.size else None,
    }
