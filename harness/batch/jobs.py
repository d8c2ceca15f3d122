"""From a plan to its runs: names, start stations, seeds, what each takes of the machine. No ROS."""

import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from brains.artifacts import asked_by
from brains.availability import Availability, to_drive
from brains.catalogue import find_model
from brains.model import ModelSpec
from harness.batch.plan import OWN_PROFILE, Block, Plan, group
from harness.errors import DataError, UsageError
from harness.files import write_text
from harness.spec.launch import model_file_name, model_name
from harness.spec.run import EXPERT, RunSpec
from worlds.circuit import Direction, load_circuit

STATE = ".batch"  # what a batch keeps beside the recordings
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class Job(BaseModel):
    """One run of a batch.

    Attributes:
        name: of its recording's folder.
        spec: the run; its output is the absolute folder.
        alone: it must have the machine for itself, for its result depends on wall time.
        gpus: that it occupies.
        own_profile: the latency profile that is measured first where it is missing.
        retries: after a harness_error.
        wall_timeout_s: wall time after which an attempt is ended.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    spec: RunSpec
    alone: bool
    gpus: int
    own_profile: Path | None
    retries: int
    wall_timeout_s: float

    @property
    def folder(self) -> Path:
        """The recording."""
        return Path(self.spec.output)


class JobFile(BaseModel):
    """What the Snakefile and its jobs read.

    Attributes:
        command: the program that drives a run, given this file and the run's name.
        folder: where the batch was called: a user's own brain lies there.
        slots: lockstep runs side by side; a run that must be alone takes all.
        leash: file that the batch holds locked while it lives; None on a cluster.
        jobs: in the order in which they should be driven.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: list[str]
    folder: Path
    slots: int
    leash: Path | None
    jobs: list[Job]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads one.

        Raises:
            DataError: missing or not such a file.
        """
        try:
            return cls.model_validate_json(path.read_text())
        except (OSError, ValidationError) as error:
            raise DataError(f"{path}: no job file: {' '.join(str(error).split())[:200]}") from None

    def write(self, path: Path) -> None:
        """Writes it.

        Raises:
            StorageError: it can't be written.
        """
        write_text(path, self.model_dump_json(indent=1) + "\n")

    def job(self, name: str) -> Job:
        """The run of this name.

        Raises:
            UsageError: there is none.
        """
        for job in self.jobs:
            if job.name == name:
                return job
        raise UsageError(f"no run {name!r} in this batch")


@dataclass(frozen=True)
class Lap:
    """A lap of a circuit in one direction.

    Attributes:
        length_m: of the centreline.
        start_m: station of the circuit's own start.
        limit_s: simulated time after which a run is over.
    """

    length_m: float
    start_m: float
    limit_s: float


@cache
def lap_of(circuit: str, direction: Direction) -> Lap:
    """The lap of a circuit; read once, for a plan has hundreds of runs on it."""
    loaded = load_circuit(circuit)
    length_m = loaded.centreline(direction).length_m
    return Lap(length_m, loaded.start_station(direction), loaded.time_limit_s)


@dataclass(frozen=True)
class Expansion:
    """The runs of a plan.

    Attributes:
        jobs: in the order in which they should be driven.
        left_out: one line for every model of a group that can't run on this machine.
    """

    jobs: tuple[Job, ...]
    left_out: tuple[str, ...]


def expand(plan: Plan, output: Path, here: bool = True) -> Expansion:
    """All runs of a plan: repetition 1 of every model and circuit, then repetition 2, ...

    A machine that drifts over the night then drifts for all models alike.

    Args:
        plan: the plan.
        output: absolute folder that takes the recordings.
        here: the runs are driven on this machine, which must have what the models need.

    Raises:
        UsageError: two runs have one name.
        UnavailableError: a model that the plan names can't run here.
    """
    jobs: dict[str, Job] = {}
    left_out: dict[str, None] = {}
    for block in plan.blocks:
        names, lines = _models(block, here)
        left_out.update(dict.fromkeys(lines))
        for repetition in range(1, block.repetitions + 1):
            for circuit in dict.fromkeys(block.circuits):
                for model in names:
                    job = _job(block, model, circuit, repetition, output)
                    if jobs.setdefault(job.name, job) is not job:
                        raise UsageError(
                            f"two runs of the plan are called {job.name}: give the entries of"
                            " `runs` different names"
                        )
    return Expansion(tuple(jobs.values()), tuple(left_out))


def default_slots() -> int:
    """How many lockstep runs this machine drives side by side: one a core.

    Simulator and brain of a run take turns, so that it keeps about one core busy.
    """
    return len(os.sched_getaffinity(0))


def _models(block: Block, here: bool) -> tuple[list[str], list[str]]:
    """Names of the block's models, and why some of its groups' can't run on this machine."""
    names: dict[str, None] = {}
    left_out = []
    for given in block.models:
        members = group(given)
        for name in [asked_by(model) for model in members or _one(given)] or [given]:
            found = Availability()
            if here and name != EXPERT:
                found = to_drive(find_model(name))
            if members and found.reason is not None:
                left_out.append(found.reason)
                continue
            found.require()
            names[name] = None
    if twice := [name for name, count in Counter(map(model_name, names)).items() if count > 1]:
        raise UsageError(
            f"two networks are called {twice[0]}, and results would not tell them apart: give one "
            "of the cards another name"
        )
    return list(names), left_out


