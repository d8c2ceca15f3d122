"""Random smooth closed loops that a car can drive."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray


@st.composite
def loops(draw: st.DrawFn) -> NDArray[np.float64]:
    """(40, 2) points of a wavy star-shaped loop of 25 to 60 m radius, in either direction."""
    radius_m = draw(st.floats(25, 60))
    angle = np.arange(40) * 2 * np.pi / 40
    wave = np.zeros_like(angle)
    for harmonic in (2, 3, 5):
        size = draw(st.floats(0, 0.25)) / harmonic
        wave += size * np.cos(harmonic * angle + draw(st.floats(0, 2 * np.pi)))
    points = (radius_m * (1 + wave))[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return np.array(points[::-1] if draw(st.booleans()) else points)
