"""Measures a model's latency on this machine, to drive with it elsewhere in lockstep."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from brains.failures import as_brain_error
from brains.interface import Brain
from harness.files import write_text
from harness.recording.provenance import Provenance

WARM_UP = 20


class LatencyProfile(BaseModel):
    """A profile file: what `latency:=profile:FILE` draws from.

    Attributes:
        model: the model measured.
        measured_at: when.
        image_size_px: width and height of the frames.
        latency_ms: one frame in, one command out, for each frame after warm-up.
        provenance: the machine and its packages.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    measured_at: datetime
    image_size_px: tuple[int, int]
    latency_ms: list[float]
    provenance: Provenance

    def quantiles_ms(self) -> tuple[float, float, float]:
        """Median, 95th and 99th percentile."""
        p50, p95, p99 = np.percentile(self.latency_ms, [50.0, 95.0, 99.0])
        return float(p50), float(p95), float(p99)


def measure(
    name: str,
    brain: Brain,
    frames: Sequence[NDArray[np.uint8]],
    count: int,
    provenance: Provenance,
    tick: Callable[[int], None],
) -> LatencyProfile:
    """Times whole answers (preprocessing, network, postprocessing), one frame at a time.

    Args:
        name: the model's name.
        brain: loaded.
        frames: images uint8 (height, width, 3), used in turn.
        count: answers to time, after the warm-up.
        provenance: of this machine.
        tick: called with the number of answers timed.

    Raises:
        BrainError: the brain failed.
    """
    latency_ms = []
    with as_brain_error():
        brain.warm_up(frames[0], WARM_UP)
        for index in range(count):
            frame = frames[index % len(frames)]
            started_s = time.monotonic()
            brain.infer(frame)
            latency_ms.append(1e3 * (time.monotonic() - started_s))
            tick(index + 1)
    height, width = frames[0].shape[:2]
    return LatencyProfile(
        model=name,
        measured_at=datetime.now(UTC),
        image_size_px=(width, height),
        latency_ms=latency_ms,
        provenance=provenance,
    )


def noise_frames(width: int, height: int, count: int = 8, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Frames without a picture: no network here takes longer for one image than for another."""
    random = np.random.default_rng(seed)
    return list(random.integers(0, 256, (count, height, width, 3), dtype=np.uint8))


def write_profile(profile: LatencyProfile, path: Path) -> None:
    """Writes a profile file.

    Raises:
        StorageError: it can't be written.
    """
    write_text(path, profile.model_dump_json(indent=2) + "\n")
