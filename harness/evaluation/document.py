"""An evaluation as files: JSON, CSV, Markdown."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.evaluation.row import Row
from harness.evaluation.table import markdown
from harness.files import as_csv, write_text, writing
from harness.recording.provenance import Provenance

# Nested values of a row; the JSON file has them.
_NOT_IN_CSV = {"circuits", "operators", "weights", "published"}


class Evaluation(BaseModel):
    """evaluation.json.

    Attributes:
        schema_version: Of this file.
        measured_at: When it ended.
        command: What makes it again.
        inferences: Timed inferences of each model.
        block: How many in one go.
        priority: Whether they were timed at real-time priority.
        load_average: Of the machine over the last minute, at the start and at the end.
        provenance: Machine, code, versions.
        rows: One for each model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_version: Literal[1] = 1
    measured_at: datetime
    command: str
    inferences: int
    block: int
    priority: bool = False
    load_average: tuple[float, float]
    provenance: Provenance
    rows: tuple[Row, ...]

    def facts(self) -> list[str]:
        """Where the figures come from, in lines."""
        machine, packages = self.provenance, self.provenance.packages
        commit = machine.git_commit or "unknown"
        gpus = "".join(f", {gpu}" for gpu in machine.gpus)
        return [
            f"Machine: {machine.cpu_model or 'unknown CPU'}, {machine.cpu_cores} cores{gpus}; "
            f"{machine.os}; load average {self.load_average[0]:.2f} before, "
            f"{self.load_average[1]:.2f} after.",
            f"Command: `{self.command}` ({self.measured_at:%Y-%m-%d %H:%M} UTC, commit "
            f"{commit[:12]}{' with changes' if machine.git_dirty else ''}).",
            f"Versions: Python {machine.python}, "
            + ", ".join(f"{name} {version}" for name, version in packages.items())
            + ".",
            f"Inference: {self.inferences} single frames a model, warm-up left out, one process a "
            f"model, in turns of {self.block} in random order, all other models stopped "
            "meanwhile; models of one thread on one core"
            f"{', at real-time priority' if self.priority else ''}.",
        ]


def write_evaluation_files(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write evaluation.json, .csv, .md and .png; return the files.

    Raises:
        StorageError: They can't be written.
    """
    from harness.evaluation.plot import evaluation_figure  # noqa: PLC0415  (matplotlib is slow)

    texts = {
        "evaluation.json": evaluation.model_dump_json(indent=2) + "\n",
        "evaluation.csv": csv_text(evaluation),
        "evaluation.md": markdown(evaluation.rows, evaluation.facts()),
    }
    figure = evaluation_figure(evaluation.rows, evaluation.provenance.cpu_model)
    files = [write_text(folder / name, text) for name, text in texts.items()]
    if figure is not None:
        files.append(folder / "evaluation.png")
        with writing(files[-1]):
            figure.savefig(files[-1], dpi=150)
    return files


def csv_text(evaluation: Evaluation) -> str:
    """The rows with the flat figures, and in each row where they come from."""
    circuits = sorted({name for row in evaluation.rows for name in row.circuits})
    lines = [_flat(row, circuits) | _origin(evaluation) for row in evaluation.rows]
    return as_csv(list(lines[0]) if lines else [], lines)


def _flat(row: Row, circuits: Sequence[str]) -> dict[str, object]:
    values = row.model_dump(mode="json", exclude=_NOT_IN_CSV)
    for circuit in circuits:
        errors = row.circuits.get(circuit)
        for name in ("mse", "mae_v_m_s", "mae_w_rad_s"):
            values[f"{circuit}_{name}"] = None if errors is None else getattr(errors, name)
    for name in ("size_mib", "mse", "inference_ms"):
        values[f"published_{name}"] = row.published and getattr(row.published, name)
    return values


def _origin(evaluation: Evaluation) -> dict[str, object]:
    machine = evaluation.provenance
    return {
        "cpu_model": machine.cpu_model,
        "cpu_cores": machine.cpu_cores,
        "git_commit": machine.git_commit,
        "measured_at": evaluation.measured_at.isoformat(),
        "packages": " ".join(f"{name}={version}" for name, version in machine.packages.items()),
        "command": evaluation.command,
    }
