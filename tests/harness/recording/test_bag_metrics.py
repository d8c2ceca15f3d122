"""Figures from bags alone: equal to those recorded, and of bags that say little of themselves."""

import json
import math
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag1 import Reader

from harness.errors import DataError, UsageError
from harness.recording.bag_metrics import BagMetrics, measure_bag
from harness.recording.course import Given
from harness.recording.results import RESULT_NAME, Result
from harness.recording.run_ending import Ending, finish_recording
from harness.report.bag_sheet import json_sheet
from harness.spec.run import RunSpec
from tests.harness.bagmaker import (
    WALL_ORIGIN_S,
    Iteration,
    Pose,
    Recording,
    along,
    on_circle,
    write_bag,
)
from tests.harness.test_cli import harness
from worlds.circuit import load_circuit

SAMPLE = Path(__file__).parents[3] / "recordings/sample"
FREQUENCY = "published_brain_iterations_frequency_real_time"
SIMPLE_M = load_circuit("simple_circuit").centreline().length_m


def recorded_run(folder: Path, **arguments: object) -> Result:
    """A recording as a run leaves it: the result computed by the code that runs use."""
    spec = RunSpec.parse({"circuit": "simple_circuit", **arguments})
    folder.mkdir()
    poses = along(direction=spec.direction, metres=spec.laps * SIMPLE_M + 4.0, offset_m=0.1)
    write_bag(
        folder / "run.bag",
        Recording(
            poses=poses,
            iterations=[Iteration(i / 20.0, i / 20.0 + 0.01) for i in range(1, len(poses))],
            events=[{"event": "go", "sim_s": 0.0}],
            performance=[(1.0, 0.97), (2.0, 0.99)],
            metadata=spec.model_dump(),
            wall_of=lambda sim_s: 1.02 * sim_s,
        ),
        "lz4",
    )
    (folder / "command.sh").write_text("roslaunch\n")
    ending = Ending("completed", "")
    return finish_recording(folder, spec, ending, {}, datetime.now(UTC), {})


def study_bag(path: Path, poses: list[Pose], **metadata: str) -> Path:
    """A bag as the study's recorder left it: odometry and clock, stamped in simulated time."""
    return write_bag(
        path,
        Recording(
            poses=poses, metadata=metadata or None, wall_of=lambda sim_s: sim_s - WALL_ORIGIN_S
        ),
    )


def sheet(measured: BagMetrics) -> dict[str, object]:
    return dict(json.loads(json_sheet(measured)))


@pytest.mark.parametrize("arguments", [{}, {"direction": "reverse"}, {"laps": 2}])
def test_figures_are_those_recorded_to_the_last_digit(
    tmp_path: Path, arguments: dict[str, object]
) -> None:
    result = recorded_run(tmp_path / "run", **arguments)
    measured = measure_bag(tmp_path / "run")
    assert measured.outcome == "completed"
    assert measured.course.source == "as recorded"
    assert measured.metrics.laps == result.laps == arguments.get("laps", 1)
    assert measured.metrics.model_dump() == {
        name: value
        for name, value in result.model_dump().items()
        if name in type(measured.metrics).model_fields
    }
    assert measured.recorded_in == RESULT_NAME
    assert len(measured.recorded) > 35
    assert measured.different == ()
    assert measured.notes == ()


def test_a_figure_that_is_another_one_is_named(tmp_path: Path) -> None:
    recorded_run(tmp_path / "run")
    file = tmp_path / "run" / RESULT_NAME
    values = json.loads(file.read_text())
    values["lap_time_s"] = math.nextafter(values["lap_time_s"], 0.0)
    file.write_text(json.dumps(values))
    assert measure_bag(tmp_path / "run").different == ("lap_time_s",)
    done = harness("metrics", str(tmp_path / "run"))
    assert f"lap_time_s was {values['lap_time_s']}, is " in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("with_result", [True, False])
