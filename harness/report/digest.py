"""What the pictures of a report need of a recording, kept in the cache by content.

Reading a bag takes most of a second, its digest a millisecond. A digest is found again by what it
was made from: the result, the bag, the circuit and the code that reads them.
"""

import hashlib
import os
import tempfile
import zipfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brains.sources import sources_of
from harness.errors import DataError, PitwallError
from harness.metrics import timing
from harness.metrics.deviation import at_stations
from harness.metrics.figures import Drive, replay
from harness.metrics.lap import LapLimits
from harness.metrics.run_log import RunLog
from harness.recording.log import read_run_log
from harness.recording.results import RESULT_NAME, Result, read_result
from harness.report.groups import Run
from harness.setup.cache import cache_root, key_of
from worlds.circuit import Circuit, load_circuit

Floats = NDArray[np.float32]

SPACING_M = 1.0
# Of a longer bag these ends are read: its header, and the index with which it was closed, which
# holds the place, the time and the number of messages of every chunk.
_ENDS_BYTES = 1 << 20
_CODE = ("harness", "worlds")


@dataclass(frozen=True)
class Digest:
    """One recording, small enough to hold hundreds of them.

    Along the lap lie S stations, about a metre apart, the first at the circuit's own start line.
    A row is one round from there; NaN where the car did not drive in it.

    Attributes:
        lateral_m: (R, S) offsets from the centreline, positive to the left.
        speed_m_s: (R, S) speeds over ground.
        x_m: (R, S) positions, east.
        y_m: (R, S) positions, north.
        end_m: (2,) where the run ended.
        end_station_m: (1,) distance of that along the lap from the start line.
        inference_ms: (N,) duration of every network call.
        iteration_ms: (N,) duration of every iteration.
        real_time_factor: (W,) of each whole wall second.
        times: What the bag's times mean, in a line.
    """

    lateral_m: Floats
    speed_m_s: Floats
    x_m: Floats
    y_m: Floats
    end_m: Floats
    end_station_m: Floats
    inference_ms: Floats
    iteration_ms: Floats
    real_time_factor: Floats
    times: str = ""

    @classmethod
    def of(cls, result: Result, log: RunLog, circuit: Circuit) -> Self:
        """Digest a run's log.

        Raises:
            DataError: Fewer than two odometry samples from go on, or simulated time is unknown.
        """
        log.times.check_known()
        centreline = circuit.centreline(result.direction)
        limits = LapLimits.of_circuit(circuit, result.laps_asked, result.timeout_s)
        drive = replay(log, centreline, result.start_station_m, result.laps_asked, limits)
        offset_m = (
            result.start_station_m - circuit.start_station(result.direction)
        ) % centreline.length_m
        path, go_sim_s = drive.path, float(drive.path.sim_s[0])
        speed_m_s = np.hypot(np.gradient(path.x_m, path.sim_s), np.gradient(path.y_m, path.sim_s))
        columns = (path.lateral_m, speed_m_s, path.x_m, path.y_m)
        along = _along(drive, np.stack(columns), offset_m, centreline.length_m)
        iterations = timing.iterations_between(log.iterations, go_sim_s, drive.end_sim_s)
        arrays = (
            *along,
            np.array([path.x_m[-1], path.y_m[-1]]),
            np.array([(offset_m + path.progress_m[-1]) % centreline.length_m]),
            timing.inference_ms(iterations),
            timing.iteration_ms(iterations),
            timing.factor_by_second(log.clock, go_sim_s, drive.end_sim_s),
        )
        told = "; ".join((log.times.words, *log.times.notes))
        digested: list[Any] = [*(np.asarray(array, dtype=np.float32) for array in arrays), told]
        return cls(*digested)


def station_count(length_m: float) -> int:
    """Stations on a lap of this length."""
    return max(1, round(length_m / SPACING_M))


