"""Laps in series: sweeps, training data, the figures that the project promises."""
