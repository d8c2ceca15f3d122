"""Plans, their runs and what is said of them; nothing is driven here."""

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from brains.catalogue import model_names
from harness.batch.attempt import ATTEMPTS, is_finished, put_aside
from harness.batch.board import Board
from harness.batch.jobs import Job, expand, profiles_to_measure
from harness.batch.overhead import scheduler_overhead_s
from harness.batch.pace import Pace, guess_s, in_words
from harness.batch.plan import Plan, plan_schema, read_plan
from harness.batch.study import Study, exit_code
from harness.errors import DataError, UnavailableError, UsageError
from harness.paths import project_root
from harness.recording.provenance import collect_provenance
from harness.recording.results import Outcome, Result, asked, write_result
from harness.run.processes import RUN_ID, end_runs_in, processes_of_runs_in

PLAN = """\
models: [explicit, tflite_dynamic]
circuits: [simple_circuit]
repetitions: 3
latency: fixed:20
"""


def plan_of(tmp_path: Path, text: str = PLAN) -> Plan:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return read_plan(path)


def jobs_of(tmp_path: Path, text: str = PLAN) -> tuple[Job, ...]:
    return expand(plan_of(tmp_path, text), tmp_path / "out").jobs


def finish(job: Job, outcome: Outcome = "completed", **changes: object) -> Result:
    """Writes the result that driving the run would have written."""
    words = ["roslaunch", "harness", "circuit.launch", *job.spec.launch_arguments()]
    result = Result(
        **asked(job.spec),
        outcome=outcome,
        timeout_s=75.0,
        command=" ".join(words),
        started_at=datetime.now(UTC),
        provenance=collect_provenance(project_root()),
    )
    job.folder.mkdir(parents=True, exist_ok=True)
    result = result.model_copy(update=changes)
    write_result(result, job.folder / "result.json")
    return result


