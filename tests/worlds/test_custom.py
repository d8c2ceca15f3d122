"""Adding a circuit: every way a CSV can be wrong is one clear line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from harness.errors import DataError, UsageError
from tests.worlds.loops import loops
from worlds.centreline import Centreline
from worlds.circuit import Circuit, circuit_names, load_circuit
from worlds.custom import Made, as_yaml, circuit_of, control_points
from worlds.traced import read_traced

Points = NDArray[np.float64]


def ring(count: int = 60, radius_m: float = 20.0, turns: float = 1.0) -> Points:
    angle = np.arange(count) * turns * 2 * np.pi / count
    return radius_m * np.column_stack([np.cos(angle), np.sin(angle)])


def csv_of(folder: Path, points: Points, header: str = "x,y") -> Path:
    path = folder / "mine.csv"
    rows = "\n".join(f"{x:.6f},{y:.6f}" for x, y in points)
    path.write_text(f"{header}\n{rows}\n")
    return path


def made(path: Path, **options: Any) -> Made:
    return circuit_of(read_traced(path), name="mine", **options)


def complaint(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        made(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_good_line_becomes_a_circuit(tmp_path: Path) -> None:
    circuit = made(csv_of(tmp_path, ring()), asphalt_width_m=3.0).circuit
    assert circuit.centreline().length_m == pytest.approx(2 * np.pi * 20, abs=0.1)
    path = tmp_path / "mine.yaml"
    path.write_text(as_yaml(circuit))
    assert Circuit.from_yaml(path) == circuit


def test_an_added_circuit_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITWALL_CIRCUITS", str(tmp_path))
    circuit = made(csv_of(tmp_path, ring())).circuit
    (tmp_path / "mine.yaml").write_text(as_yaml(circuit))
    assert "mine" in circuit_names()
    assert load_circuit("mine") == circuit
    with pytest.raises(UsageError, match=r"unknown circuit 'yours'; known: .*mine"):
        load_circuit("yours")


def test_missing_file(tmp_path: Path) -> None:
    assert "No such file" in complaint(tmp_path / "none.csv")


def test_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "picture.csv"
    path.write_bytes(b"\x89PNG\xff\xfe\x00")
    assert "not a text file" in complaint(path)


def test_no_columns(tmp_path: Path) -> None:
    assert "no columns x and y among a, b" in complaint(csv_of(tmp_path, ring(), header="a,b"))
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert "no rows of numbers" in complaint(empty)


@pytest.mark.parametrize("row", ["1.0,left", "1.0", "1.0,"])
def test_not_numbers(tmp_path: Path, row: str) -> None:
    path = csv_of(tmp_path, ring())
    path.write_text(path.read_text() + row + "\n")
    assert "line 62 has no numbers x and y" in complaint(path)


def test_not_finite(tmp_path: Path) -> None:
    points = ring()
    points[4, 1] = np.inf
    assert "line 6 is not finite" in complaint(csv_of(tmp_path, points))


def test_too_few_points(tmp_path: Path) -> None:
    assert "only 9 points" in complaint(csv_of(tmp_path, ring(9)))


def test_not_closed(tmp_path: Path) -> None:
    assert "not closed" in complaint(csv_of(tmp_path, ring(turns=0.8)))


def test_closing_point_given_twice_is_fine(tmp_path: Path) -> None:
    points = ring()
    circuit = made(csv_of(tmp_path, np.vstack([points, points[:1]]))).circuit
    assert circuit.centreline().length_m == pytest.approx(2 * np.pi * 20, abs=0.1)


def test_duplicate_points(tmp_path: Path) -> None:
    points = ring()
    points[7] = points[3]
    assert "line 5 and line 9 are the same point" in complaint(csv_of(tmp_path, points))


def test_self_crossing_is_named_with_its_place(tmp_path: Path) -> None:
    angle = np.arange(80) * 2 * np.pi / 80 + 0.02
    eight = np.column_stack([100 + 30 * np.sin(angle), 50 + 15 * np.sin(2 * angle)])
    message = complaint(csv_of(tmp_path, eight))
    assert "crosses itself near (100.0, 50.0)" in message


def test_too_tight_a_turn(tmp_path: Path) -> None:
    # An ellipse's ends bend with radius b^2 / a = 0.9 m.
    angle = np.arange(400) * 2 * np.pi / 400
    ellipse = np.column_stack([40 * np.cos(angle), 6 * np.sin(angle)])
    message = complaint(csv_of(tmp_path, ellipse))
    assert "turn of radius 0.90 m at station" in message
    assert "needs at least 1.14 m" in message


def test_legs_too_close(tmp_path: Path) -> None:
    x = np.linspace(0, 40, 41)
    turn = np.linspace(-np.pi / 2, np.pi / 2, 15)[1:-1]
    legs = np.concatenate(
        [
            np.column_stack([x, np.zeros_like(x)]),
            np.column_stack([40 + 1.5 * np.cos(turn), 1.5 + 1.5 * np.sin(turn)]),
            np.column_stack([x[::-1], np.full_like(x, 3.0)]),
            np.column_stack([-1.5 * np.cos(turn), 1.5 - 1.5 * np.sin(turn)]),
        ]
    )
    message = complaint(csv_of(tmp_path, legs))
    assert "apart, closer than the asphalt's 3.35 m" in message
    assert made(csv_of(tmp_path, legs), asphalt_width_m=2.0)


@settings(max_examples=15)
@given(loops())
def test_fewer_control_points_keep_the_curve(points: Points) -> None:
    line = Centreline.from_control_points(Centreline.from_control_points(points).points_m[::10])
    control = next(control_points(line, line.points_m[::10]))
    _, off_m = Centreline.from_control_points(control).project_many(line.points_m[::3], 0.0)
    assert len(control) < len(line.points_m) / 10
    assert np.abs(off_m).max() < 0.025