def _one(name: str) -> list[ModelSpec]:
    return [] if name == EXPERT else [find_model(name)]


def _job(block: Block, model: str, circuit: str, repetition: int, output: Path) -> Job:
    plain_model = model_file_name(model)
    parts = (block.name, plain_model, Path(circuit).stem, f"{repetition:02d}")
    name = re.sub(r"[^\w.-]", "_", "-".join(part for part in parts if part))
    latency, own_profile = block.latency, None
    if latency == OWN_PROFILE:
        own_profile = Path(block.profiles, f"{plain_model}.json").absolute()
        if re.search(r"[{}]", str(own_profile)):
            raise UsageError(f"profiles: {own_profile}: Snakemake takes no braces in this path")
        latency = f"profile:{own_profile}"
    elif latency.startswith("profile:"):
        latency = f"profile:{Path(latency.removeprefix('profile:')).absolute()}"
    clock = block.kept_clock()
    circuit_file = str(Path(circuit).absolute()) if Path(circuit).suffix else circuit
    spec = RunSpec(
        model=model,
        circuit=circuit_file,
        laps=block.laps,
        direction=block.direction,
        start=_start(lap_of(circuit_file, block.direction), block, repetition),
        timeout=block.timeout_s,
        seed=block.seed + repetition - 1,
        clock=clock,
        latency=latency,
        record_camera=block.record_camera,
        image_width=block.image_width,
        image_height=block.image_height,
        antialiasing=block.antialiasing,
        conditions=block.conditions,
        output=str(output / name),
    )
    return Job(
        name=name,
        spec=spec,
        alone=clock == "realtime" or latency == "measured",
        gpus=_gpus(model),
        own_profile=own_profile,
        retries=block.retries,
        wall_timeout_s=block.wall_timeout_s,
    )


def _start(lap: Lap, block: Block, repetition: int) -> str:
    """Where a repetition starts: the circuit's own start first, then spread over the lap.

    Steps of the golden ratio spread any number of starts evenly (Weyl's sequence), so that more
    repetitions can be added later without moving those that were driven.
    """
    if block.starts == "line" or repetition == 1:
        return "default"
    share = math.fmod((repetition - 1) * _GOLDEN, 1.0)
    return f"{(lap.start_m + share * lap.length_m) % lap.length_m:.3f}"


def _gpus(model: str) -> int:
    return int(model != EXPERT and find_model(model).nvidia is not None)


def profiles_to_measure(jobs: Sequence[Job]) -> Iterator[tuple[Path, str]]:
    """Profile files that the runs need and that are missing, with their models; each once."""
    seen: set[Path] = set()
    for job in jobs:
        path = job.own_profile
        if path is not None and path not in seen and not path.exists():
            seen.add(path)
            yield path, job.spec.model