def test_the_shipped_schema_is_that_of_the_code() -> None:
    shipped = project_root() / "harness" / "batch" / "plan.schema.json"
    assert json.loads(shipped.read_text()) == plan_schema()


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("models: [explicit, tflite]\ncircuits: [monza]\n", ":2:12", "simple_circuit"),
        ("models: [explicit, tflight]\ncircuits: [montreal]\n", ":1:20", "tflite_dynamic"),
        ("models: [all]\ncircuits: [montreal]\nlap: 3\n", ":3:6", "lap"),
        ("models: [all]\ncircuits: [montreal]\nruns:\n  - seed: -1\n", ":4:11", "runs.0.seed"),
        ("models: [all]\ncircuits: [montreal]\nlatency: fixed:x\n", ":3:10", "milliseconds"),
        ("models: [all]\ncircuits: [montreal]\nclock: fast\nlaps: 0\n", ":3:8", "(and 1 more)"),
        ("models: [all]\n", "", "circuits"),
    ],
)
def test_an_error_in_a_plan_names_its_line(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        plan_of(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'study.yaml'}{place}: ")
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("seed: 4294967295", "seed"),
        ("seed: 2147483646", "seed of the last repetition, 2147483648"),
        ("laps: 4294967295", "laps"),
        ("timeout_s: .inf", "timeout_s"),
        ("wall_timeout_s: .inf", "wall_timeout_s"),
    ],
)
def test_numbers_that_no_run_can_take_are_refused(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        plan_of(tmp_path, f"{PLAN}{line}\n")
    assert "\n" not in str(caught.value)


def test_simulated_latency_needs_lockstep(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lockstep"):
        plan_of(tmp_path, PLAN + "clock: realtime\n")


@pytest.mark.parametrize("text", ["models: [", "\x00"])
def test_a_plan_that_is_no_yaml(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="no YAML"):
        plan_of(tmp_path, text)


def test_repetitions_are_paired_over_the_models(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    assert [job.name for job in jobs] == [
        f"{model}-simple_circuit-{repetition:02d}"
        for repetition in (1, 2, 3)
        for model in ("explicit", "tflite_dynamic")
    ]
    for first, second in zip(jobs[::2], jobs[1::2], strict=True):
        assert (first.spec.start, first.spec.seed) == (second.spec.start, second.spec.seed)
    assert len({job.spec.start for job in jobs}) == 3
    assert jobs[0].spec.start == "default"


def test_more_repetitions_later_leave_the_first_as_they_were(tmp_path: Path) -> None:
    longer = jobs_of(tmp_path, PLAN.replace("repetitions: 3", "repetitions: 5"))
    assert longer[:6] == jobs_of(tmp_path)


def test_lockstep_is_the_default_where_latency_is_simulated(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, PLAN + "runs:\n  - {name: sim}\n  - {name: wall, latency: measured}\n")
    clocks = {(job.name.split("-")[0], job.spec.clock, job.alone) for job in jobs}
    assert clocks == {("sim", "lockstep", False), ("wall", "realtime", True)}


def test_lockstep_with_measured_latency_has_the_machine_for_itself(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, PLAN.replace("fixed:20", "measured") + "clock: lockstep\n")
    assert {(job.spec.clock, job.alone) for job in jobs} == {("lockstep", True)}


def test_two_entries_with_the_same_runs_need_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names"):
        jobs_of(tmp_path, PLAN + "runs: [{laps: 1}, {laps: 2}]\n")


def test_groups_and_what_can_not_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITWALL_WEIGHTS", str(tmp_path))  # an empty folder: no network can run
    plan = plan_of(tmp_path, "models: [all]\ncircuits: [simple_circuit]\n")
    found = expand(plan, tmp_path)
    assert [job.spec.model for job in found.jobs] == ["explicit"]
    assert any("tflite_dynamic" in line for line in found.left_out)
    elsewhere = expand(plan, tmp_path, here=False)
    assert len(elsewhere.jobs) == len(model_names()) - 1  # `null` only measures the harness
    with pytest.raises(UnavailableError, match="tflite_dynamic"):
        jobs_of(tmp_path)


def test_each_model_has_its_own_profile(tmp_path: Path) -> None:
    profiles = tmp_path / "profiles"
    text = PLAN.replace("fixed:20", f"profile\nprofiles: {profiles}")
    jobs = jobs_of(tmp_path, text)
    assert {job.spec.latency for job in jobs} == {
        f"profile:{profiles}/explicit.json",
        f"profile:{profiles}/tflite_dynamic.json",
    }
    profiles.mkdir()
    (profiles / "explicit.json").touch()
    missing = (profiles / "tflite_dynamic.json", "tflite_dynamic")
    assert list(profiles_to_measure(jobs)) == [missing]


def test_guesses_are_corrected_by_what_runs_took(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    pace = Pace(slots=2)
    guessed_s = pace.left_s(jobs)
    assert guessed_s == pytest.approx(6 * guess_s(jobs[0].spec) / 2)
    result = finish(jobs[0])
    ended_s = result.started_at.timestamp() + 3.0 * guess_s(jobs[0].spec)
    os.utime(jobs[0].folder / "result.json", (ended_s, ended_s))
    pace.finished(jobs[0], result)
    assert pace.left_s(jobs) == pytest.approx(3.0 * guessed_s, rel=1e-4)


def test_durations_in_words() -> None:
    assert [in_words(s) for s in (45, 700, 12000)] == ["45 s", "12 min", "3 h 20 min"]


def test_the_board_counts_and_waits_with_errors_of_the_harness(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    with Console(quiet=True).capture(), Board(jobs, 2, Console(quiet=True)) as board:
        finish(jobs[0])
        finish(jobs[1], "harness_error")
        finish(jobs[2], "off_track")
        board.refresh()
        assert board.summary().startswith("2 of 6 finished (1 completed, 1 off_track), about")
        board.hear(f"error: {jobs[3].name}: the disk is full")
        board.settle()
    assert board.results[jobs[1].name].outcome == "harness_error"
    assert [job.name for job in board.missing] == [job.name for job in jobs[3:]]
    assert board.failures == {jobs[3].name: "the disk is full"}


def test_a_harness_error_is_not_finished_and_is_put_aside(tmp_path: Path) -> None:
    job = jobs_of(tmp_path)[0]
    for attempt in ("1", "2"):
        finish(job, "harness_error", outcome_reason=f"attempt {attempt}")
        assert not is_finished(job.folder)
        put_aside(job)
        assert [path.name for path in job.folder.iterdir()] == [ATTEMPTS]
        kept = json.loads((job.folder / ATTEMPTS / attempt / "result.json").read_text())
        assert kept["outcome_reason"] == f"attempt {attempt}"
    finish(job, "brain_error")
    assert is_finished(job.folder)


def test_a_finished_batch_drives_nothing_and_an_altered_plan_is_told(tmp_path: Path) -> None:
    for job in jobs_of(tmp_path):
        finish(job)
    study = Study.of(plan_of(tmp_path), tmp_path / "out")
    assert study.preview()[-1].startswith("0 runs to drive (6 done)")
    assert len(study.run(Console(quiet=True))) == 6
    assert not (tmp_path / "out" / ".snakemake").exists()
    altered = Study.of(plan_of(tmp_path, PLAN + "laps: 2\n"), tmp_path / "out")
    with pytest.raises(UsageError, match="laps:=2"):
        altered.run(Console(quiet=True))


def test_a_batch_knows_its_runs_of_version_1_and_none_that_tells_no_arguments(
    tmp_path: Path,
) -> None:
    jobs = jobs_of(tmp_path)
    for job in jobs:
        finish(job)
        file = job.folder / "result.json"
        values = json.loads(file.read_text()) | {"schema_version": 1}
        del values["spec"]
        file.write_text(json.dumps(values))
    study = Study.of(plan_of(tmp_path), tmp_path / "out")
    assert len(study.run(Console(quiet=True))) == 6
    file.write_text(json.dumps(values | {"command": "true"}))
    with pytest.raises(UsageError, match=rf"{jobs[-1].name} does not say how it was driven"):
        study.run(Console(quiet=True))


def test_conditions_of_a_plan_are_a_mapping_or_text(tmp_path: Path) -> None:
    for text in (
        "conditions: {gusts: 0.5, camera_noise: 8}",
        "conditions: gusts=0.5,camera_noise=8",
    ):
        jobs = jobs_of(tmp_path, f"{PLAN}{text}\n")
        assert {job.spec.conditions for job in jobs} == {"camera_noise=8,gusts=0.5"}
    assert {job.spec.conditions for job in jobs_of(tmp_path)} == {""}
    for text, said in (
        ("conditions: {fog: 1}", "unknown condition 'fog'"),
        ("conditions: {gusts: 9}", "gusts=9: it takes 0 to 5"),
        ("conditions: gusts", "write name=level"),
        ("latency: measured\nconditions: {latency_jitter_ms: 5}", "measured latency has its own"),
        ("models: [expert]\nconditions: {camera_blur: 5}", "the expert answers poses alone"),
    ):
        with pytest.raises(UsageError, match=said) as caught:
            plan_of(tmp_path, f"{PLAN}{text}\n")
        assert "\n" not in str(caught.value)


def test_chosen_outcomes_are_driven_again(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path)
    outcomes: list[Outcome] = ["completed", "brain_error", "stuck", "stuck", "completed", "stuck"]
    for job, outcome in zip(jobs, outcomes, strict=True):
        finish(job, outcome)
    plan, output = plan_of(tmp_path), tmp_path / "out"
    study = Study.of(plan, output, again=["stuck", "brain_error"])
    assert study.preview()[-1].startswith("4 runs to drive (2 done)")
    with pytest.raises(UsageError, match="wrong_way"):
        Study.of(plan, output, again=["crashed"])


def test_exit_codes(tmp_path: Path) -> None:
    job = jobs_of(tmp_path)[0]
    codes = {
        outcome: exit_code({"run": finish(job, outcome)}, asked=1)
        for outcome in ("completed", "stuck", "timeout", "brain_error", "harness_error")
    }
    assert codes == {"completed": 0, "stuck": 0, "timeout": 0, "brain_error": 6, "harness_error": 5}
    assert exit_code({"run": finish(job)}, asked=2) == 5


def test_processes_of_a_batch_are_found_and_ended_exactly(tmp_path: Path) -> None:
    def sleeper(run_id: Path) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(["sleep", "60"], env={**os.environ, RUN_ID: str(run_id)})

    batch, run = sleeper(tmp_path / "a"), sleeper(tmp_path / "a" / "run")
    with sleeper(tmp_path / "ab") as stranger:
        assert set(processes_of_runs_in(tmp_path / "a")) == {batch.pid, run.pid}
        end_runs_in(tmp_path / "a")
        assert processes_of_runs_in(tmp_path / "a") == []
        assert stranger.poll() is None
        stranger.kill()
    assert (batch.wait(), run.wait()) == (-15, -15)


@pytest.mark.parametrize("name", ["plain", "a b 'ü\" {x} $HOME *"])
def test_case_23_null_runs_through_snakemake_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    assert scheduler_overhead_s(runs=3) > 0.0


def test_a_second_batch_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "out"
    hold = "import sys, time\nfrom pathlib import Path\nfrom harness.batch.runner import claimed\n"
    hold += "with claimed(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(output)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        study = Study.of(plan_of(tmp_path), output)
        with pytest.raises(UsageError, match="another batch"):
            study.run(Console(quiet=True))
        holder.kill()


CARD = """\
network: net.tflite
sees:
  image: {size: [200, 66], scale: 1/255}
says:
  v: {index: 0}
  w: {index: 1}
"""


def test_networks_of_ones_own_in_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "other"):
        folder.mkdir(exist_ok=True)
        (folder / "net.yaml").write_text(CARD)
        kept = project_root() / "brains" / "weights" / "pitwall_fast.tflite"
        (folder / "net.tflite").write_bytes(kept.read_bytes())
    text = "models: [{}]\ncircuits: [simple_circuit]\n"
    (job,) = jobs_of(tmp_path, text.format("net.yaml"))
    assert (job.name, job.spec.model) == ("net-simple_circuit-01", f"{tmp_path}/net.yaml")
    assert finish(job).model == "net"
    # Those versions that are not made yet are left out of a group, and named by themselves refused.
    assert [job.spec.model for job in jobs_of(tmp_path, text.format("net/all"))] == [
        f"{tmp_path}/net.yaml"
    ]
    with pytest.raises(UnavailableError, match=r"harness optimize .*/net\.yaml/onnx_fp32"):
        jobs_of(tmp_path, text.format("net/onnx_fp32"))
    with pytest.raises(UsageError, match="two networks are called net"):
        jobs_of(tmp_path, text.format("net.yaml, other/net.yaml"))
