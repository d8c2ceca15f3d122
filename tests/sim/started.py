"""Looks at the processes of one run."""

from pathlib import Path

from harness.run.processes import processes_of_run


def processes_named(run_id: str, name: str) -> list[int]:
    """Processes of a run that execute this program."""
    return [
        pid
        for pid in processes_of_run(run_id)
        if Path(f"/proc/{pid}/comm").read_text().strip() == name
    ]