def test_a_figure_recorded_by_an_earlier_definition_is_no_difference(
    tmp_path: Path, with_result: bool
) -> None:
    folder = tmp_path / "sample"
    shutil.copytree(SAMPLE, folder)
    if not with_result:
        (folder / RESULT_NAME).unlink()
    measured = measure_bag(folder)
    assert measured.recorded_in == (RESULT_NAME if with_result else "/experiment_metrics")
    assert measured.recorded[FREQUENCY] == pytest.approx(195.118, abs=1e-3)
    assert getattr(measured.metrics, FREQUENCY) == pytest.approx(194.9305, abs=1e-4)
    assert measured.different == ()
    of_wall_time = (
        *("duration_wall_s", "control_rate_wall_hz", "real_time_factor"),
        *("real_time_factor_worst_second", "brain_share"),
    )
    redefined = (*(of_wall_time if with_result else ()), FREQUENCY)
    assert measured.redefined == redefined
    printed = harness("metrics", str(folder)).stdout
    assert "equal, to the last digit" in printed
    told = " ".join(printed.split())
    assert all(f"{name} had another definition" in told for name in redefined)


def test_the_sample_s_wall_time_began_before_go_and_begins_at_it_now() -> None:
    measured = measure_bag(SAMPLE)
    assert measured.recorded["real_time_factor"] == pytest.approx(0.95884, abs=1e-5)
    assert measured.metrics.real_time_factor == pytest.approx(0.97588, abs=1e-5)
    assert measured.recorded["real_time_factor_worst_second"] == pytest.approx(0.135, abs=1e-3)
    assert measured.metrics.real_time_factor_worst_second == pytest.approx(0.888, abs=1e-3)
    assert measured.recorded["duration_wall_s"] == pytest.approx(43.607, abs=1e-3)
    assert measured.metrics.duration_wall_s == pytest.approx(42.845, abs=1e-3)


