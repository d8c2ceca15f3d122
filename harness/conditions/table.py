"""The conditions that there are: names, units, ranges. Help, guide and checks read this table."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Place = Literal["what the brain sees", "how the camera sits", "the world", "the car", "time"]


@dataclass(frozen=True)
class Condition:
    """One condition.

    Attributes:
        name: What it is called.
        place: Where it acts.
        unit: Of its level.
        low: Least level.
        high: Greatest level.
        neutral: Level at which nothing changes; None where there is none but not asking.
        what: What a level means, in a clause.
        source: Where it is from.
        levels: What the guide shows, ever harder.
        of_pixels: It changes a frame, which who needs none (the expert) does not notice.
        whole: Its level is a whole number.
    """

    name: str
    place: Place
    unit: str
    low: float
    high: float
    neutral: float | None
    what: str
    source: str
    levels: tuple[float, ...]
    of_pixels: bool = False
    whole: bool = False

    @property
    def range(self) -> str:
        """Least and greatest level."""
        return f"{self.low:g} to {self.high:g}"

    def check(self, level: float) -> None:
        """Refuses a level that makes no sense.

        Raises:
            ValueError: In one line, which do.
        """
        whole = not self.whole or level.is_integer()
        if not self.low <= level <= self.high or not whole:
            kind = "whole numbers from " if self.whole else ""
            raise ValueError(
                f"{self.name}={level_text(level)}: it takes {kind}{self.range} ({self.unit})"
            )


def level_text(level: float) -> str:
    """A level as it is written: with all its digits, and no more."""
    return str(int(level)) if level.is_integer() and abs(level) < 1e15 else repr(level)


_CORRUPTIONS = "Hendrycks, Dietterich: ImageNet-C, ICLR 2019"
_OWN = "our own"

TABLE: tuple[Condition, ...] = (
    Condition(
        "camera_noise", "what the brain sees", "8-bit levels", 0.0, 128.0, 0.0,
        "standard deviation of normal noise, in every channel of every pixel anew",
        _CORRUPTIONS, (8.0, 16.0, 32.0, 64.0), of_pixels=True,
    ),
    Condition(
        "camera_blur", "what the brain sees", "px", 0.0, 32.0, 0.0,
        "standard deviation of a Gaussian blur, in pixels of the camera's image",
        _CORRUPTIONS, (2.0, 4.0, 8.0, 16.0), of_pixels=True,
    ),
    Condition(
        "camera_exposure", "what the brain sees", "stops", -8.0, 8.0, 0.0,
        "so many times twice the light, clipped; in linear light, by the transfer curve of sRGB",
        "IEC 61966-2-1", (-3.0, -1.5, 1.0, 2.0), of_pixels=True,
    ),
    Condition(
        "camera_jpeg", "what the brain sees", "quality", 1.0, 100.0, None,
        "quality by which libjpeg packs every frame on its way; less is worse",
        _CORRUPTIONS, (50.0, 20.0, 10.0, 2.0), of_pixels=True, whole=True,
    ),
    Condition(
        "camera_dirt", "what the brain sees", "share", 0.0, 0.95, 0.0,
        "share of the picture under patches of mud on the lens; a greater one holds the lesser",
        "SoilingNet, Uřičář et al., ITSC 2019, for the kind", (0.05, 0.1, 0.2, 0.4), of_pixels=True,
    ),
    Condition(
        "frame_drop", "what the brain sees", "share", 0.0, 0.85, 0.0,
        "share of the frames that never arrive, in bursts of 5 on average, 40 at most",
        "Gilbert, Bell Syst. Tech. J. 39, 1960", (0.1, 0.3, 0.5, 0.8),
    ),
    Condition(
        "camera_freeze", "what the brain sees", "s", 0.0, 4.0, 0.0,
        "for so long, once in every 5 s, the last frame stands still while new stamps arrive",
        _OWN, (0.2, 0.5, 1.0, 2.0), of_pixels=True,
    ),
    Condition(
        "camera_pitch_deg", "how the camera sits", "degrees", -30.0, 30.0, 0.0,
        "tilt of the camera, positive down", _OWN, (-10.0, -5.0, 5.0, 10.0),
    ),
    Condition(
        "camera_yaw_deg", "how the camera sits", "degrees", -45.0, 45.0, 0.0,
        "turn of the camera, positive to the left", _OWN, (-10.0, -5.0, 5.0, 10.0),
    ),
    Condition(
        "camera_height_m", "how the camera sits", "m", -0.15, 1.0, 0.0,
        "how much higher than usual (0.22 m above the ground) the camera sits",
        _OWN, (-0.1, 0.1, 0.2, 0.4),
    ),
    Condition(
        "line_worn", "the world", "share", 0.0, 1.0, 0.0,
        "share of the red line that is missing, in gaps of metres; a greater one holds the lesser",
        _OWN, (0.2, 0.4, 0.6, 0.8),
    ),
    Condition(
        "light", "the world", "share of daylight", 0.05, 2.0, 1.0,
        "how bright all colours are; they turn warm as it goes, as towards evening",
        _OWN, (0.6, 0.4, 0.2, 0.1),
    ),
    Condition(
        "start_offset_m", "the car", "m", -3.0, 3.0, 0.0,
        "where the car stands at go beside the line, positive to the left",
        _OWN, (-0.8, -0.4, 0.4, 0.8),
    ),
    Condition(
        "start_heading_deg", "the car", "degrees", -90.0, 90.0, 0.0,
        "how the car stands at go, turned from the line, positive to the left",
        _OWN, (-30.0, -15.0, 15.0, 30.0),
    ),
    Condition(
        "steering_bias_rad_s", "the car", "rad/s", -3.0, 3.0, 0.0,
        "what the car turns beyond every command, positive to the left",
        _OWN, (0.2, 0.4, 0.8, 1.6),
    ),
    Condition(
        "steering_gain", "the car", "factor", 0.0, 5.0, 1.0,
        "the car's yaw rate over the commanded one", _OWN, (0.5, 0.75, 1.5, 2.0),
    ),
    Condition(
        "speed_gain", "the car", "factor", 0.1, 3.0, 1.0,
        "the car's speed over the commanded one", _OWN, (0.75, 1.25, 1.5, 2.0),
    ),
    Condition(
        "gusts", "the car", "rad/s", 0.0, 5.0, 0.0,
        "standard deviation of a wind that turns the moving car, with a memory of 0.5 s",
        "MIL-F-8785C, Dryden's first-order spectrum", (0.25, 0.5, 1.0, 2.0),
    ),
    Condition(
        "latency_jitter_ms", "time", "ms", 0.0, 1000.0, 0.0,
        "mean of an exponential time that each answer takes beyond its latency (lockstep, with a"
        " latency of fixed or profile)",
        "waiting time of an M/M/1 queue", (10.0, 25.0, 50.0, 100.0),
    ),
)  # fmt: skip

BY_NAME = MappingProxyType({condition.name: condition for condition in TABLE})

HELP = f"name=level,...: {', '.join(BY_NAME)}; see `harness conditions`"
"""What the commands say of the argument."""


def markdown_rows(place: Place) -> list[str]:
    """The conditions of a place as rows of the guide's table."""
    return [
        f"| `{row.name}` | {row.unit} | {row.range} | {row.what} | {row.source} |"
        for row in TABLE
        if row.place == place
    ]
