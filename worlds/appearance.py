"""Colours of a world: the published look, or random shades for training variety."""

from dataclasses import dataclass
from typing import Self

import numpy as np

Colour = tuple[float, float, float]
"""Red, green, blue in [0, 1], as the camera sees them (emissive: light plays no part)."""

WALL_COLOURS: dict[str, Colour] = {"white": (0.90, 0.90, 0.90), "grey": (0.55, 0.56, 0.58)}


# How much sooner than green a channel goes with the light: red last, blue first, as at dusk.
_DUSK = (0.85, 1.0, 1.2)


def lit(colour: Colour, light: float) -> Colour:
    """A colour under a share of daylight; at 1 it is the colour itself, below it turns warm."""
    if light == 1.0:
        return colour
    red, green, blue = (
        min(round(level * light**sooner, 4), 1.0)
        for level, sooner in zip(colour, _DUSK, strict=True)
    )
    return red, green, blue


@dataclass(frozen=True)
class Appearance:
    """Colours of one world. `wall=None` means the circuit's own wall colour."""

    sky: Colour = (0.46, 0.68, 0.93)
    asphalt: Colour = (0.23, 0.23, 0.24)
    grass: Colour = (0.55, 0.78, 0.42)
    line: Colour = (0.85, 0.06, 0.06)
    kerb_red: Colour = (0.78, 0.10, 0.10)
    kerb_white: Colour = (0.93, 0.93, 0.93)
    wall: Colour | None = None

    @classmethod
    def random(cls, seed: int) -> Self:
        """A plausible other day at the same circuit: shades shifted, one brightness for all.

        The line stays clearly red and the asphalt clearly grey, so that the task stays the same.
        """
        rng = np.random.default_rng(seed)
        brightness = rng.uniform(0.75, 1.15)

        def shade(colour: Colour, spread: float) -> Colour:
            shifted = (np.array(colour) + rng.uniform(-spread, spread, 3)) * brightness
            red, green, blue = np.clip(shifted, 0.02, 1.0).round(4).tolist()
            return red, green, blue

        def grey(low: float, high: float) -> Colour:
            level = rng.uniform(low, high)
            return shade((level, level, level), 0.015)

        base = cls()
        return cls(
            sky=shade(base.sky, 0.12),
            asphalt=grey(0.16, 0.34),
            grass=shade(base.grass, 0.10),
            line=shade(base.line, 0.05),
            kerb_red=shade(base.kerb_red, 0.05),
            kerb_white=grey(0.80, 0.95),
            wall=grey(0.45, 0.95),
        )
