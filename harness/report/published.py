"""The published study's rows, to stand beside ours."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

_DATA = Path(__file__).with_name("published.yaml")


class PublishedRow(BaseModel):
    """One row of the study's simulation tables; None where it gives no figure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    average_speed_m_s: float | None
    deviation_published: float | None
    brain_frequency_hz: float | None
    inference_ms_mean: float | None
    real_time_factor: float | None
    completed: bool = True


class PublishedStudy(BaseModel):
    """The study's simulation tables, by circuit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    hardware: str
    circuits: dict[str, tuple[PublishedRow, ...]]


@cache
def published_study() -> PublishedStudy:
    """The published figures that come with the project."""
    return PublishedStudy.model_validate(yaml.safe_load(_DATA.read_text(encoding="utf-8")))


def published_rows(circuit: str) -> tuple[PublishedRow, ...]:
    """The study's rows of a circuit; none where it published none."""
    return published_study().circuits.get(circuit, ())
