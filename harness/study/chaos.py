"""`python -m harness.study.chaos`: breaks batches and runs on purpose and counts what is lost.

  kills   `harness batch` is killed by -9 at random moments and started again, until it is done:
          results lost, results doubled, processes left
  faults  eight kinds of fault in driving runs, several times each: the outcome, and how soon

It takes half an hour and needs root for the small disk; CI does not run it.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from harness.batch.attempt import ATTEMPTS, carry_out
from harness.batch.jobs import Job, expand
from harness.batch.plan import read_plan
from harness.errors import PitwallError, StorageError, UnavailableError
from harness.paths import project_root
from harness.recording.results import RESULT_NAME, read_result
from harness.report.promises import Promise, promise_table
from harness.run.processes import end_runs_in, processes_of_run, processes_of_runs_in
from harness.study.faults import FAULTS, Fault, Trouble, fill

# Laps that end by the limit of simulated time: each has its start, its seed and its result.
KILLED_PLAN = """
models: [explicit]
circuits: [simple_circuit]
repetitions: 6
latency: fixed:20
timeout_s: 6
image_width: 320
image_height: 240
"""
FAULT_PLAN = "models: [tflite_dynamic]\ncircuits: [simple_circuit]\nclock: realtime\nretries: 0\n"
OUTCOME_WITHIN_S = 10.0
_LONGEST_LIFE_S = 25.0
_DISK_MIB = 48


@dataclass
class Losses:
    """What killing batches cost.

    Attributes:
        kills: so many.
        batches: that came to their end.
        lost: results that stood before a kill and were gone or changed after it.
        doubled: runs with a result that were driven again.
        left: processes that outlived their batch.
    """

    kills: int = 0
    batches: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    left: int = 0


def kill_batches(folder: Path, count: int, seed: int, say: Callable[[str], None]) -> Losses:
    """Kills `harness batch` so many times at random moments; each batch goes on until it is done.

    Args:
        folder: takes plan and recordings.
        count: of kills.
        seed: of the moments.
        say: takes each line of progress.
    """
    moments = random.Random(seed)
    losses = Losses()
    plan = folder / "plan.yaml"
    plan.write_text(KILLED_PLAN)
    while losses.kills < count:
        output = folder / f"batch-{losses.batches + 1}"
        standing: dict[Path, tuple[int, int]] = {}
        while True:
            life_s = moments.uniform(0.0, _LONGEST_LIFE_S) if losses.kills < count else None
            ended = _start_batch(plan, output, life_s)
            losses.lost += [str(path) for path, mark in standing.items() if _mark(path) != mark]
            standing = {path: _mark(path) for path in _results(output)}
            if ended is None:
                losses.kills += 1
                losses.left += _left_behind(output)
                say(f"kill {losses.kills}: after {life_s:.1f} s, {len(standing)} results stand")
                continue
            if ended != 0:
                losses.lost.append(f"{output}: the batch ended with exit code {ended}")
            break
        losses.batches += 1
        losses.doubled += [str(path) for path in _driven_twice(output)]
        say(f"batch {losses.batches} is done: {len(standing)} results")
    return losses


def _start_batch(plan: Path, output: Path, life_s: float | None) -> int | None:
    """Runs a batch to its end, or kills it; the exit code, None where it was killed."""
    command = ["harness", "batch", str(plan), "--output", str(output), "--jobs", "2"]
    with (output.parent / "batch.log").open("a") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            return process.wait(life_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None
        except BaseException:
            process.kill()
            end_runs_in(output)
            raise


def _left_behind(output: Path) -> int:
    """Processes of a killed batch that have not ended within the patience of the next one."""
    deadline_s = time.monotonic() + OUTCOME_WITHIN_S
    while (left := len(processes_of_runs_in(output))) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return left


def _results(output: Path) -> Iterator[Path]:
    """Results of driving that stand: nothing may take them away."""
    for path in output.glob(f"*/{RESULT_NAME}"):
        if read_result(path).judged:
            yield path


def _driven_twice(output: Path) -> Iterator[Path]:
    for path in output.glob(f"*/{ATTEMPTS}/*/{RESULT_NAME}"):
        if read_result(path).judged:
            yield path


def _mark(path: Path) -> tuple[int, int]:
    """What changes when a file is written again; zeros where it is gone."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return stat.st_ino, stat.st_mtime_ns