def test_a_figure_of_neither_definition_is_a_difference(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    shutil.copytree(SAMPLE, folder)
    values = json.loads((folder / RESULT_NAME).read_text())
    values[FREQUENCY] = 195.2
    (folder / RESULT_NAME).write_text(json.dumps(values))
    measured = measure_bag(folder)
    assert measured.different == (FREQUENCY,)
    assert FREQUENCY not in measured.redefined


def test_without_a_result_the_study_s_names_in_the_bag_are_compared(tmp_path: Path) -> None:
    recorded_run(tmp_path / "run")
    alone = (tmp_path / "run" / "run.bag").rename(tmp_path / "alone.bag")
    measured = measure_bag(alone)
    assert (measured.recorded_in, measured.recorded) == (None, {})
    assert measured.outcome == "completed"


@pytest.mark.parametrize(
    ("world", "name", "direction"),
    [
        ("simple_circuit_no_wall.launch", "simple_circuit", "forward"),
        ("montreal_line.launch", "montreal", "reverse"),
    ],
)
def test_a_bag_of_the_study_names_its_world(
    tmp_path: Path, world: str, name: str, direction: str
) -> None:
    assert direction in ("forward", "reverse")
    poses = along(name, 200.0, direction="forward" if direction == "forward" else "reverse")
    bag = study_bag(tmp_path / "study.bag", poses, world=world, robot_type="f1")
    measured = measure_bag(bag)
    assert measured.course.circuit.name == name
    assert measured.course.direction == direction
    assert world in measured.course.source
    assert measured.outcome is None
    assert measured.metrics.progress_m == pytest.approx(200.0, abs=1e-3)
    assert measured.metrics.average_speed_m_s == pytest.approx(10.0, abs=1e-3)
    # Its records tell nothing of wall time, and a factor of 1 would be a lie.
    assert measured.metrics.real_time_factor is None
    assert measured.metrics.duration_wall_s is None
    assert any("simulated time" in note for note in measured.notes)


@pytest.mark.parametrize("name", ["simple_circuit", "montreal", "montmelo"])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_a_bag_of_odometry_alone_is_recognised_by_its_line(
    tmp_path: Path, name: str, direction: str
) -> None:
    poses = along(
        name, 260.0, direction="reverse" if direction == "reverse" else "forward", start_m=37.0
    )
    course = measure_bag(study_bag(tmp_path / "study.bag", poses)).course
    assert (course.circuit.name, course.direction) == (name, direction)
    assert course.start_station_m == pytest.approx(37.0, abs=1e-3)
    assert course.source.startswith("recognised: 100%")


def test_laps_are_as_many_as_the_bag_holds(tmp_path: Path) -> None:
    poses = along(metres=2.3 * SIMPLE_M, offset_m=-0.2, start_m=100.0)
    measured = measure_bag(study_bag(tmp_path / "study.bag", poses))
    assert (measured.course.laps, measured.outcome) == (2, "completed")
    assert measured.metrics.lap_times_s == pytest.approx([SIMPLE_M / 10.0] * 2, abs=1e-3)
    assert measured.metrics.deviation_bias_m == pytest.approx(-0.2, abs=1e-3)
    one = measure_bag(tmp_path / "study.bag", Given(laps=1))
    assert one.metrics.lap_times_s == measured.metrics.lap_times_s[:1]


def test_a_line_on_no_circuit_asks_for_one(tmp_path: Path) -> None:
    bag = study_bag(tmp_path / "study.bag", on_circle(4.0))
    with pytest.raises(DataError, match="say --circuit"):
        measure_bag(bag)
    given = measure_bag(bag, Given(circuit="montmelo"))
    assert (given.course.source, given.outcome) == ("as given", "off_track")
    with pytest.raises(UsageError, match="monza"):
        measure_bag(bag, Given(circuit="monza"))
    with pytest.raises(UsageError, match="forward or reverse"):
        measure_bag(bag, Given(direction="back"))
    with pytest.raises(UsageError, match="laps"):
        measure_bag(bag, Given(laps=0))


def test_across_a_hole_the_car_is_not_followed(tmp_path: Path) -> None:
    poses = along(metres=300.0)
    bag = study_bag(tmp_path / "study.bag", poses[:200] + poses[300:], world="simple_circuit")
    data = bytearray(bag.read_bytes())
    at = data.index(b"index_pos=") + len(b"index_pos=")
    data[at : at + 8] = bytes(8)
    bag.write_bytes(data)
    measured = measure_bag(bag)
    assert "it was never closed: it has no index" in measured.notes
    assert any(note.startswith("no odometry from 9.95 to 15.00") for note in measured.notes)
    assert measured.metrics.progress_m == pytest.approx(99.5, abs=1e-3)
    assert measured.outcome_reason.startswith("the bag ends 9.95 simulated s after go, at 99.5 m")
    assert sheet(measured)["outcome"] is None


def test_a_damaged_recording_says_what_is_lost_and_goes_as_far_as_it_can(tmp_path: Path) -> None:
    whole = recorded_run(tmp_path / "run")
    bag = tmp_path / "run" / "run.bag"
    parts = Recording(poses=along(metres=SIMPLE_M + 4.0), metadata=RunSpec().model_dump())
    write_bag(tmp_path / "parts.bag", parts, "lz4", chunk_bytes=100_000).replace(bag)
    with Reader(bag) as reader:
        fourth = sorted(reader.chunks)[3]
    bag.write_bytes(bag.read_bytes()[: fourth + 1000])
    measured = measure_bag(bag)
    assert measured.outcome is None
    assert measured.metrics.progress_m is not None and whole.progress_m is not None
    assert 0.2 < measured.metrics.progress_m / whole.progress_m < 0.8
    assert any("cut off" in note for note in measured.notes)
    done = harness("metrics", str(bag))
    assert "cut off" in done.stdout and done.returncode == 0


def test_json_holds_every_figure_and_stands_alone_on_stdout(tmp_path: Path) -> None:
    result = recorded_run(tmp_path / "run")
    done = harness("metrics", str(tmp_path / "run" / "run.bag"), "--json")
    values = json.loads(done.stdout)
    assert done.stderr == ""
    assert values["deviation_mae_m"] == result.deviation_mae_m
    assert values["odometry_sha256"] == result.odometry_sha256
    assert values["different"] == {}
    assert values["circuit_source"] == "as recorded"


def test_what_is_no_bag_is_said_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "notes.bag"
    text.write_text("hello\n")
    for path in (text, tmp_path, tmp_path / "none.bag"):
        done = harness("metrics", str(path))
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1


def test_odometry_that_is_no_number_is_refused(tmp_path: Path) -> None:
    poses = along(metres=20.0)
    poses[5] = Pose(poses[5].sim_s, np.nan, 0.0, 0.0)
    bag = study_bag(tmp_path / "study.bag", poses, world="simple_circuit.launch")
    with pytest.raises(DataError, match="not numbers"):
        measure_bag(bag)
