"""The centreline against closed forms: circle, stadium, and properties of random loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.errors import DataError
from tests.worlds.loops import loops
from worlds.centreline import Centreline

RADIUS_M = 20.0
MM = 1e-3


def circle(count: int = 60, radius_m: float = RADIUS_M) -> Centreline:
    angle = np.arange(count) * 2 * np.pi / count
    points = radius_m * np.column_stack([np.cos(angle), np.sin(angle)])
    return Centreline.from_control_points(points)


def beside(line: Centreline, s_m: float, lateral_m: float) -> NDArray[np.float64]:
    heading = float(line.heading(s_m))
    left = np.array([-np.sin(heading), np.cos(heading)])
    return np.asarray(line.position(s_m) + lateral_m * left)


def apart_m(line: Centreline, a_m: float, b_m: float) -> float:
    half = line.length_m / 2
    return abs((a_m - b_m + half) % line.length_m - half)


def test_circle_has_its_closed_form() -> None:
    line = circle()
    assert line.length_m == pytest.approx(2 * np.pi * RADIUS_M, abs=MM)
    assert line.curvatures_1_m == pytest.approx(1 / RADIUS_M, rel=1e-3)
    assert np.hypot(*line.points_m.T) == pytest.approx(RADIUS_M, abs=MM)
    s_m = np.linspace(-50, 300, 77)
    angle = s_m / RADIUS_M
    expected = RADIUS_M * np.column_stack([np.cos(angle), np.sin(angle)])
    assert line.position(s_m) == pytest.approx(expected, abs=MM)


def test_stations_are_evenly_spaced_along_the_curve() -> None:
    line = circle()
    chords_m = np.hypot(*np.diff(line.points_m, axis=0).T)
    assert chords_m == pytest.approx(line.length_m / len(line.points_m), rel=1e-4)
    assert (np.diff(line.stations_m) > 0).all()


def test_left_is_positive() -> None:
    line = circle()  # anti-clockwise: the centre lies to the left
    assert line.project((RADIUS_M - 1, 0)).lateral_m == pytest.approx(1, abs=MM)
    assert line.project((RADIUS_M + 2, 0)).lateral_m == pytest.approx(-2, abs=MM)


@given(st.floats(0, 2 * np.pi), st.floats(-5, 15))
def test_projection_on_a_circle(angle: float, lateral_m: float) -> None:
    line = circle()
    xy = (RADIUS_M - lateral_m) * np.array([np.cos(angle), np.sin(angle)])
    found = line.project(xy)
    assert found.lateral_m == pytest.approx(lateral_m, abs=MM)
    assert apart_m(line, found.s_m, angle * RADIUS_M) < MM


def test_wraps_around_the_start() -> None:
    line = circle()
    for s_m in (-0.3, 0.0, 0.3):
        found = line.project(beside(line, s_m, 0.5), near_s_m=s_m + 1.5, window_m=3)
        assert 0 <= found.s_m < line.length_m
        assert apart_m(line, found.s_m, s_m) < MM
    assert line.position(line.length_m) == pytest.approx(line.position(0.0))
    assert line.position(-1.0) == pytest.approx(line.position(line.length_m - 1.0))


def test_window_keeps_to_the_leg_being_driven() -> None:
    # A stadium: two straights 4 m apart, joined by half circles.
    x = np.linspace(0, 60, 31)
    turn = np.linspace(-np.pi / 2, np.pi / 2, 9)[1:-1]
    lower = np.column_stack([x, np.zeros_like(x)])
    right = np.column_stack([60 + 2 * np.cos(turn), 2 + 2 * np.sin(turn)])
    upper = np.column_stack([x[::-1], np.full_like(x, 4)])
    left = np.column_stack([-2 * np.cos(turn), 2 - 2 * np.sin(turn)])
    line = Centreline.from_control_points(np.concatenate([lower, right, upper, left]))
    strayed = (30.0, 3.0)  # nearer to the upper leg, driven from the lower one
    assert line.project(strayed).lateral_m == pytest.approx(1, abs=0.01)
    found = line.project(strayed, near_s_m=29.0)
    assert found.s_m == pytest.approx(30, abs=0.02)
    assert found.lateral_m == pytest.approx(3, abs=0.01)


def test_a_driven_path_is_followed_for_two_laps() -> None:
    line = circle()
    s_m = np.arange(0, 2 * line.length_m, 0.4)
    lateral_m = 0.8 * np.sin(s_m / 7)
    path = np.array([beside(line, s, d) for s, d in zip(s_m, lateral_m, strict=True)])
    found_s_m, found_lateral_m = line.project_many(path, near_first_s_m=0.0)
    assert found_lateral_m == pytest.approx(lateral_m, abs=MM)
    assert max(apart_m(line, a, b) for a, b in zip(found_s_m, s_m, strict=True)) < MM


def test_reversed_is_the_same_curve_the_other_way() -> None:
    line = circle()
    back = line.reversed()
    assert back.length_m == line.length_m
    assert back.position(0.0) == pytest.approx(line.position(0.0), abs=1e-9)
    assert back.position(7.0) == pytest.approx(line.position(-7.0), abs=1e-6)
    assert back.curvatures_1_m == pytest.approx(-1 / RADIUS_M, rel=1e-3)
    turned = float(back.heading(7.0) - line.heading(-7.0)) % (2 * np.pi)
    assert turned == pytest.approx(np.pi, abs=1e-6)


@settings(max_examples=30)
@given(loops(), st.floats(0, 1), st.floats(-0.8, 0.8))
def test_projection_undoes_an_offset_on_any_loop(
    points: NDArray[np.float64], fraction: float, of_radius: float
) -> None:
    line = Centreline.from_control_points(points)
    s_m = fraction * line.length_m
    lateral_m = of_radius * min(2.0, 1 / float(np.abs(line.curvatures_1_m).max()))
    for driven, station_m, offset_m in (
        (line, s_m, lateral_m),
        (line.reversed(), line.length_m - s_m, -lateral_m),
    ):
        found = driven.project(beside(line, s_m, lateral_m), near_s_m=station_m, window_m=3)
        assert found.lateral_m == pytest.approx(offset_m, abs=MM)
        assert apart_m(driven, found.s_m, station_m) < 2 * MM


@settings(max_examples=20)
@given(loops())
def test_headings_turn_once_around(points: NDArray[np.float64]) -> None:
    line = Centreline.from_control_points(points)
    step_m = line.length_m / len(line.points_m)
    assert abs(float(line.curvatures_1_m.sum()) * step_m) == pytest.approx(2 * np.pi, rel=1e-2)
    between = line.heading(line.stations_m + step_m / 2)
    assert np.isfinite(between).all()


@pytest.mark.parametrize(
    ("points", "complaint"),
    [
        ([[0, 0], [1, 0], [1, 1]], "at least 4"),
        ([[0, 0], [1, 0], [1, 0], [1, 1], [0, 1]], "points 1 and 2 are the same"),
        ([[0, 0], [1, float("nan")], [1, 1], [0, 1]], "finite"),
        ([1, 2, 3, 4], "x, y pairs"),
    ],
)
def test_refuses_what_is_no_loop(points: object, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        Centreline.from_control_points(np.array(points, dtype=float))


def test_is_immutable() -> None:
    with pytest.raises(ValueError, match="read-only"):
        circle().points_m[0] = 0
