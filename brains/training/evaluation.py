"""The evaluation set kept in git: held-out real frames of each circuit with the expert's labels.

The frames are one PNG, one under the other: small, lossless, and read in one go.
"""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from brains.preprocess import INPUT_HEIGHT, INPUT_WIDTH
from brains.training.dataset import read_index, read_split
from harness.errors import DataError

EVALUATION_FILE = Path(__file__).parents[1] / "data" / "evaluation.npz"


@dataclass(frozen=True)
class EvaluationSet:
    """Crops uint8 (n, 66, 200, 3), labels float32 (n, 2) of v m/s and w rad/s, circuits (n,)."""

    crops: NDArray[np.uint8]
    labels: NDArray[np.float32]
    circuits: NDArray[np.str_]


def make_evaluation(data: Path, per_circuit: int = 300) -> EvaluationSet:
    """Pick frames of a data set's test split, evenly spread over each circuit's runs.

    Raises:
        DataError: The data set is broken or its test split empty.
    """
    split = read_split(data, "test")
    runs = [run for run in read_index(data).runs if run.split == "test"]
    if not runs:
        raise DataError(f"{data} has no test runs: record at least 3 runs a circuit")
    where = np.concatenate([np.full(run.frames, run.circuit) for run in runs])
    rows: list[NDArray[np.intp]] = []
    for circuit in sorted(set(where.tolist())):
        frames = np.flatnonzero(where == circuit)
        chosen = np.linspace(0, len(frames) - 1, min(per_circuit, len(frames))).round().astype(int)
        rows.append(frames[chosen])
    picked = np.concatenate(rows)
    return EvaluationSet(np.asarray(split.crops[picked]), split.labels[picked], where[picked])


def write_evaluation(evaluation: EvaluationSet, path: Path) -> None:
    """Write an evaluation set (atomically)."""
    stacked = np.vstack(list(evaluation.crops))[..., ::-1]
    done, png = cv2.imencode(".png", stacked, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise DataError(f"the {len(evaluation.crops)} evaluation frames do not fit one PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part.npz")
    np.savez(part, png=png, labels=evaluation.labels, circuits=evaluation.circuits)
    part.replace(path)


def read_evaluation(path: Path = EVALUATION_FILE) -> EvaluationSet:
    """Read an evaluation set.

    Raises:
        DataError: The file is missing or broken.
    """
    try:
        with np.load(path) as arrays:
            png, labels, circuits = (arrays[name] for name in ("png", "labels", "circuits"))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        line = " ".join(str(error).split())
        raise DataError(f"{path} is no evaluation set: {line}") from error
    stacked = cv2.imdecode(png, cv2.IMREAD_COLOR)
    if stacked is None or stacked.shape != (len(labels) * INPUT_HEIGHT, INPUT_WIDTH, 3):
        raise DataError(f"{path} is no evaluation set: its frames do not fit its labels")
    crops = np.ascontiguousarray(stacked[..., ::-1], np.uint8)
    return EvaluationSet(crops.reshape(-1, INPUT_HEIGHT, INPUT_WIDTH, 3), labels, circuits)
