"""Pure functions from a run log to figures. One definition each: docs/METRICS.md."""

from harness.metrics.figures import Metrics, compute_metrics, replay

__all__ = ["Metrics", "compute_metrics", "replay"]
