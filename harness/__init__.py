"""Pitwall's harness: runs, measures and reports laps of driving networks."""

__version__ = "0.1.0"
