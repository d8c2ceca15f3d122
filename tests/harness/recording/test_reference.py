"""The study's deviation, against a copy of its reference lap."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.spatial import KDTree

from harness.errors import DataError
from harness.recording.bag_metrics import measure_bag
from harness.recording.log import read_run_log
from harness.recording.reference import read_reference
from tests.harness.bagmaker import (
    Floats,
    Pose,
    Recording,
    along,
    staircase,
    write_bag,
    write_reference,
)
from tests.harness.test_cli import harness
from worlds.circuit import Direction, load_circuit

SAMPLE = Path(__file__).parents[3] / "recordings/sample/run.bag"
SIMPLE_M = load_circuit("simple_circuit").centreline().length_m


def by_the_study(driven_m: Floats, references_m: Floats) -> float:
    """Its definition: mean of 1000 ** distance to the natural spline through the odometry."""
    fine = np.linspace(0.0, len(driven_m) - 1.0, 500 * len(driven_m))
    line_m = CubicSpline(np.arange(len(driven_m)), driven_m, bc_type="natural")(fine)
    nearest_m, _ = KDTree(line_m).query(references_m)
    return float(np.mean(1000.0**nearest_m))


def driven(poses: list[Pose]) -> Floats:
    return np.array([[pose.x_m, pose.y_m] for pose in poses])


def test_the_sample_against_a_line_traced_pixel_by_pixel(tmp_path: Path) -> None:
    points_m = staircase()
    bag = write_reference(tmp_path / "lap.bag", points_m)
    done = harness("metrics", str(SAMPLE), "--reference", str(bag), "--json")
    found = json.loads(done.stdout)["reference"]
    odometry = read_run_log(SAMPLE).odometry
    line_m = np.column_stack([odometry.x_m, odometry.y_m])
    assert found["deviation"] == pytest.approx(by_the_study(line_m, points_m), rel=1e-3)
    assert found["points"] == len(points_m)
    assert found["bag"] == str(bag)
    assert found["sha256"] == read_reference(bag).sha256
    # A pixel is 0.13 m wide: the staircase is off the line, and no car scores 1 by it.
    centre_m = load_circuit("simple_circuit").centreline()
    fine_m = centre_m.position(np.arange(0.0, centre_m.length_m, 0.5))
    assert found["floor"] == pytest.approx(by_the_study(fine_m, points_m), rel=1e-3)
    assert 1.2 < found["floor"] < found["deviation"]
    printed = harness("metrics", str(SAMPLE), "--reference", str(bag)).stdout
    assert str(found["deviation"]) in printed
    assert found["sha256"] in printed and "lap.bag" in printed


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("laps", [1, 2])
def test_every_point_counts_once_a_lap_in_both_directions(
    tmp_path: Path, direction: Direction, laps: int
) -> None:
    poses = along(metres=laps * SIMPLE_M + 3.0, direction=direction, offset_m=0.2, start_m=50.0)
    bag = write_bag(tmp_path / "run.bag", Recording(poses=poses))
    points_m = staircase()
    measured = measure_bag(bag, None, read_reference(write_reference(tmp_path / "r.bag", points_m)))
    assert measured.course.direction == direction and measured.outcome == "completed"
    assert measured.against is not None and measured.against.measured is not None
    assert measured.against.measured.points == pytest.approx(laps * len(points_m), abs=1)
    expected = by_the_study(driven(poses), points_m)
    assert measured.against.measured.deviation == pytest.approx(expected, rel=1e-3)


def test_of_a_lap_that_was_not_completed_the_points_passed_count(tmp_path: Path) -> None:
    poses = along(metres=100.0, offset_m=0.1, start_m=50.0)
    bag = write_bag(tmp_path / "run.bag", Recording(poses=poses))
    points_m = staircase()
    measured = measure_bag(bag, None, read_reference(write_reference(tmp_path / "r.bag", points_m)))
    line = load_circuit("simple_circuit").centreline()
    stations_m = np.array([line.project(point).s_m for point in points_m])
    passed = (stations_m >= 50.0) & (stations_m < 150.0)
    assert measured.against is not None and measured.against.measured is not None
    assert measured.against.measured.points == pytest.approx(passed.sum(), abs=1)
    expected = by_the_study(driven(poses), points_m[passed])
    assert measured.against.measured.deviation == pytest.approx(expected, rel=1e-3)


def test_what_is_no_reference_of_the_circuit_is_said_in_one_line(tmp_path: Path) -> None:
    line = staircase()
    clock_only = write_bag(tmp_path / "clock.bag", Recording(metadata={}))
    gap = np.concatenate([line[:500], line[700:]])
    bags = {
        "no reference lap of simple_circuit": write_reference(
            tmp_path / "other.bag", staircase("montmelo")
        ),
        "no whole lap of simple_circuit": write_reference(tmp_path / "gap.bag", gap),
        "has no /F1ROS/odom": clock_only,
        "not numbers": write_reference(tmp_path / "nan.bag", np.vstack([line, [np.nan, 0.0]])),
        "no such bag": tmp_path / "none.bag",
    }
    for words, bag in bags.items():
        done = harness("metrics", str(SAMPLE), "--reference", str(bag))
        assert (done.returncode, done.stdout) == (3, "")
        assert words in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_reference_far_from_a_lap_is_no_figure_of_another_size(tmp_path: Path) -> None:
    shifted = staircase() + np.array([150.0, 0.0])
    reference = read_reference(write_reference(tmp_path / "r.bag", shifted))
    with pytest.raises(DataError, match="lie off the asphalt"):
        reference.on(load_circuit("simple_circuit"), "forward")
