"""Conditions of a run: what makes driving harder, graded, and the same again from the seed."""
