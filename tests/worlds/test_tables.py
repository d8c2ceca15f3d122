"""Centrelines as people have them: every kind of table gives the same points."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.errors import DataError, UsageError
from worlds import columns
from worlds.centreline import Centreline
from worlds.custom import circuit_of
from worlds.traced import Traced, read_traced

Points = NDArray[np.float64]

ANGLE = np.linspace(0.0, 2 * np.pi, 80, endpoint=False)
OVAL = np.column_stack([60.0 * np.cos(ANGLE) + 3.0, 35.0 * np.sin(ANGLE) - 12.0])
X, Y = OVAL.T
OVAL_M = Centreline.from_control_points(OVAL).length_m
INDEX = np.arange(80.0)
STATION = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(OVAL, axis=0).T))])
SOME = np.full(80, 0.25)


def lines(
    *values: Points, by: str = ",", form: str = "{:.4f}", decimal: str = ".", quote: str = ""
) -> str:
    """Rows of a table, a column each."""
    cells = np.column_stack(values)
    return "".join(
        by.join(quote + form.format(cell).replace(".", decimal) + quote for cell in row) + "\n"
        for row in cells
    )


RACELINE = (STATION, X, Y, SOME, SOME, SOME + 6, SOME)
KINDS = {
    "plain": "x,y\n" + lines(X, Y),
    "no header": lines(X, Y),
    "no header, spaces": lines(X, Y, by="  "),
    "no header, aligned": lines(X, Y, by=" ", form="{:12.4f}"),
    "no header, tabs": lines(X, Y, by="\t"),
    "no header, station first": lines(*RACELINE, by="; "),
    "no header, index first": lines(INDEX, X, Y),
    "no header, speed behind": lines(X, Y, SOME + 6),
    "other order": "i, Y_m, X_m\n" + lines(INDEX, Y, X),
    "header commented out": "# x_m,y_m,w_tr_right_m,w_tr_left_m\n" + lines(X, Y, SOME, SOME),
    "comments above": "# made for a test\n# 0.25\n# s_m; x_m; y_m; psi_rad; kappa_radpm; vx_mps;"
    " ax_mps2\n" + lines(*RACELINE, by="; "),
    "percent comments": "% a track\n%x y\n" + lines(X, Y, by=" "),
    "slash comments": "// a track\nx,y\n" + lines(X, Y),
    "comments between": "x,y\n" + lines(X, Y).replace("\n", "\n# corner\n", 3),
    "comments behind": "x y\n" + lines(X, Y, by=" ").replace("\n", " # apex\n", 3),
    "first point again": "x,y\n" + lines(np.append(X, X[0]), np.append(Y, Y[0])),
    "points repeated": "x,y\n" + lines(np.repeat(X, 2), np.repeat(Y, 2)),
    "byte order mark": "\ufeffx;y\n" + lines(X, Y, by=";", decimal=","),
    "decimal commas": "x;y\n" + lines(X, Y, by=";", decimal=","),
    "decimal commas, three digits": "x;y\n" + lines(X, Y, by=";", decimal=",", form="{:.3f}"),
    "decimal commas, spaces": "x y\n" + lines(X, Y, by=" ", decimal=","),
    "decimal commas, tabs": "x\ty\n" + lines(X, Y, by="\t", decimal=","),
    "decimal commas, quotes": '"x","y"\n' + lines(X, Y, decimal=",", quote='"'),
    "decimal commas, names": "x;y;name\n" + lines(X, Y, by=";", decimal=",").replace("\n", ";T\n"),
    "Windows' line ends": ("x,y\n" + lines(X, Y)).replace("\n", "\r\n"),
    "old Macs' line ends": ("x,y\n" + lines(X, Y)).replace("\n", "\r"),
    "blank lines": "\n\nx,y\n\n" + lines(X, Y).replace("\n", "\n\n") + " , \n",
    "separators at line ends": ("x,y\n" + lines(X, Y)).replace("\n", ",\n"),
    "Excel's first line": "sep=;\nx;y\n" + lines(X, Y, by=";", decimal=","),
    "bars": "x|y\n" + lines(X, Y, by="|"),
    "quotes": '"x","y"\n' + lines(X, Y, quote='"'),
    "exponents": "x,y\n" + lines(X, Y, form="{:.9e}"),
    "minus signs": "x,y\n" + lines(X, Y).replace("-", "\N{MINUS SIGN}"),
    "thousands": "x;y\n" + lines(X * 100, Y * 100, by=";", form="{:,.2f}").replace("\n", ";;\n"),
    "title": "My track, 2026\nx,y\n" + lines(X, Y),
    "centimetres": "x_cm,y_cm\n" + lines(X * 100, Y * 100),
    "kilometres": "x [km];y [km]\n" + lines(X / 1000, Y / 1000, by=";", form="{:.7f}"),
    "odometry": "%time,field.pose.pose.position.x,field.pose.pose.position.y,"
    "field.twist.twist.linear.x,field.twist.twist.linear.y\n" + lines(INDEX, X, Y, SOME, SOME),
    "edges beside": "left_x,left_y,center_x,center_y\n" + lines(X + 2, Y, X, Y),
    "map": "easting,northing,elevation\n" + lines(X, Y, SOME),
}


def traced(folder: Path, text: str, encoding: str = "utf-8", chosen: str | None = None) -> Traced:
    path = folder / "mine.txt"
    path.write_bytes(text.encode(encoding))
    return read_traced(path, chosen)


def check_is_oval(folder: Path, text: str, factor: float = 1.0, encoding: str = "utf-8") -> None:
    """The circuit made of a table is the oval, wherever its points lie on it."""
    circuit = circuit_of(traced(folder, text, encoding), name="mine", scale=factor).circuit
    line = circuit.centreline()
    away_m = [line.project(point).lateral_m for point in OVAL]
    assert np.abs(away_m).max() < 0.02
    assert line.length_m == pytest.approx(OVAL_M, abs=0.05)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_case_08_and_09_every_kind_of_table_is_read(tmp_path: Path, kind: str) -> None:
    check_is_oval(tmp_path, KINDS[kind], 0.01 if kind == "thousands" else 1.0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_case_09_encodings_of_spreadsheets(tmp_path: Path, encoding: str) -> None:
    text = "# Montmeló, según el mapa\nx;y\n" + lines(X, Y, by=";", decimal=",")
    check_is_oval(tmp_path, text, encoding=encoding)


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        ("x,y", "x,y"),
        ("X_M,Y_M", "X_M,Y_M"),
        ("x[m],y[m]", "x[m],y[m]"),
        ("x (m),y (m)", "x (m),y (m)"),
        ("PosX,PosY", "PosX,PosY"),
        ("pos_x,pos_y", "pos_x,pos_y"),
        ("X-Coordinate,Y-Coordinate", "X-Coordinate,Y-Coordinate"),
        ("xcoord,ycoord", "xcoord,ycoord"),
        ("cx,cy", "cx,cy"),
        ("E,N", "E,N"),
        ("UTM Easting,UTM Northing", "UTM Easting,UTM Northing"),
        ("x_ref_m,y_ref_m,x_normvec_m,y_normvec_m,s_m,v", "x_ref_m,y_ref_m"),
        ("vx,vy,pos_x,pos_y", "pos_x,pos_y"),
        ("x_left,y_left,x,y,x_right,y_right", "x,y"),
        ("pose.position.x,pose.position.y,pose.orientation.x,pose.orientation.y", None),
        ("x_smoothed,y_smoothed", "x_smoothed,y_smoothed"),
    ],
)
def test_case_08_names_of_columns(names: str, pair: str | None) -> None:
    split = names.split(",")
    found = columns.places(split)
    expected = pair or "pose.position.x,pose.position.y"
    assert [(split[one.x], split[one.y]) for one in found] == [tuple(expected.split(","))]


@pytest.mark.parametrize(
    ("header", "values", "width_m"),
    [
        ("x_m,y_m,w_tr_right_m,w_tr_left_m", (SOME * 20, SOME * 4), (6.0, 6.0)),
        ("x,y,width_left,width_right", (SOME * 4, 2 + STATION * 0), (3.0, 3.0)),
        ("x,y,track_width", (SOME * 16,), (4.0, 4.0)),
        ("x,y,half_width_m", (SOME * 8,), (4.0, 4.0)),
        ("x,y,width_cm", (300 + INDEX,), (3.0, 3.79)),
        ("x,y,v,w", (SOME, SOME), None),
    ],
)
def test_case_08_widths_are_told(
    tmp_path: Path, header: str, values: Sequence[Points], width_m: tuple[float, float] | None
) -> None:
    line = traced(tmp_path, header + "\n" + lines(X, Y, *values))
    if width_m is None:
        assert line.width_m is None
        return
    assert line.width_m == pytest.approx(width_m)
    (note,) = circuit_of(line, name="mine", asphalt_width_m=3.35).notes
    assert f"the track is {width_m[0]:.3g}" in note
    assert "the asphalt is 3.35 m all round: --asphalt-width" in note


def test_case_08_a_width_as_asked_is_no_news(tmp_path: Path) -> None:
    line = traced(tmp_path, "x,y,width\n" + lines(X, Y, SOME * 16))
    assert circuit_of(line, name="mine", asphalt_width_m=4.0).notes == ()


def test_without_a_header_the_guess_is_said(tmp_path: Path) -> None:
    (note,) = traced(tmp_path, lines(INDEX, X, Y)).notes
    assert "columns 2 and 3 taken as x and y" in note


@pytest.mark.parametrize("chosen", ["a,b", "2,3", "a, 3"])
def test_columns_can_be_chosen(tmp_path: Path, chosen: str) -> None:
    line = traced(tmp_path, "i,a,b\n" + lines(INDEX, X, Y), chosen=chosen)
    assert line.points_m == pytest.approx(OVAL, abs=1e-4)


@pytest.mark.parametrize("chosen", ["a", "a,q", "0,1", "2,9", "a,b,c"])
def test_columns_that_are_not_there(tmp_path: Path, chosen: str) -> None:
    with pytest.raises(UsageError, match=r"--columns takes two|no column '.'; there are i, a, b"):
        traced(tmp_path, "i,a,b\n" + lines(INDEX, X, Y), chosen=chosen)


BAD = {
    "empty": ("", "no rows of numbers"),
    "only a header": ("x,y\n", "no rows of numbers"),
    "prose": ("This is a track.\nIt is nice.\n", "no rows of numbers"),
    "one column": ("x\n1\n2\n3\n", "no rows of numbers"),
    "JSON": ('{"points": [[1, 2], [3, 4]]}\n', "no rows of numbers"),
    "other names": ("lap,speed\n" + lines(X, Y), "no columns x and y among lap, speed"),
    "two pairs": (
        "x_inside,y_inside,x_outside,y_outside\n" + lines(X, Y, X, Y),
        "several columns of x and y: say --columns x_inside,y_inside or x_outside,y_outside",
    ),
    "no coordinates": (lines(INDEX, STATION), "no two columns that could be x and y"),
    "latitude": ("lat,lon\n" + lines(Y, X), "holds latitude and longitude (lat, lon)"),
    "degrees": (
        "x,y\n" + lines(5.97 + X * 1e-5, 50.43 + Y * 1e-5, form="{:.7f}"),
        "that is latitude and longitude; project them to metres",
    ),
    "a word": ("x,y\n" + lines(X, Y) + "3.0,left\n", "line 82 has no numbers x and y"),
    "a missing cell": ("x,y\n" + lines(X, Y) + "3.0\n", "line 82 has no numbers x and y"),
    "a line before": ("# one\n\nx;y\n" + lines(X, Y, by=";") + "3;a\n", "line 84 has no numbers"),
    "a point among commas": (
        "x;y\n" + lines(X, Y, by=";", decimal=",") + "3.0;4,5\n",
        "3.0,4,5 (other lines have decimal commas)",
    ),
    "not a number": ("x,y\n" + lines(X, Y) + "nan,1\n", "line 82 is not finite: nan,1"),
    "infinite": ("x,y\n" + lines(X, Y) + "1,-inf\n", "line 82 is not finite"),
    "comma for all": ("x,y\n" + lines(X, Y, decimal=","), "rows of 4 cells"),
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_bad_tables_are_one_line_with_the_place(tmp_path: Path, kind: str) -> None:
    text, complaint = BAD[kind]
    with pytest.raises(DataError) as caught:
        traced(tmp_path, text)
    message = str(caught.value)
    assert complaint in message
    assert "\n" not in message
    assert message.startswith(str(tmp_path / "mine.txt"))


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the centreline: Is a directory"):
        read_traced(tmp_path)


def test_points_that_wobble_in_their_last_digit_are_smooth(tmp_path: Path) -> None:
    # 5 cm apart and rounded to centimetres: the spline through them would turn on 3 cm.
    angle = np.arange(0.0, 2 * np.pi, 0.05 / 30)
    fine = 30.0 * np.column_stack([np.cos(angle), np.sin(angle)])
    line = traced(tmp_path, "x,y\n" + lines(*fine.T, form="{:.2f}"))
    circuit = circuit_of(line, name="mine").circuit
    assert circuit.centreline().length_m == pytest.approx(2 * np.pi * 30, rel=1e-3)
    assert np.abs(circuit.centreline().curvatures_1_m).max() < 1 / 20