def make_faults(folder: Path, each: int, say: Callable[[str], None]) -> list[Promise]:
    """Each kind of fault so many times, in a run of its own.

    Args:
        folder: takes plan and recordings.
        each: how often.
        say: takes each line of progress.

    Raises:
        UnavailableError: a small disk can't be mounted.
    """
    plan = folder / "plan.yaml"
    plan.write_text(FAULT_PLAN)
    rows = []
    for fault in FAULTS:
        name = fault.name.replace(" ", "_")
        jobs = [_job(plan, folder / f"{name}-{number}") for number in range(1, each + 1)]
        rows.append(_row(fault.name, fault.outcome, [_break(job, fault, say) for job in jobs]))
    with small_disk(folder) as disk:
        full = Fault("disk full", fill(disk), "harness_error")
        endings = []
        for number in range(1, each + 1):
            (disk / "ballast").unlink(missing_ok=True)
            endings.append(_break(_job(plan, disk / str(number)), full, say))
        rows.append(_row(full.name, StorageError.__name__, endings))
    return rows


def _job(plan: Path, output: Path) -> Job:
    (job,) = expand(read_plan(plan), output).jobs
    return job


def _break(job: Job, fault: Fault, say: Callable[[str], None]) -> tuple[str, float, int]:
    """Outcome (or error), seconds from the fault to it, and processes left."""
    made_s = [time.monotonic()]

    def make(run_id: str) -> None:
        made_s[0] = time.monotonic()
        fault.make(run_id)

    trouble = Trouble(str(job.folder), make)
    try:
        ending: str = carry_out(job, trouble).outcome
    except PitwallError as error:
        ending = type(error).__name__
    taken_s = time.monotonic() - made_s[0]
    if not trouble.made:
        ending = f"{ending} before the fault"
    left = len(processes_of_run(str(job.folder)))
    say(f"{fault.name}: {ending} after {taken_s:.1f} s, {left} processes left")
    return ending, taken_s, left


def _row(name: str, outcome: str, endings: list[tuple[str, float, int]]) -> Promise:
    right = sum(ending == outcome for ending, _, _ in endings)
    slowest_s = max(taken_s for _, taken_s, _ in endings)
    left = sum(left for _, _, left in endings)
    return Promise(
        what=name,
        promise=f"{outcome}, {len(endings)} of {len(endings)}, within {OUTCOME_WITHIN_S:g} s",
        measured=f"{right} of {len(endings)}, at most {slowest_s:.1f} s, {left} processes left",
        kept=right == len(endings) and slowest_s <= OUTCOME_WITHIN_S and not left,
    )


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 48 MiB.

    Raises:
        UnavailableError: this user can't mount one.
    """
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MIB}m", "tmpfs", str(disk)]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode:
        raise UnavailableError(f"mounting a small disk takes root: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _loss_rows(losses: Losses) -> list[Promise]:
    counts = {
        "results lost": len(losses.lost),
        "results doubled": len(losses.doubled),
        "processes left": losses.left,
    }
    how = f"{losses.kills} kills, {losses.batches} batches"
    return [
        Promise(what=f"{what}, {how}", promise="0", measured=str(count), kept=count == 0)
        for what, count in counts.items()
    ]


def main() -> int:
    """Breaks things, prints the table; exit code 1 if a promise is broken."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.study.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="*", metavar="WHAT", help="kills, faults; both by default")
    parser.add_argument("--kills", type=int, default=20, help="how many; default: %(default)s")
    parser.add_argument("--each", type=int, default=5, help="times each fault; %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    options = parser.parse_args()
    if unknown := set(options.what) - {"kills", "faults"}:
        parser.error(f"{', '.join(sorted(unknown))}: choose of kills, faults")
    console = Console(stderr=True, highlight=False)
    rows: list[Promise] = []
    place = project_root() / "recordings"
    try:
        with tempfile.TemporaryDirectory(prefix="chaos-", dir=place) as name:
            for what in options.what or ["kills", "faults"]:
                folder = Path(name, what)
                folder.mkdir()
                if what == "kills":
                    losses = kill_batches(folder, options.kills, options.seed, console.print)
                    for line in (*losses.lost, *losses.doubled):
                        console.print(line, style="red")
                    rows += _loss_rows(losses)
                else:
                    rows += make_faults(folder, options.each, console.print)
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    console.print(promise_table("broken on purpose", rows))
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
