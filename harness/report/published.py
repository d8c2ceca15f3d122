"""The published study's rows, to stand beside ours."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

ON_THE_CENTRELINE = "exactly on the centreline"
_DATA = Path(__file__).with_name("published.yaml")


class PublishedRow(BaseModel):
    """One row of the study's simulation tables; None where it gives no figure.

    Of how many runs its figures are, the study does not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    average_speed_m_s: float | None
    deviation_published: float | None
    brain_frequency_hz: float | None
    inference_ms_mean: float | None
    real_time_factor: float | None
    completed: bool = True
    clock: str | None = "realtime"


class OfflineRow(BaseModel):
    """One row of the study's offline tables.

    Attributes:
        model: Its name there.
        in_simulation: Its name in the simulation tables, where that is another one.
        size_mib: Size of the file.
        mse: Mean squared error of the two scaled outputs.
        inference_ms: Time of one frame.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    in_simulation: str | None = None
    size_mib: float
    mse: float
    inference_ms: float


class OfflineTable(BaseModel):
    """One framework's offline table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hardware: str
    rows: tuple[OfflineRow, ...]


class PublishedStudy(BaseModel):
    """The study's simulation tables, by circuit, and its offline tables, by framework.

    Attributes:
        source: Where they were published.
        hardware: What the circuits were driven on.
        circuits: The simulation tables.
        floor_of_deviation: What a car exactly on a circuit's centreline scores by the study's own
            function and reference lap, which is a line traced pixel by pixel.
        offline: The offline tables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    hardware: str
    circuits: dict[str, tuple[PublishedRow, ...]]
    floor_of_deviation: dict[str, float]
    offline: dict[str, OfflineTable]


@cache
def published_study() -> PublishedStudy:
    """The published figures that come with the project."""
    return PublishedStudy.model_validate(yaml.safe_load(_DATA.read_text(encoding="utf-8")))


def published_rows(circuit: str) -> tuple[PublishedRow, ...]:
    """The study's rows of a circuit, and what its deviation is at its least, as a row of its own.

    None where it published none.
    """
    study = published_study()
    rows = study.circuits.get(circuit, ())
    if not rows:
        return ()
    floor = PublishedRow(
        model=ON_THE_CENTRELINE,
        average_speed_m_s=None,
        deviation_published=study.floor_of_deviation[circuit],
        brain_frequency_hz=None,
        inference_ms_mean=None,
        real_time_factor=None,
        clock=None,
    )
    return (*rows, floor)


def published_offline(table: str | None, name: str | None) -> OfflineRow | None:
    """The study's offline row of a model; None where it has none.

    Args:
        table: Framework of the table.
        name: Name of the row, there or in the simulation tables.
    """
    if table not in published_study().offline or name is None:
        return None
    rows = published_study().offline[table].rows
    return next((row for row in rows if name in (row.model, row.in_simulation)), None)
