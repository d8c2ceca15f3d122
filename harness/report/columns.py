"""The figures that a report tells of a model, and what they may be ranked by."""

from dataclasses import dataclass

from harness.errors import UsageError


@dataclass(frozen=True)
class Figure:
    """A column of figures.

    Attributes:
        name: The field of `Metrics`.
        key: What `--rank-by` calls it.
        title: Its heading.
        unit: Of the figures; empty without one.
        digits: After the point.
        driving: It is of the driven line: equal laps count once.
        more_is_better: Of two models the one with more of it is the better one.
        of_circuit: The circuit sets its size, so that models differ in it by a ratio.
        wide: Left out on a narrow terminal.
    """

    name: str
    key: str
    title: str
    unit: str
    digits: int
    driving: bool
    more_is_better: bool = False
    of_circuit: bool = False
    wide: bool = False

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


LAP_TIME = Figure(
    "lap_time_s", "lap_time", "Lap time", "s", 2, driving=True, of_circuit=True, wide=True
)
SPEED = Figure(
    "average_speed_m_s", "speed", "Average speed", "m/s", 2,
    driving=True, more_is_better=True, of_circuit=True,
)  # fmt: skip
DEVIATION = Figure("deviation_mae_m", "deviation", "Deviation", "m", 3, driving=True)
FIGURES = (
    LAP_TIME,
    SPEED,
    DEVIATION,
    Figure(
        "deviation_published", "published_deviation", "Deviation", "as published", 2, driving=True
    ),
    Figure(
        "brain_frequency_hz", "frequency", "Brain frequency", "Hz", 1,
        driving=False, more_is_better=True,
    ),
    Figure("inference_ms_mean", "inference", "Mean inference", "ms", 3, driving=False),
    Figure(
        "steering_rate_rad_s2", "steering_rate", "Steering rate", "rad/s^2", 2,
        driving=True, wide=True,
    ),
    Figure("brain_cpu_ms", "cpu", "Brain CPU", "ms a frame", 2, driving=False, wide=True),
    Figure("brain_rss_mib", "memory", "Brain memory", "MiB", 0, driving=False, wide=True),
    Figure(
        "camera_to_command_ms_median", "camera_to_command", "Camera to command", "ms", 1,
        driving=False, wide=True,
    ),
    Figure(
        "real_time_factor", "real_time_factor", "Real-time factor", "", 3,
        driving=False, more_is_better=True, wide=True,
    ),
)  # fmt: skip
RANK_KEYS = tuple(figure.key for figure in FIGURES)
DEFAULT_RANK_KEY = LAP_TIME.key


def ranked_by(key: str) -> tuple[Figure, ...]:
    """The figures that order models which complete equally often, the chosen one first.

    Raises:
        UsageError: No figure of that name.
    """
    chosen = next((figure for figure in FIGURES if figure.key == key), None)
    if chosen is None:
        raise UsageError(f"--rank-by {key}: no figure; choose one of {', '.join(RANK_KEYS)}")
    return tuple(dict.fromkeys((chosen, LAP_TIME, DEVIATION)))
