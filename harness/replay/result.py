"""replay.json: what a replay came to, written last and whole."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import DataError, StorageError, UsageError
from harness.files import write_whole
from harness.paths import project_root
from harness.recording.provenance import Provenance, collect_provenance
from harness.replay.answers import Answer, answers_csv, difference_figures, inference_figures
from harness.replay.plot import draw_answers
from harness.replay.source import Compression, Source

SCHEMA_VERSION: Literal[1] = 1
RESULT_NAME = "replay.json"
CSV_NAME = "replay.csv"
PICTURE_NAME = "replay.png"


class ReplayResult(BaseModel):
    """One replay. Differences are of the model's commands from the recorded ones."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )

    schema_version: Literal[1] = SCHEMA_VERSION
    model: str
    recorded_model: str | None = Field(description="what drove; None: the bag does not say")
    bag: str
    bag_sha256: str
    camera_topic: str
    frame_compression: Compression
    frames_recorded: int
    frames_answered: int
    source_notes: tuple[str, ...] = Field(default=(), description="what is special of the bag")
    frames_compared: int = Field(description="those that got a command when they were recorded")
    commands_equal: int = Field(description="of those compared, equal to the last bit")
    v_mae_m_s: float | None
    v_p95_m_s: float | None
    v_max_m_s: float | None
    w_mae_rad_s: float | None
    w_p95_rad_s: float | None
    w_max_rad_s: float | None
    inference_ms_mean: float | None
    inference_ms_median: float | None
    inference_ms_p95: float | None
    inference_ms_p99: float | None
    commands_sha256: str = Field(description="of replay.csv: frames and answers, no times")
    duration_wall_s: float
    command: str = Field(description="the exact command that makes this replay again")
    started_at: datetime
    brain_proof: dict[str, Any]
    provenance: Provenance

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures must know."""
        notes = [f"Of the bag: {note}." for note in self.source_notes]
        if self.frame_compression == "jpeg":
            notes.append(
                "The bag holds JPEG, not the pixels that the brain saw: differences include the"
                " compression's."
            )
        if not self.frames_compared:
            notes.append("The bag holds no commands for its frames: nothing to compare with.")
        return tuple(notes)


def claim_replay(folder: Path) -> None:
    """Makes a replay's folder.

    Raises:
        UsageError: it holds a finished replay.
        StorageError: it can't be made.
    """
    if (folder / RESULT_NAME).exists():
        raise UsageError(f"{folder} holds a finished replay: choose another output")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: can't write the replay: {error}") from None


def finish_replay(
    folder: Path,
    model: str,
    source: Source,
    answers: Sequence[Answer],
    proof: dict[str, Any],
    started_at: datetime,
    duration_wall_s: float,
) -> ReplayResult:
    """Writes table, picture and, last, replay.json.

    Args:
        folder: takes them; its command.sh is written.
        model: what answered.
        source: the bag.
        answers: one a frame, in order.
        proof: what the brain said it executes.
        started_at: when the replay began.
        duration_wall_s: from the first frame to the last answer.

    Raises:
        StorageError: they can't be written.
    """
    table = answers_csv(answers)
    result = ReplayResult(
        model=model,
        recorded_model=source.model,
        bag=str(source.bag.absolute()),
        bag_sha256=source.sha256,
        camera_topic=source.camera_topic,
        frame_compression=source.compression,
        frames_recorded=source.frames,
        frames_answered=len(answers),
        source_notes=source.notes,
        **difference_figures(answers),
        **inference_figures(answers),
        commands_sha256=hashlib.sha256(table.encode()).hexdigest(),
        duration_wall_s=duration_wall_s,
        command=(folder / "command.sh").read_text().strip(),
        started_at=started_at,
        brain_proof=proof,
        provenance=collect_provenance(project_root(), proof.get("artifact_sha256")),
    )
    write_whole(folder / CSV_NAME, table)
    draw_answers(answers, model, source.model, folder / PICTURE_NAME)
    write_whole(folder / RESULT_NAME, result.model_dump_json(indent=2) + "\n")
    return result


def read_replay(folder: Path) -> ReplayResult:
    """Read a replay's result.

    Raises:
        DataError: missing, or not of this schema.
    """
    file = folder / RESULT_NAME
    try:
        return ReplayResult.model_validate_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"no readable replay at {file}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise DataError(f"{file}: {where}: {first['msg']}") from error
