"""A whole batch: checked, driven, summed up."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, get_args

from rich.console import Console

from harness.batch.attempt import check_space, is_finished, put_aside
from harness.batch.board import Board
from harness.batch.jobs import (
    Expansion,
    Job,
    JobFile,
    default_slots,
    expand,
    profiles_to_measure,
)
from harness.batch.pace import HOW, Pace, in_words
from harness.batch.plan import Plan
from harness.batch.runner import LOG, claimed, require_snakemake, run_snakemake
from harness.errors import BrainError, HarnessError, UsageError
from harness.paths import recordings_root
from harness.recording.results import RESULT_NAME, Outcome, Result, read_result
from harness.recording.run_ending import latency_sha256
from harness.report.found import find_runs
from harness.report.table import circuit_tables, terminal_report
from harness.spec.run import RunSpec

RUN_COMMAND = (sys.executable, "-P", "-m", "harness.batch.job")


@dataclass(frozen=True)
class Study:
    """A plan's runs, where their recordings land and how they are driven.

    Attributes:
        expansion: the runs.
        output: folder of the recordings.
        slots: lockstep runs side by side.
        profile: a Snakemake profile that names another executor; None drives here.
        limit: jobs at once on that executor; None takes the profile's.
        again: outcomes whose runs are put aside and driven again.
        run_command: the program that drives one run.
    """

    expansion: Expansion
    output: Path
    slots: int
    profile: Path | None = None
    limit: int | None = None
    again: frozenset[str] = frozenset()
    run_command: tuple[str, ...] = RUN_COMMAND

    @classmethod
    def of(
        cls,
        plan: Plan,
        output: Path | None = None,
        jobs: int | None = None,
        profile: Path | None = None,
        again: Iterable[str] = (),
    ) -> Self:
        """A study with the defaults of this machine.

        Raises:
            UsageError: an outcome that there is not.
            PitwallError: the plan can't be driven.
        """
        for outcome in again:
            if outcome not in get_args(Outcome):
                known = ", ".join(get_args(Outcome))
                raise UsageError(f"--again {outcome}: no outcome; choose one of {known}")
        folder = (output or recordings_root() / plan.name).absolute()
        return cls(
            expansion=expand(plan, folder, here=profile is None),
            output=folder,
            slots=jobs or default_slots(),
            profile=profile,
            limit=jobs,
            again=frozenset(again),
        )

    def run(self, console: Console) -> dict[str, Result]:
        """Drives what has no result yet.

        Args:
            console: for all but the table of results.

        Returns:
            Results by name, in the plan's order; runs without one are missing.

        Raises:
            PitwallError: it can't begin, or the disk is full.
        """
        require_snakemake()
        expansion = self.expansion
        for line in expansion.left_out:
            console.print(f"left out: {line}", style="yellow", markup=False)
        with claimed(self.output) as leash:
            check_space(self.output)
            self._prepare(expansion.jobs)
            file = JobFile(
                command=list(self.run_command),
                folder=Path.cwd(),
                slots=self.slots,
                leash=leash if self.profile is None else None,
                jobs=list(expansion.jobs),
            )
            board = Board(expansion.jobs, self.slots, console)
            console.print(board.summary(), markup=False)
            if board.missing:
                with board:
                    run_snakemake(
                        file, self.output, self.profile, self.limit, board.hear, board.refresh
                    )
            board.settle()
        for job in board.missing:
            reason = board.failures.get(job.name, f"not driven, see {self.output / LOG}")
            console.print(f"{job.name}: {reason}", style="red", markup=False, soft_wrap=True)
        found = board.results
        return {job.name: found[job.name] for job in expansion.jobs if job.name in found}

    def preview(self) -> list[str]:
        """What would run and how long it should take, line by line."""
        expansion = self.expansion
        missing = [job for job in expansion.jobs if not self._stands(job)]
        profiles = list(profiles_to_measure(missing))
        lines = [f"left out: {line}" for line in expansion.left_out]
        lines += [f"{model}: its latency is measured first: {path}" for path, model in profiles]
        lines += [f"{job.name}: {' '.join(job.spec.launch_arguments())}" for job in missing]
        done = len(expansion.jobs) - len(missing)
        duration = in_words(Pace(self.slots).left_s(missing, len(profiles)))
        lines.append(
            f"{len(missing)} runs to drive ({done} done), {self.slots} side by side where the"
            f" clock allows it: about {duration} ({HOW})"
        )
        return lines

    def _prepare(self, jobs: tuple[Job, ...]) -> None:
        """Leaves the results alone that stand, once they are those of this plan."""
        for job in jobs:
            if self._stands(job):
                _check_same(job)
            elif (job.folder / RESULT_NAME).exists():
                put_aside(job)

    def _stands(self, job: Job) -> bool:
        """Whether a run has a result that is to stay."""
        return is_finished(job.folder) and read_result(job.folder).outcome not in self.again


def _check_same(job: Job) -> None:
    """A result in the folder must be that of the run which the plan asks for.

    Raises:
        UsageError: the plan was changed.
    """
    result = read_result(job.folder)
    advice = "choose another --output, or move it away"
    if result.spec is None:
        raise UsageError(f"{job.folder} does not say how it was driven: {advice}")
    same = ["latency"] if _same_profile(result, job.spec) else []
    if changed := "; ".join(result.spec.differences(job.spec, same)):
        raise UsageError(
            f"{job.folder} was driven otherwise than the plan says ({changed}): {advice}"
        )


def _same_profile(result: Result, spec: RunSpec) -> bool:
    """Whether a run had the latency profile that is asked for, wherever the file lay then.

    Results of older versions don't tell its content: then its name decides.
    """
    wanted = spec.latency_profile()
    driven = result.spec.latency_profile() if result.spec else None
    if wanted is None or driven is None:
        return False
    if result.latency_sha256 is None:
        return driven.name == wanted.name
    return result.latency_sha256 == latency_sha256(spec)


def print_summary(results: dict[str, Result], output: Path, rank_by: str) -> None:
    """Prints the table of a batch beside the published rows, and the ranking by a figure."""
    found = find_runs([output / name for name in results])
    console = Console()
    console.print(terminal_report(circuit_tables(found.runs, rank_by), console.width))


def exit_code(results: dict[str, Result], asked: int) -> int:
    """0 where every run ended in a result of driving."""
    outcomes = {result.outcome for result in results.values()}
    if len(results) < asked or "harness_error" in outcomes:
        return HarnessError.exit_code
    return BrainError.exit_code if "brain_error" in outcomes else 0
