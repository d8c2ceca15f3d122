"""What a report of many recordings costs: `python -m harness.report.many RUN COUNT`."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.recording.results import RESULT_NAME, read_result
from harness.report.digest import DigestCache, keep
from harness.report.found import find_runs
from harness.report.groups import Run
from harness.report.page import build_page
from harness.report.table import Report

_MODELS = 20


@dataclass(frozen=True)
class Cost:
    """What one report took.

    Attributes:
        recordings: How many it read.
        taken_s: Wall seconds from the folder to the page.
        peak_mib: The most memory that its process held.
    """

    recordings: int
    taken_s: float
    peak_mib: float


def report_cost(recording: Path, count: int) -> Cost:
    """Report on many copies of a recording in a process of its own, their digests kept.

    Args:
        recording: A recording's folder.
        count: How many, as runs of 20 models.

    Raises:
        HarnessError: The report could not be made.
    """
    command = [sys.executable, "-m", "harness.report.many", str(recording), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise HarnessError(f"the report of {count} recordings failed: {last}")
    return Cost(**json.loads(done.stdout))


def _measure(recording: Path, count: int) -> Cost:
    result = read_result(recording)
    with tempfile.TemporaryDirectory(prefix="pitwall-many-") as temporary:
        digests = DigestCache(Path(temporary, "digests"))
        digest = digests.of(Run("", result, recording))
        for number in range(count):
            folder = Path(temporary, "runs", f"{number:05}")
            folder.mkdir(parents=True)
            (folder / str(result.bag)).symlink_to(recording / str(result.bag))
            named = {"model": f"model{number % _MODELS}", "seed": number // _MODELS}
            spec = result.spec and result.spec.model_copy(update=named)
            own = {**named, "spec": spec, "odometry_sha256": f"{number:064}"}
            copy = result.model_copy(update=own)
            (folder / RESULT_NAME).write_text(copy.to_json())
            keep(digest, digests.path_of(Run("", copy, folder)))
        started_s = time.monotonic()
        found = find_runs([Path(temporary, "runs")])
        build_page(Report.of(found.runs, found.notes), digests, lambda _done, _of: None)
        taken_s = time.monotonic() - started_s
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Cost(len(found.runs), taken_s, peak_kib / 1024.0)


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(Path(sys.argv[1]).resolve(), int(sys.argv[2])))))
