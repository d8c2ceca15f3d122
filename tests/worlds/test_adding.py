"""Lines far away, too small, or driven: what becomes of them."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.errors import DataError
from worlds.centreline import Centreline
from worlds.circuit import Circuit, carried, circuit_of_run
from worlds.custom import MIN_RADIUS_M, as_yaml, circuit_of
from worlds.driven import traced_lap
from worlds.generator import generate_world
from worlds.traced import Traced

Points = NDArray[np.float64]

ANGLE = np.linspace(0.0, 2 * np.pi, 120, endpoint=False)
BEAN = (40 + 8 * np.cos(2 * ANGLE) + 4 * np.sin(3 * ANGLE))[:, None] * np.column_stack(
    [np.cos(ANGLE), np.sin(ANGLE)]
)


def traced(points: Points) -> Traced:
    return Traced(points, tuple(f"line {i + 2}" for i in range(len(points))), "mine.csv")


@pytest.mark.parametrize("origin_m", [(362_430.0, 5_577_690.0), (90_000.0, -43_000.0)])
def test_case_10_far_coordinates_are_moved_to_the_origin(origin_m: tuple[float, float]) -> None:
    made = circuit_of(traced(BEAN + origin_m), name="mine")
    control = np.array(made.circuit.control_points)
    middle = (control.min(axis=0) + control.max(axis=0)) / 2
    assert np.abs(middle).max() <= 0.5
    x_m, y_m = made.circuit.map_origin_m
    (note,) = made.notes
    assert note.startswith(f"moved by ({-x_m:.0f}, {-y_m:.0f}) m")
    # Mapped back it is the same line, to the millimetre to which control points are written.
    line = made.circuit.centreline()
    away_m = [
        line.project(point - made.circuit.map_origin_m).lateral_m for point in BEAN + origin_m
    ]
    assert np.abs(away_m).max() < 0.021
    near = circuit_of(traced(BEAN), name="mine").circuit
    assert line.length_m == pytest.approx(near.centreline().length_m, abs=0.01)


def test_case_10_near_coordinates_stay_where_they_are() -> None:
    made = circuit_of(traced(BEAN + np.array([700.0, -300.0])), name="mine")
    assert made.circuit.map_origin_m == (0.0, 0.0)
    assert made.notes == ()


def test_case_10_the_last_point_is_the_first_only_if_it_lies_there() -> None:
    # 5,577,690 times a relative tolerance of 1e-5 would be 56 m.
    points = BEAN + np.array([362_430.0, 5_577_690.0])
    line = Centreline.from_control_points(points)
    assert line.length_m == pytest.approx(Centreline.from_control_points(BEAN).length_m, abs=1e-5)
    closed = Centreline.from_control_points(np.vstack([points, points[:1]]))
    assert closed.length_m == pytest.approx(line.length_m, abs=1e-9)


def test_case_10_poses_are_written_to_the_millimetre(tmp_path: Path) -> None:
    made = circuit_of(traced(BEAN + np.array([712.3456, -2000.0])), name="mine")
    world = generate_world(made.circuit, tmp_path).read_text()
    start = made.circuit.start()
    found = re.search(r'<model name="f1">\s*<pose>(\S+) (\S+) ', world)
    assert found is not None
    x_m, y_m = map(float, found.groups())
    assert (x_m, y_m) == pytest.approx((start.x_m, start.y_m), abs=5.1e-4)


def test_case_10_a_far_circuit_of_old_is_refused_at_the_world(tmp_path: Path) -> None:
    circuit = Circuit(
        name="far",
        title="far",
        control_points=tuple((float(x), float(y)) for x, y in BEAN + 90_000.0),
        asphalt_width_m=3.35,
        time_limit_s=60,
    )
    with pytest.raises(DataError, match=r"far: lies up to 90\.\d km from the origin"):
        generate_world(circuit, tmp_path)


def test_a_small_map_is_told_the_scale_that_would_do() -> None:
    small = BEAN / 30
    with pytest.raises(DataError) as caught:
        circuit_of(traced(small), name="mine")
    message = str(caught.value)
    assert "needs at least 1.14 m" in message
    found = re.search(r"--scale (\S+) would do: a lap of (\d+) m", message)
    assert found is not None
    scale = float(found[1])
    made = circuit_of(traced(small), name="mine", scale=scale)
    line = made.circuit.centreline()
    assert line.length_m == pytest.approx(float(found[2]), abs=1.0)
    assert 1 / np.abs(line.curvatures_1_m).max() >= MIN_RADIUS_M
    assert made.circuit.map_scale == scale
    with pytest.raises(DataError, match="--scale"):
        circuit_of(traced(small), name="mine", scale=scale - 0.2)


def test_the_scale_counts_from_the_source() -> None:
    with pytest.raises(DataError) as once:
        circuit_of(traced(BEAN / 30), name="mine")
    with pytest.raises(DataError) as twice:
        circuit_of(traced(BEAN / 60), name="mine", scale=2.0)
    first, second = (re.search(r"--scale (\S+)", str(one.value)) for one in (once, twice))
    assert first is not None
    assert second is not None
    assert float(second[1]) == pytest.approx(2 * float(first[1]))


def test_a_crossing_is_promised_no_scale() -> None:
    angle = ANGLE + 0.02
    eight = np.column_stack([30 * np.sin(angle), 15 * np.sin(2 * angle)])
    with pytest.raises(DataError) as caught:
        circuit_of(traced(eight), name="mine")
    assert "crosses itself" in str(caught.value)
    assert "--scale" not in str(caught.value)


def driven(laps: float, drift_m: float = 0.0, noise_m: float = 0.0) -> Points:
    """A drive round the bean, sampled unevenly; each lap ends `drift_m` further out."""
    count = round(900 * laps)
    turns = np.linspace(0.0, laps, count) + 0.0003 * np.sin(np.arange(count))
    line = Centreline.from_control_points(BEAN)
    heading = line.heading(turns * line.length_m)
    out = np.column_stack([np.sin(heading), -np.cos(heading)]) * (turns * drift_m)[:, None]
    noise = np.random.default_rng(3).normal(0.0, noise_m, (count, 2))
    return np.asarray(line.position(turns * line.length_m) + out + noise)


@pytest.mark.parametrize("laps", [1.0, 1.02, 2.6])
@pytest.mark.parametrize("drift_m", [0.0, 0.4])
def test_case_05_the_driven_lap_becomes_the_line(laps: float, drift_m: float) -> None:
    line = traced_lap(driven(laps, drift_m=drift_m, noise_m=0.01), "run.bag")
    circuit = circuit_of(line, name="mine").circuit
    true = Centreline.from_control_points(BEAN)
    away_m = np.array([true.project(p).lateral_m for p in circuit.centreline().points_m[::20]])
    assert np.abs(away_m).max() < drift_m + 0.1
    assert circuit.centreline().length_m == pytest.approx(true.length_m + np.pi * drift_m, abs=0.5)
    bend = np.abs(circuit.centreline().curvatures_1_m).max()
    assert bend < 1.5 * np.abs(true.curvatures_1_m).max()
    assert f"lap 1 of {max(1, int(laps))}, " in line.notes[0]


def test_case_05_the_way_to_the_lap_is_left_out() -> None:
    lap = driven(1.3)
    way_in = lap[0] + np.array([0.9, -0.4]) * np.linspace(30.0, 0.1, 90)[:, None]
    standing = np.repeat(way_in[:1], 40, axis=0)
    line = traced_lap(np.vstack([standing, way_in, lap]), "run.bag")
    found = re.fullmatch(r"it begins (\d+) m after the bag's first position", line.notes[1])
    assert found is not None
    assert int(found[1]) == pytest.approx(30, abs=4)
    length_m = circuit_of(line, name="mine").circuit.centreline().length_m
    assert length_m == pytest.approx(Centreline.from_control_points(BEAN).length_m, abs=0.5)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        (driven(0.9), "holds no whole lap: it drives"),
        (np.zeros((50, 2)), "the car does not move"),
        (np.column_stack([np.arange(90.0), np.zeros(90)]), "ends 8.* m from its beginning"),
    ],
)
def test_case_05_no_whole_lap(path: Points, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        traced_lap(path, "run.bag")


def circuit(points: Points = BEAN) -> Circuit:
    return circuit_of(traced(points), name="mine").circuit


def test_case_11_the_fingerprint_is_of_what_is_driven() -> None:
    assert circuit().sha256() == circuit().sha256()
    mine = circuit()
    for same in ({"name": "yours"}, {"title": "Yours"}, {"source": "elsewhere.csv"}):
        assert mine.model_copy(update=same).sha256() == mine.sha256()
    for other in ({"asphalt_width_m": 3.0}, {"wall_height_m": 1.0}, {"kerbs": True}):
        assert mine.model_copy(update=other).sha256() != mine.sha256()
    assert circuit(BEAN * 1.01).sha256() != circuit().sha256()


def test_case_11_a_run_carries_its_circuit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITWALL_CIRCUITS", str(tmp_path))
    mine, other = circuit(), circuit(BEAN * 1.1)
    told = carried(mine)
    assert circuit_of_run("mine", told) == (
        mine,
        "circuit 'mine' is not here: the run carries its own",
    )
    (tmp_path / "mine.yaml").write_text(as_yaml(mine))
    assert circuit_of_run("mine", told) == (mine, "")
    (tmp_path / "mine.yaml").write_text(as_yaml(other))
    driven_on, differs = circuit_of_run("mine", told)
    assert driven_on == mine
    assert differs == "circuit 'mine' is another one here: the figures are on the one it drove"
    # A run of before carries none.
    assert circuit_of_run("mine", None) == (other, "")
    with pytest.raises(DataError, match="the circuit that the run carries is none: "):
        circuit_of_run("mine", {"name": "mine"})
