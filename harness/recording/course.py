"""Which course a bag drove: as recorded in it, as given, or recognised from the driven line."""

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, get_args

import numpy as np
from pydantic import ValidationError

from harness.errors import DataError, PitwallError, UsageError
from harness.metrics.figures import replay
from harness.metrics.lap import LapLimits
from harness.metrics.run_log import Floats, RunLog
from harness.spec.recorded import CIRCUIT_DRIVEN, RecordedSpec
from harness.spec.run import RunSpec
from worlds.circuit import Circuit, Direction, circuit_names, circuit_of_run, load_circuit

# A line counts as driven on a circuit if this share of it lies on the asphalt.
_RECOGNISED_SHARE = 0.8
_SAMPLES = 200
_MANY_LAPS = 10**6


@dataclass(frozen=True)
class Course:
    """What was to be driven.

    Attributes:
        circuit: The circuit.
        direction: The driving direction.
        start_station_m: Station of the start line on the centreline in that direction.
        laps: Laps to drive.
        timeout_s: Simulated seconds allowed from go.
        source: How the circuit is known, in words.
    """

    circuit: Circuit
    direction: Direction
    start_station_m: float
    laps: int
    timeout_s: float
    source: str

    @property
    def limits(self) -> LapLimits:
        """When a run on it is over."""
        return LapLimits.of_circuit(self.circuit, self.laps, self.timeout_s)


@dataclass(frozen=True)
class Given:
    """What the user says of a bag's course; None is not said."""

    circuit: str | None = None
    direction: str | None = None
    laps: int | None = None
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        if self.direction not in (None, *get_args(Direction)):
            raise UsageError(f"direction is forward or reverse, not {self.direction!r}")
        if self.laps is not None and self.laps < 1:
            raise UsageError(f"laps must be at least 1, not {self.laps}")


def course_of(log: RunLog, given: Given | None = None, bag: Path | None = None) -> Course:
    """The course that a bag drove.

    A bag of ours says it in /metadata. Of any other bag, such as those of the published study, the
    circuit is given, named by the metadata's `world`, or recognised from the driven line; the start
    line is where its odometry begins; the laps are as many as it holds, at least one.

    Args:
        log: The bag.
        given: What the user says; goes before everything else.
        bag: Its file, for what is said of it.

    Raises:
        UsageError: No circuit has the name given.
        DataError: The driven line lies on no known circuit.
    """
    given = given or Given()
    spec = _spec(log.metadata)
    if spec is not None:
        return _recorded(spec, log.metadata.get(CIRCUIT_DRIVEN), given, bag)
    circuit, source = _circuit(log, given.circuit, bag)
    x_m, y_m = driven_line(log)
    direction: Direction = "forward"
    if given.direction is not None:
        direction = "reverse" if given.direction == "reverse" else "forward"
    elif not _goes_forward(circuit, x_m, y_m):
        direction = "reverse"
    start_m = circuit.centreline(direction).project((x_m[0], y_m[0])).s_m
    laps = given.laps or max(1, _laps_driven(log, circuit, direction, start_m))
    timeout_s = given.timeout_s or circuit.time_limit_s * laps
    return Course(circuit, direction, start_m, laps, timeout_s, source)


def _spec(metadata: Mapping[str, Any]) -> RunSpec | None:
    """What a run of ours was asked to be; None for other bags."""
    try:
        return RecordedSpec.model_validate(metadata)
    except ValidationError:
        return None


def _recorded(
    spec: RunSpec, told: Mapping[str, Any] | None, given: Given, bag: Path | None
) -> Course:
    """The course of a run of ours, on the circuit that it carries unless another is given."""
    changes = {
        "circuit": given.circuit,
        "direction": given.direction,
        "laps": given.laps,
        "timeout": given.timeout_s,
    }
    said = {name: value for name, value in changes.items() if value is not None}
    asked = spec.model_copy(update=said)
    if given.circuit is not None:
        return course_of_spec(asked, "as given")
    if told is None and not _is_known(spec.circuit):
        raise DataError(
            f"the bag drove {spec.circuit!r}, a circuit that is not known here"
            f" (known: {', '.join(circuit_names())}): {_way_out(bag, spec.circuit)}"
        )
    circuit, differs = circuit_of_run(asked.circuit, told)
    return course_of_spec(asked, "; ".join(filter(None, ("as recorded", differs))), circuit)


