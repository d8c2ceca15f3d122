"""The conditions that a run is asked for: `name=level,...`, checked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import AfterValidator

from harness.conditions.table import BY_NAME, TABLE, Condition, level_text


@dataclass(frozen=True)
class Conditions:
    """What is asked.

    Attributes:
        levels: Level of each by its name, in the order of the table.
    """

    levels: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `name=level,...`; empty text asks for nothing.

        Raises:
            ValueError: An unknown name, a level that makes no sense, or one given twice; one line.
        """
        levels: dict[str, float] = {}
        for item in text.split(",") if text.strip() else ():
            name, sign, value = (part.strip() for part in item.partition("="))
            if not (name and sign and value):
                raise ValueError(f"{item.strip()!r} is no condition: write name=level,name=level")
            if name not in BY_NAME:
                raise ValueError(f"unknown condition {name!r}; known: {', '.join(BY_NAME)}")
            if name in levels:
                raise ValueError(f"{name} is given twice")
            levels[name] = _level(BY_NAME[name], value)
        return cls(MappingProxyType({c.name: levels[c.name] for c in TABLE if c.name in levels}))

    def __str__(self) -> str:
        return ",".join(f"{name}={level_text(level)}" for name, level in self.levels.items())

    def level(self, name: str) -> float | None:
        """The level of a condition; None where nothing is to change, asked for or not."""
        level = self.levels.get(name)
        return None if level == BY_NAME[name].neutral else level

    def value(self, name: str) -> float:
        """The level of a condition that has a neutral one, which it is where nothing is asked.

        Raises:
            ValueError: It has none.
        """
        neutral = BY_NAME[name].neutral
        if neutral is None:
            raise ValueError(f"{name} has no neutral level")
        return self.levels.get(name, neutral)

    @property
    def of_pixels(self) -> tuple[str, ...]:
        """Names of those asked for that only who looks at frames can notice."""
        return tuple(name for name in self.levels if BY_NAME[name].of_pixels)

    @property
    def of_world(self) -> tuple[str, ...]:
        """Names of those asked for that change a world of ours, and no other."""
        return tuple(name for name in self.levels if BY_NAME[name].place == "the world")


def _one_spelling(text: str) -> str:
    return str(Conditions.parse(text))


ConditionsText = Annotated[str, AfterValidator(_one_spelling)]
"""A field that holds conditions as text, checked, in their one spelling."""


def _level(condition: Condition, text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = math.nan
    if not math.isfinite(level):
        raise ValueError(f"{condition.name}={text}: no number of {condition.unit}")
    condition.check(level)
    return level
