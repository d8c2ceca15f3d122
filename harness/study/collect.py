"""Drives the expert round the circuits and records what the networks learn from."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness.recording.results import RESULT_NAME, read_result
from harness.run.drive import drive
from harness.spec.run import EXPERT, RunSpec
from worlds.circuit import load_circuit

LEARNT = ("simple_circuit", "montreal", "montmelo")
"""The circuits that the built-in networks learn from; on the others they show what they learnt."""

# About what a fast network and the camera's transport take together; in simulated time.
_LATENCY = "fixed:30"


def plan(circuits: Sequence[str], seeds: int, output: Path) -> Iterator[RunSpec]:
    """The expert's runs: every circuit, both directions, undisturbed once and so many seeds.

    Every second seed drives through a world of other colours and light, where it is one of ours.

    Args:
        circuits: names of circuits.
        seeds: disturbed runs of each circuit and direction.
        output: folder that takes the recordings.
    """
    for seed, circuit, direction in itertools.product(
        range(seeds + 1), circuits, ("forward", "reverse")
    ):
        yield RunSpec.parse(
            {
                "model": EXPERT,
                "circuit": circuit,
                "direction": direction,
                "seed": seed,
                "appearance": seed if seed % 2 and load_circuit(circuit).world is None else 0,
                "clock": "lockstep",
                "latency": _LATENCY,
                "record_camera": True,
                "output": str(output / f"{circuit}-{direction}-{seed}"),
            }
        )


def collect(specs: Iterator[RunSpec], show: Callable[[str], None]) -> list[Path]:
    """Drives the runs that are not finished yet.

    Args:
        specs: the runs, each with an output folder.
        show: takes lines of progress.

    Returns:
        The folders of all runs.

    Raises:
        PitwallError: a run could not be driven.
    """
    folders = []
    for spec in specs:
        folder = Path(spec.output)
        if not (folder / RESULT_NAME).exists():
            drive(spec, lambda _: None)
        result = read_result(folder)
        show(f"{folder.name}: {result.outcome}, {result.duration_sim_s or 0.0:.0f} simulated s")
        folders.append(folder)
    return folders