def course_of_spec(spec: RunSpec, source: str, circuit: Circuit | None = None) -> Course:
    """The course that a run is asked to drive.

    Args:
        spec: The run.
        source: How it is known, in words.
        circuit: The circuit, if it is not the one known here by the run's name of it.

    Raises:
        PitwallError: Its circuit can't be read.
    """
    circuit = circuit or spec.load_circuit()
    return Course(
        circuit=circuit,
        direction=spec.direction,
        start_station_m=spec.start_station_m(circuit),
        laps=spec.laps,
        timeout_s=spec.timeout_s(circuit),
        source=source,
    )


def _is_known(name: str) -> bool:
    try:
        load_circuit(name)
    except PitwallError:
        return False
    return True


def _circuit(log: RunLog, name: str | None, bag: Path | None) -> tuple[Circuit, str]:
    """The circuit of a bag that is not ours, and how it is known."""
    if name is not None:
        return load_circuit(name), "as given"
    # The study's worlds are called simple_circuit_no_wall.launch, montreal_line.launch, ...
    world = PurePath(str(log.metadata.get("world", ""))).name
    named = [known for known in circuit_names() if world.startswith(known)]
    if named:
        circuit = load_circuit(max(named, key=len))
        # Another world's name may begin alike: a car starts on the asphalt of its own.
        x_m, y_m = driven_line(log)
        start = circuit.centreline().project((x_m[0], y_m[0]))
        if abs(start.lateral_m) <= circuit.asphalt_width_m / 2.0:
            return circuit, f"by the metadata's world {world!r}"
    return _recognised(log, world, bag)


def _recognised(log: RunLog, world: str, bag: Path | None) -> tuple[Circuit, str]:
    """The circuit on whose asphalt most of the driven line lies.

    Raises:
        DataError: It lies on none.
    """
    x_m, y_m = driven_line(log)
    chosen = np.linspace(0, len(x_m) - 1, min(_SAMPLES, len(x_m))).astype(int)
    points_m = np.column_stack([x_m[chosen], y_m[chosen]])
    best: tuple[float, float, Circuit] | None = None
    for name in circuit_names():
        circuit = load_circuit(name)
        line = circuit.centreline()
        away_m = np.array([abs(line.project(point).lateral_m) for point in points_m])
        share = float(np.mean(away_m <= circuit.asphalt_width_m / 2.0))
        if best is None or (share, -away_m.mean()) > best[:2]:
            best = (share, -float(away_m.mean()), circuit)
    assert best is not None
    share, _, circuit = best
    if share < _RECOGNISED_SHARE:
        named = f"; its metadata name the world {world!r}" if world else ""
        raise DataError(
            "the driven line lies on no known circuit"
            f" (the best is {circuit.name}, with {share:.0%} of it){named}:"
            f" {_way_out(bag, PurePath(world).stem)}, or say --circuit NAME"
        )
    return circuit, f"recognised: {share:.0%} of the driven line lies on its asphalt"


def _way_out(bag: Path | None, name: str) -> str:
    """How a circuit that is not known here is made of a bag."""
    fitting = re.sub(r"[^a-z0-9_-]+", "_", PurePath(name).stem.lower()).strip("_-") or "NAME"
    command = f"harness circuit add {shlex.quote(str(bag)) if bag else 'BAG'} --name {fitting}"
    return f"`{command}` makes a circuit of the driven lap"


def _goes_forward(circuit: Circuit, x_m: Floats, y_m: Floats) -> bool:
    """Whether the driven line follows the circuit's forward direction."""
    line = circuit.centreline()
    stations_m, _ = line.project_many(np.column_stack([x_m, y_m]))
    steps_m = [math.remainder(step, line.length_m) for step in np.diff(stations_m)]
    return math.fsum(steps_m) >= 0.0


def _laps_driven(log: RunLog, circuit: Circuit, direction: Direction, start_m: float) -> int:
    """Whole laps in a bag."""
    limits = LapLimits.of_circuit(circuit, _MANY_LAPS, math.inf)
    return replay(log, circuit.centreline(direction), start_m, _MANY_LAPS, limits).laps


def driven_line(log: RunLog) -> tuple[Floats, Floats]:
    """The driven line from go on; all of it where go lies behind its end."""
    odometry = log.odometry
    driven = odometry.sim_s >= log.go_sim_s
    if not driven.any():
        driven[:] = True
    return odometry.x_m[driven], odometry.y_m[driven]
