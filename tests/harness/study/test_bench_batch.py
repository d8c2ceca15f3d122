"""The row of laps an hour."""

import json

import pytest

from harness.batch.plan import PlanFile
from harness.errors import HarnessError
from harness.study import bench_batch


def _results(*outcomes: str) -> str:
    return json.dumps({f"run-{i}": {"outcome": outcome} for i, outcome in enumerate(outcomes)})


def test_laps_an_hour_count_the_whole_command() -> None:
    row = bench_batch.promise_of(_results(*["completed"] * 8), "", taken_s=57.6)
    assert row.measured == "500"
    assert row.kept
    assert not bench_batch.promise_of(_results(*["completed"] * 8), "", taken_s=58.0).kept


def test_a_lap_that_was_not_completed_breaks_the_promise() -> None:
    row = bench_batch.promise_of(_results(*["completed"] * 7, "stuck"), "", taken_s=25.2)
    assert row.measured == "1000 (7 of 8 completed)"
    assert not row.kept


def test_a_batch_without_results_is_told_in_its_own_words() -> None:
    with pytest.raises(HarnessError, match="it last said: error: no snakemake"):
        bench_batch.promise_of("", "some line\nerror: no snakemake\n", taken_s=1.0)


def test_its_plan_is_one() -> None:
    (block,) = PlanFile.model_validate(bench_batch._PLAN).blocks()
    assert (block.kept_clock(), block.repetitions) == ("lockstep", 8)
