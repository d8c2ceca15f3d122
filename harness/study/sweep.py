"""How driving depends on latency: laps in lockstep at fixed latencies, and their picture."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from harness.errors import DataError
from harness.evaluation.profile import LatencyProfile
from harness.recording.results import RESULT_NAME, Result, read_result
from harness.run.drive import drive
from harness.spec.run import RunSpec

LATENCIES_MS = tuple(range(0, 301, 25))


class SweepPoint(BaseModel):
    """One latency.

    Attributes:
        latency_ms: simulated, the same for every frame.
        results: the laps driven with it.
    """

    model_config = ConfigDict(frozen=True)

    latency_ms: float
    results: list[Result]

    @property
    def completed_share(self) -> float:
        """Share of the laps that were completed."""
        return sum(result.completed for result in self.results) / len(self.results)

    @property
    def deviations_m(self) -> list[float]:
        """deviation_mae_m of the completed laps."""
        return [
            result.deviation_mae_m
            for result in self.results
            if result.completed and result.deviation_mae_m is not None
        ]


def sweep(
    model: str,
    circuit: str,
    latencies_ms: Sequence[float],
    repetitions: int,
    output: Path,
    show: Callable[[str], None],
) -> list[SweepPoint]:
    """Drives a model at each latency; laps already in the output folder are kept.

    Repetitions start at stations spread over the circuit: in lockstep with a fixed latency the
    same start gives the same lap, bit for bit.

    Args:
        model: the model.
        circuit: the circuit.
        latencies_ms: simulated latencies.
        repetitions: laps at each.
        output: folder that takes the recordings.
        show: takes lines of progress.

    Raises:
        PitwallError: a run could not be driven.
    """
    points = []
    for latency_ms in latencies_ms:
        results = []
        for repetition in range(repetitions):
            spec = _spec(model, circuit, latency_ms, repetition, repetitions, output)
            folder = Path(spec.output)
            if not (folder / RESULT_NAME).exists():
                drive(spec, lambda _: None)
            result = read_result(folder)
            results.append(result)
            show(f"{latency_ms:g} ms: {result.outcome} ({result.outcome_reason})")
        points.append(SweepPoint(latency_ms=latency_ms, results=results))
    return points


def _spec(
    model: str, circuit: str, latency_ms: float, repetition: int, repetitions: int, output: Path
) -> RunSpec:
    base = RunSpec.parse({"model": model, "circuit": circuit})
    length_m = base.load_circuit().centreline("forward").length_m
    station_m = (base.start_station_m() + length_m * repetition / repetitions) % length_m
    return RunSpec.parse(
        {
            "model": model,
            "circuit": circuit,
            "clock": "lockstep",
            "latency": f"fixed:{latency_ms:g}",
            "start": f"{station_m:.3f}" if repetition else "default",
            "output": str(output / f"{latency_ms:g}ms-{repetition}"),
        }
    )


def read_profile_file(path: Path) -> LatencyProfile:
    """A profile that `harness profile` wrote.

    Raises:
        DataError: missing or not such a file.
    """
    try:
        return LatencyProfile.model_validate_json(path.read_text())
    except (OSError, ValueError) as error:
        line = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a latency profile: {line}") from None


def _around(point: SweepPoint, points: Sequence[SweepPoint]) -> tuple[float, float]:
    """Half way to the neighbouring latencies."""
    all_ms = sorted(other.latency_ms for other in points)
    at = all_ms.index(point.latency_ms)
    before_ms, after_ms = all_ms[max(at - 1, 0)], all_ms[min(at + 1, len(all_ms) - 1)]
    return (before_ms + point.latency_ms) / 2, (after_ms + point.latency_ms) / 2


def draw(
    points: Sequence[SweepPoint], profiles: Sequence[LatencyProfile], title: str, path: Path
) -> None:
    """Draws deviation and completion over latency, the models' measured latencies marked.

    Args:
        points: the sweep.
        profiles: measured latencies to mark by their median.
        title: of the picture.
        path: PNG to write.
    """
    figure = Figure(figsize=(9.0, 5.5), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    driven = [point for point in points if point.deviations_m]
    x_ms = [point.latency_ms for point in driven]
    mean_m = [sum(point.deviations_m) / len(point.deviations_m) for point in driven]
    if any(len(point.deviations_m) > 1 for point in driven):
        axes.fill_between(
            x_ms,
            [min(point.deviations_m) for point in driven],
            [max(point.deviations_m) for point in driven],
            alpha=0.2,
            label="least and greatest",
        )
    axes.plot(x_ms, mean_m, marker="o", label="mean of the completed laps")
    for point in points:
        if not point.deviations_m:
            axes.axvspan(*_around(point, points), color="0.92", linewidth=0)
    axes.set_yscale("log")  # a lost lap is a hundred times as far off as a good one
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.tick_params(axis="y", which="minor", labelsize="x-small")
    axes.set_ylabel("deviation_mae_m (m, logarithmic)")
    axes.set_title(f"{title}; grey: no lap completed", loc="left")
    below.bar(
        [point.latency_ms for point in points],
        [100.0 * point.completed_share for point in points],
        width=12.0,
        color="0.6",
    )
    below.set_ylabel("completed (%)")
    below.set_ylim(0.0, 105.0)
    below.set_xlabel("simulated latency, camera frame to command (ms)")
    colours = mpl.colormaps["viridis"].resampled(max(len(profiles), 1) + 1)
    for index, profile in enumerate(profiles):
        median_ms = profile.quantiles_ms()[0]
        label = f"{profile.model}: {median_ms:.1f} ms"
        axes.axvline(median_ms, color=colours(index), linestyle="--", label=label)
        below.axvline(median_ms, color=colours(index), linestyle="--")
    cpus = sorted({profile.provenance.cpu_model or "unknown CPU" for profile in profiles})
    axes.legend(
        loc="upper right",
        fontsize="small",
        title=f"measured on {', '.join(cpus)}" if cpus else None,
    )
    for part in (axes, below):
        part.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
