import functools
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from brains.model import ModelSpec
from harness.errors import BrainError
from harness.evaluation import evaluate as module
from harness.evaluation.evaluate import Plan, evaluate, float_baseline
from harness.evaluation.remote import Remote
from harness.evaluation.row import Row
from harness.evaluation.schedule import schedule

fake_remote = functools.partial(
    Remote, worker=(sys.executable, str(Path(__file__).with_name("fake_worker.py")))
)


def spec(name: str, **values: object) -> ModelSpec:
    fields = {"title": name, "family": "pilotnet", "backend": "fake", "brain": "x:Y", **values}
    return ModelSpec.model_validate({"name": name, **fields})


def run(*names: str, **plan: object) -> dict[str, Row]:
    wanted = Plan(**{"inferences": 50, "block": 10, **plan})  # type: ignore[arg-type]
    rows = evaluate([spec(name) for name in names], wanted, lambda *_: None, fake_remote)
    assert [row.model for row in rows] == list(names)
    return {row.model: row for row in rows}


def test_everybody_has_every_inference_in_interleaved_blocks() -> None:
    turns = list(schedule(["a", "b", "c"], inferences=95, block=20, seed=1))
    total: Counter[str] = Counter()
    for _, who, count in turns:
        total[who] += count
    assert total == {"a": 95, "b": 95, "c": 95}
    rounds = [[who for block, who, _ in turns if block == number] for number in range(5)]
    assert all(sorted(names) == ["a", "b", "c"] for names in rounds)
    assert len({tuple(names) for names in rounds}) > 1, "the order must change"
    assert [block for block, *_ in turns] == sorted(block for block, *_ in turns)
    assert turns == list(schedule(["a", "b", "c"], 95, 20, 1))


def test_rows_hold_what_was_measured() -> None:
    row = run("good-4")["good-4"]
    assert row.runnable and row.reason is None
    assert (row.inference_ms_median, row.inference_ms_p99, row.inferences) == (4.0, 4.0, 50)
    assert (row.mse, row.mae_v_m_s, row.circuits["loop"].frames) == (0.04, 1.0, 4)
    assert (row.size_mib, row.busy_cores, row.sparsity, row.unique_values) == (2.0, 1.0, 0.5, 16)
    assert row.speed_up is None


def test_a_model_that_dies_midway_gives_one_line_and_the_others_still_appear() -> None:
    rows = run("good-1", "dying-2", "broken-1", "good-3")
    assert [row.runnable for row in rows.values()] == [True, False, False, True]
    reason = rows["dying-2"].reason or ""
    assert "SIGKILL" in reason and "out of memory" in reason and "after 20 timed" in reason
    assert "\n" not in reason
    assert rows["broken-1"].reason == "DataError: its file is broken"
    assert rows["good-3"].inferences == 50
    assert rows["dying-2"].inference_ms_median is None


def test_a_hanging_model_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_TIMEOUT_S", 0.3)
    rows = run("hanging-1", "good-1")
    assert "did not answer within 0.3 s" in (rows["hanging-1"].reason or "")
    assert rows["good-1"].runnable


def test_a_model_that_cannot_run_here_is_not_started() -> None:
    absent = spec("good-1", needs=["no_such_engine"], extra="magic")
    (row,) = evaluate([absent], Plan(), lambda *_: None, fake_remote)
    assert not row.runnable
    assert "no_such_engine" in (row.reason or "") and "EXTRAS=magic" in (row.reason or "")


def test_bare_loops_are_compared_and_may_be_missing() -> None:
    rows = run("good-2", "drifting-2", "closed-2", bare=True)
    assert rows["good-2"].bare_ms_median == 1.0 and rows["good-2"].in_loop_ms_median == 3.0
    for name in ("good-2", "drifting-2"):
        assert (rows[name].bare_ratio, rows[name].in_loop_ratio) == (2.0, 3.0)
    assert rows["closed-2"].runnable and rows["closed-2"].bare_ratio is None
    assert "no bare loop" in (rows["closed-2"].bare_reason or "")


def test_the_float_baseline_is_the_first_network_with_the_same_reference() -> None:
    catalogue = [
        spec("explicit"),
        spec("tf", artifact="a"),
        spec("lite", artifact="b"),
        spec("torch", artifact="c", reference="torch.npz"),
        spec("quantised", artifact="d", reference="torch.npz"),
    ]
    found = [float_baseline(model, catalogue) for model in catalogue[1:]]
    assert found == ["tf", "tf", "torch", "torch"]


def state(remote: Remote) -> str:
    return Path(f"/proc/{remote.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_process_is_stopped_while_it_is_not_asked() -> None:
    with fake_remote("good-1") as remote:
        for _ in range(3):
            remote.ask(10.0, "judge")
            deadline_s = time.monotonic() + 5.0
            while state(remote) != "T" and time.monotonic() < deadline_s:
                time.sleep(0.01)
            assert state(remote) == "T"
        pid = remote.pid
    assert not Path(f"/proc/{pid}").exists()


def test_a_dead_process_is_told_by_how_it_ended() -> None:
    worker = (sys.executable, "-c", "import sys; print('no licence', file=sys.stderr); sys.exit(3)")
    with (
        Remote("x", worker=worker) as remote,
        pytest.raises(BrainError, match="exit code 3: no licence"),
    ):
        remote.ask(10.0, "judge")