class DigestCache:
    """Digests of recordings, read from the cache or made and kept there."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open the cache.

        Args:
            folder: Where digests are kept; None for the project's own cache.
        """
        self._folder = folder or cache_root() / "digests"
        self._circuits: dict[str, tuple[Circuit, str]] = {}
        self._times: Counter[str] = Counter()
        self.made = 0

    @property
    def times(self) -> str:
        """What the times of the bags read so far mean, in a line."""
        if len(self._times) == 1:
            return next(iter(self._times))
        return " / ".join(f"{told} ({count} runs)" for told, count in self._times.items())

    def of(self, run: Run) -> Digest:
        """The digest of a recording.

        Raises:
            DataError: It has no bag, or one that can't be read.
            UsageError: Its circuit is not known here.
        """
        kept = self.path_of(run)
        digest = _load(kept)
        if digest is None:
            _, bag = _files(run)
            circuit, _ = self._circuit(run.result.circuit)
            digest = Digest.of(run.result, read_run_log(bag), circuit)
            self.made += 1
            # A cache that can't be written only costs time.
            with suppress(OSError):
                keep(digest, kept)
        self._times[digest.times] += 1
        return digest

    def path_of(self, run: Run) -> Path:
        """Where the digest of a recording is kept, by all that it is made from.

        Raises:
            DataError: It has no bag, or one that can't be read, or its circuit is another one here.
            UsageError: Its circuit is not known here.
        """
        folder, bag = _files(run)
        circuit, content = self._circuit(run.result.circuit)
        if run.result.circuit_sha256 not in (None, circuit.sha256()):
            raise DataError(f"circuit {run.result.circuit!r} is another one here than it drove")
        contents = (_content(folder / RESULT_NAME), _content(bag))
        key = key_of(_code_key(), *contents, content)
        # Its first letters are a folder: ten thousand files in one are slow to list.
        return self._folder / key[:2] / f"{key}.npz"

    def _circuit(self, name: str) -> tuple[Circuit, str]:
        """A circuit and all that it is made from."""
        if name not in self._circuits:
            circuit = load_circuit(name)
            self._circuits[name] = circuit, circuit.model_dump_json()
        return self._circuits[name]


def digest_ahead(folder: Path) -> None:
    """Make the digest of a finished recording now: a report of many then takes seconds.

    What can't be digested is left to the report, which says why.
    """
    with suppress(PitwallError):
        DigestCache().of(Run(folder.name, read_result(folder), folder))


def _along(drive: Drive, columns: NDArray[np.float64], offset_m: float, length_m: float) -> Floats:
    """Columns (C, N) of the driven samples as (C, R, S): rounds from the circuit's start line."""
    path, count = drive.path, station_count(length_m)
    spacing_m = length_m / count
    first_m, last_m = float(path.progress_m[0]), float(path.progress_m.max())
    if drive.outcome == "completed":
        last_m = min(last_m, drive.laps * length_m)
    first = int(np.ceil((offset_m + first_m) / spacing_m - 1e-9))
    last = int(np.ceil((offset_m + last_m) / spacing_m - 1e-9))
    passed = np.arange(max(first, 0), max(last, first, 0))
    rounds = int(passed[-1]) // count + 1 if passed.size else 1
    along = np.full((len(columns), rounds * count), np.nan, dtype=np.float32)
    progress_m = np.asarray(passed * spacing_m - offset_m, dtype=np.float64)
    for row, values in zip(along, columns, strict=True):
        row[passed] = at_stations(path, values, progress_m)
    return along.reshape(len(columns), rounds, count)


def _files(run: Run) -> tuple[Path, Path]:
    """Folder and bag of a recording."""
    if run.folder is None or run.result.bag is None:
        raise DataError("it has no bag")
    return run.folder, run.folder / run.result.bag


@cache
def _code_key() -> str:
    """Key of the code that makes digests: another version makes its own."""
    return key_of(*(path.read_bytes() for path in sources_of(__name__, _CODE)))


def _content(path: Path) -> bytes:
    """Hash of a file: of all of it, or of its length and both ends if it is long.

    Raises:
        DataError: It can't be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest.update(size.to_bytes(8, "little") + file.read(_ENDS_BYTES))
            file.seek(max(size - _ENDS_BYTES, min(size, _ENDS_BYTES)))
            digest.update(file.read())
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}") from error
    return digest.digest()


def _load(path: Path) -> Digest | None:
    """A kept digest; None if there is none, or half of one."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            kept = {field.name: arrays[field.name] for field in fields(Digest)}
        return Digest(**(kept | {"times": str(kept["times"])}))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def keep(digest: Digest, path: Path) -> None:
    """Write a digest so that its file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        temporary = Path(file.name)
        try:
            np.savez(file, **vars(digest))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
