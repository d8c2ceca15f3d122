"""A reference lap as the published study keeps it: a bag whose odometry is a line, and no more.

The study's "perfect laps" are the red line traced pixel by pixel on a picture of the circuit. Their
stamps are all 0: of such a bag the positions alone tell something.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import topics
from harness.errors import DataError
from harness.metrics.deviation import ReferenceLap
from harness.recording.messages import read_messages
from worlds.circuit import Circuit, Direction

# A lap without a point for so long along the centreline is none: the study's steps are below 0.5 m.
_GAP_M = 5.0


@dataclass(frozen=True)
class Reference:
    """A reference lap.

    Attributes:
        bag: The bag it comes from.
        sha256: SHA-256 (hex) of that file.
        points_m: Its points (P, 2), in the order of the records.
    """

    bag: Path
    sha256: str
    points_m: NDArray[np.float64]

    def on(self, circuit: Circuit, direction: Direction) -> ReferenceLap:
        """The lap on a circuit's centreline in a driving direction.

        Raises:
            DataError: It is no lap of that circuit: a point lies off the asphalt, or a part of the
                way has none.
        """
        centreline = circuit.centreline(direction)
        stations_m = np.array([centreline.project(point).s_m for point in self.points_m])
        away_m = np.hypot(*(self.points_m - centreline.position(stations_m)).T)
        off = away_m > circuit.asphalt_width_m / 2.0
        if off.any():
            raise DataError(
                f"{self.bag} is no reference lap of {circuit.name}: {off.sum()} of its {len(off)}"
                f" points lie off the asphalt, up to {away_m.max():.1f} m from the centreline"
            )
        sorted_m = np.sort(stations_m)
        gaps_m = np.diff(sorted_m, append=sorted_m[0] + centreline.length_m)
        if gaps_m.max() > _GAP_M:
            raise DataError(
                f"{self.bag} is no whole lap of {circuit.name}: it has no point for"
                f" {gaps_m.max():.1f} m after station {sorted_m[gaps_m.argmax()]:.1f} m"
            )
        return ReferenceLap(self.points_m, stations_m, away_m)


def read_reference(bag: Path) -> Reference:
    """Read a reference lap from a bag.

    Raises:
        DataError: No such file, not a whole bag, no odometry, or odometry that is none.
    """
    points: list[tuple[float, float]] = []
    for topic, _, message in read_messages(bag, (topics.ODOMETRY,)):
        try:
            position = message.pose.pose.position
            points.append((position.x, position.y))
        except AttributeError as error:
            raise DataError(f"{bag}: {topic} has an unexpected type ({error})") from error
    if not points:
        raise DataError(f"{bag} has no {topics.ODOMETRY}: it is no reference lap")
    points_m = np.array(points, dtype=np.float64)
    if not np.isfinite(points_m).all():
        raise DataError(f"{bag}: the odometry holds values that are not numbers")
    with bag.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Reference(bag, sha256, points_m)
