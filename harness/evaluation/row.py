"""What an evaluation says of one model."""

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from harness.evaluation.accuracy import Errors
from harness.report.published import OfflineRow

MIB = 2**20
LARGE_TENSOR = 1800


class Timing(BaseModel):
    """Single-frame inferences, milliseconds.

    Attributes:
        count: How many, warm-up left out.
        mean: Mean.
        median: Median.
        p95: 95th percentile.
        p99: 99th percentile.
        cores: CPU time of all threads per wall time while they ran: how many cores were busy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    count: int
    mean: float
    median: float
    p95: float
    p99: float
    cores: float

    @classmethod
    def of(cls, times_ms: list[float], cpu_ms: float, wall_ms: float) -> "Timing":
        """Summary of the times of single inferences."""
        median, p95, p99 = np.percentile(times_ms, [50.0, 95.0, 99.0])
        return cls(
            count=len(times_ms),
            mean=float(np.mean(times_ms)),
            median=float(median),
            p95=float(p95),
            p99=float(p99),
            cores=cpu_ms / wall_ms,
        )


class Row(BaseModel):
    """One model's row.

    Attributes:
        model: Its name.
        title: One line.
        family: Architecture.
        backend: Engine.
        precision: Number format.
        runnable: Whether it was evaluated.
        reason: Why not, in one line.
        size_mib: Files needed to run it.
        training_state_mib: What training on takes besides: Adam's two moments in float32; only
            of the float baselines, whose published size contains it.
        parameters: Number of weights.
        mse: Mean squared error of the scaled outputs on all held-out frames.
        mse_ratio: ``mse`` / that of ``float_baseline``.
        float_baseline: Model whose float weights it has; None where that was not evaluated.
        mae_v_m_s: Mean absolute error of the speed.
        mae_w_rad_s: Mean absolute error of the yaw rate.
        circuits: The errors on each circuit's frames.
        inference_ms_median: Median time of the engine's call on one frame; likewise the next.
        inference_ms_mean: Mean.
        inference_ms_p95: 95th percentile.
        inference_ms_p99: 99th percentile.
        inferences: How many were timed.
        threads: Threads that the engine was told to use; None leaves it to the engine.
        busy_cores: Cores that were busy meanwhile: CPU time / wall time.
        speed_up: Median of tf_baseline in the same evaluation / that of this model; of a user's
            versions the median of the network as it came / theirs.
        in_loop_ms_median: Median of the engine's call inside whole answers to camera frames.
        bare_ms_median: Median of the engine's own loop on one input array.
        bare_reason: Why that was not timed, though it was wanted.
        bare_ratio: Inference / own loop: median over the blocks, which are timed side by side.
        in_loop_ratio: Inference in whole answers / own loop, likewise.
        reference_difference: Greatest difference of scaled outputs from the float network's.
        output_step_m_s: Step of the speed where outputs are integers.
        output_step_rad_s: Step of the yaw rate where outputs are integers.
        agreement: What the gate found when the version was made (``brains.agreement``); None of
            what came with the project, and of the network itself.
        agreement_detail: What that rests on, in one line.
        variance_lost: Mean squared difference from the network's answers / their variance, the
            greater of speed and yaw rate.
        rmse_v_m_s: Root of the mean squared difference of the speed from the network's.
        rmse_w_rad_s: The same of the yaw rate.
        sparsity: Share of zeros in all weights that the engine tells.
        unique_values: Most different values in one tensor of at least 1,800 weights (the smallest
            convolution's; biases have fewer); None where there are more than any clustering
            leaves, or the engine does not tell.
        weights: Elements, sparsity and different values of each tensor that the engine tells.
        engine: What executed it.
        engine_version: Its version.
        device: On what.
        host_to_device_ms: Median time of the image's way to the GPU, which is part of each
            inference; None where it stays in the CPU's memory.
        operators: Executed operators by kind, for each delegate.
        artifact_sha256: Hash of the files.
        published: The study's row of this model.
        published_speed_up: The study's tf_baseline / this model's published inference time; on
            other hardware from table to table.
        size_ratio: ``size_mib`` / published size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str
    title: str
    family: str
    backend: str
    precision: str
    runnable: bool
    reason: str | None = None
    size_mib: float | None = None
    training_state_mib: float | None = None
    parameters: int | None = None
    mse: float | None = None
    mse_ratio: float | None = None
    float_baseline: str | None = None
    mae_v_m_s: float | None = None
    mae_w_rad_s: float | None = None
    circuits: dict[str, Errors] = {}
    inference_ms_median: float | None = None
    inference_ms_mean: float | None = None
    inference_ms_p95: float | None = None
    inference_ms_p99: float | None = None
    inferences: int | None = None
    threads: int | None = None
    busy_cores: float | None = None
    speed_up: float | None = None
    in_loop_ms_median: float | None = None
    bare_ms_median: float | None = None
    bare_reason: str | None = None
    bare_ratio: float | None = None
    in_loop_ratio: float | None = None
    reference_difference: float | None = None
    output_step_m_s: float | None = None
    output_step_rad_s: float | None = None
    agreement: str | None = None
    agreement_detail: str | None = None
    variance_lost: float | None = None
    rmse_v_m_s: float | None = None
    rmse_w_rad_s: float | None = None
    sparsity: float | None = None
    unique_values: int | None = None
    weights: dict[str, dict[str, int | float | None]] = {}
    engine: str | None = None
    engine_version: str | None = None
    device: str | None = None
    host_to_device_ms: float | None = None
    operators: dict[str, dict[str, int]] = {}
    artifact_sha256: str | None = None
    published: OfflineRow | None = None
    published_speed_up: float | None = None
    size_ratio: float | None = None


def sparsity(weights: dict[str, dict[str, Any]]) -> float | None:
    """Share of zeros over all tensors of a proof's ``weights``; None where there are none."""
    elements = sum(tensor["elements"] for tensor in weights.values())
    if not elements:
        return None
    zeros = sum(tensor["elements"] * tensor["sparsity"] for tensor in weights.values())
    return float(zeros / elements)


def unique_values(weights: dict[str, dict[str, Any]]) -> int | None:
    """Most different values in one large tensor; None where one has too many, or none is there."""
    large = [tensor for tensor in weights.values() if tensor["elements"] >= LARGE_TENSOR]
    counts = [tensor["unique_values"] for tensor in large]
    if not counts or any(count is None for count in counts):
        return None
    return int(max(counts))
