"""Generated worlds: geometry, determinism, and what the simulator needs to find in them."""

import math
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.errors import UsageError
from tests.worlds.loops import loops
from worlds.appearance import Appearance
from worlds.car import model
from worlds.car import sdf as car
from worlds.circuit import Circuit, Direction, built_in_names, load_circuit
from worlds.generator import WorldOptions, generate_world
from worlds.mesh import Mesh
from worlds.sdf import element
from worlds.track import WALL_THICKNESS_M, Part, track_parts, wall_boxes, wall_groups

PUBLISHED_M = {
    "simple_circuit": 430.1,
    "montreal": 1431.4,
    "montmelo": 736.1,
    "nurburgring": 554.6,
    "many_curves": 793.7,
}


def area(mesh: Mesh) -> shapely.Geometry:
    triangles = [shapely.Polygon(corners[:, :2]) for corners in mesh.triangles_m]
    return shapely.union_all(shapely.buffer(triangles, 1e-6))


def named(parts: list[Part], prefix: str) -> list[Part]:
    return [part for part in parts if part.name.startswith(prefix)]


def check_geometry(circuit: Circuit) -> None:
    line = circuit.centreline()
    parts = track_parts(circuit)
    for part in parts:
        assert np.isfinite(part.mesh.triangles_m).all(), part.name
        if part.colour != "wall":
            # Everything but the walls' faces lies flat and faces up.
            assert (part.mesh.normals[:, 2] > 0.999).all(), part.name
        else:
            assert np.abs(part.mesh.normals[:, 2]).max() < 1e-6, part.name
    asphalt = shapely.union_all([area(part.mesh) for part in named(parts, "asphalt")])
    # Lies under the line and, to the chords' error, spans the asphalt's whole width.
    ring = shapely.LinearRing(line.points_m[::4])
    half_m = circuit.asphalt_width_m / 2
    assert asphalt.contains(ring)
    assert asphalt.buffer(0.02).contains(ring.buffer(half_m - 0.02))
    assert ring.buffer(half_m + 0.02).contains(asphalt)
    for wall in wall_boxes(circuit):
        along = np.array([np.cos(wall.yaw_rad), np.sin(wall.yaw_rad)]) * wall.length_m / 2
        across = np.array([-along[1], along[0]]) / wall.length_m * WALL_THICKNESS_M
        corners = [(wall.x_m, wall.y_m) + a * along + b * across for a in (-1, 1) for b in (-1, 1)]
        assert not shapely.MultiPoint(corners).convex_hull.intersects(asphalt)


@pytest.mark.parametrize("name", sorted(PUBLISHED_M))
def test_built_in_circuits(name: str) -> None:
    circuit = load_circuit(name)
    line = circuit.centreline()
    assert line.length_m == pytest.approx(PUBLISHED_M[name], abs=0.1)
    assert float(line.curvatures_1_m.sum()) < 0  # clockwise is forward
    check_geometry(circuit)


def test_all_five_circuits_of_the_study_come_with_the_project() -> None:
    assert set(built_in_names()) == set(PUBLISHED_M)


@settings(max_examples=15)
@given(loops(), st.floats(2, 4), st.booleans())
def test_any_smooth_loop_gives_a_sound_world(
    points: NDArray[np.float64], width_m: float, kerbs: bool
) -> None:
    circuit = Circuit(
        name="loop",
        title="Loop",
        control_points=tuple((float(x), float(y)) for x, y in points),
        asphalt_width_m=width_m,
        time_limit_s=60,
        kerbs=kerbs,
    )
    check_geometry(circuit)


def test_a_lap_that_bends_but_for_a_few_metres_has_kerbs_all_round() -> None:
    # The sides of this ellipse have a radius of 40.04 m, more than the 40 m up to which kerbs lie.
    angles = np.arange(80) * math.tau / 80
    points = np.column_stack([31.0 * np.cos(angles), 24.0 * np.sin(angles)])
    circuit = Circuit(
        name="ellipse",
        title="Ellipse",
        control_points=tuple((float(x), float(y)) for x, y in points),
        asphalt_width_m=3.0,
        time_limit_s=60,
        kerbs=True,
    )
    assert float(np.abs(circuit.centreline().curvatures_1_m).min()) < 1 / 40.0
    check_geometry(circuit)


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_start_stands_on_the_line_facing_ahead(direction: Direction) -> None:
    for name in PUBLISHED_M:
        circuit = load_circuit(name)
        line, pose = circuit.centreline(direction), circuit.start(direction)
        found = line.project((pose.x_m, pose.y_m))
        assert abs(found.lateral_m) < 0.35
        assert np.cos(float(line.heading(found.s_m)) - pose.yaw_rad) > 0.99


def test_same_inputs_same_bytes(tmp_path: Path) -> None:
    circuit = load_circuit("simple_circuit")
    options = WorldOptions(appearance=Appearance.random(3))
    generate_world(circuit, tmp_path, options)
    first = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    generate_world(circuit, tmp_path, options)
    again = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert first == again


def test_the_world_holds_what_the_harness_relies_on(tmp_path: Path) -> None:
    circuit = load_circuit("montmelo")
    path = generate_world(circuit, tmp_path, WorldOptions(width=320, height=240))
    world = Xml.parse(path).getroot().find("world")
    assert world is not None
    text = {tag: world.findtext(tag) for tag in ("physics/max_step_size", ".//format")}
    assert text == {"physics/max_step_size": "0.001", ".//format": "R8G8B8"}
    car_element = world.find("model[@name='f1']")
    assert car_element is not None
    sensor = car_element.find("link[@name='base_link']/sensor[@type='camera']")
    assert sensor is not None
    assert sensor.findtext("camera/image/width") == "320"
    assert [float(v) for v in (sensor.findtext("pose") or "").split()[:3]] == [0.45, 0.04, 0.1]
    plugins = [plugin.get("filename") for plugin in world.iter("plugin")]
    assert sorted(str(name) for name in plugins) == [
        "libf1_gazebo_camera.so",
        "libf1_gazebo_contacts.so",
        "libf1_gazebo_drive.so",
    ]
    for uri in world.iter("uri"):
        mesh = path.parent / (uri.text or "").removeprefix("file://")
        normals = [line for line in mesh.read_text().splitlines() if line.startswith("vn ")]
        assert normals, mesh


def test_as_fast_as_possible_is_a_high_rate_not_zero(tmp_path: Path) -> None:
    # Zero makes a paused Gazebo spin.
    circuit = load_circuit("simple_circuit")
    path = generate_world(circuit, tmp_path, WorldOptions(real_time=False, physics_step_s=0.002))
    root = Xml.parse(path).getroot()
    assert root.findtext("world/physics/real_time_update_rate") == "10000"


def test_a_step_that_misses_frames_is_refused() -> None:
    with pytest.raises(UsageError, match="4 ms does not divide the camera period 50 ms"):
        WorldOptions(physics_step_s=0.004)


@given(st.integers(0, 2**32))
def test_random_looks_keep_the_task(seed: int) -> None:
    look = Appearance.random(seed)
    assert look == Appearance.random(seed)
    red, green, blue = look.line
    assert red > 0.5
    assert red > 4 * max(green, blue)
    assert max(look.asphalt) - min(look.asphalt) < 0.06
    assert max(look.asphalt) < 0.45


def volume_m3(mesh: Mesh) -> float:
    centred = mesh.triangles_m - mesh.triangles_m.mean(axis=(0, 1))
    return float((np.cross(centred[:, 0], centred[:, 1]) * centred[:, 2]).sum() / 6)


@pytest.mark.parametrize(
    "part",
    ["_bodywork", "_wings", "_livery", "_floor", "_tyres", "_rims", "_halo", "_suspension"],
)
def test_car_parts_are_closed_and_inside_in(part: str) -> None:
    meshes: list[Mesh] = getattr(model, part)()
    for mesh in meshes:
        assert volume_m3(mesh) > 0
        corners = np.round(mesh.triangles_m, 9)
        edges = np.concatenate([corners[:, [i, (i + 1) % 3]] for i in range(3)]).reshape(-1, 6)
        # In a closed surface every edge is run through once in either direction.
        there = {tuple(edge) for edge in edges.tolist()}
        back = {(*edge[3:], *edge[:3]) for edge in there}
        assert there == back


def test_the_car_stays_behind_its_own_camera() -> None:
    front_m = max(float(mesh.triangles_m[..., 0].max()) for mesh in model.car_meshes().values())
    assert front_m < car.CAMERA_XYZ_M[0] + car.CAMERA_CLIP_M[0]
    lowest_m = min(float(mesh.triangles_m[..., 2].min()) for mesh in model.car_meshes().values())
    assert lowest_m == pytest.approx(-model.ORIGIN_HEIGHT_M, abs=1e-3)


def long_circuit() -> Circuit:
    """7 km in the proportions of a road course."""
    angle = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    radius_m = 1000 + 150 * np.cos(3 * angle) + 60 * np.sin(7 * angle) + 25 * np.cos(19 * angle)
    points = radius_m[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return Circuit(
        name="long",
        title="Long",
        control_points=tuple((float(x), float(y)) for x, y in points),
        asphalt_width_m=3.35,
        time_limit_s=1300,
    )


def test_a_long_circuit_takes_few_meshes_and_groups_of_walls() -> None:
    circuit = long_circuit()
    assert circuit.centreline().length_m > 6900
    parts = track_parts(circuit)
    # Gazebo spends CPU on every mesh in every frame: one each 12 m were more than 3000.
    assert len(parts) < 250
    assert len({part.name for part in parts}) == len(parts)
    boxes, groups = wall_boxes(circuit), wall_groups(circuit)
    assert [box for group in groups for box in group] == boxes
    assert max(map(len, groups)) <= 60


def test_walls_collide_as_models_of_their_own(tmp_path: Path) -> None:
    circuit = load_circuit("montmelo")
    world = Xml.parse(generate_world(circuit, tmp_path)).getroot().find("world")
    assert world is not None
    groups = world.findall("model[@name='montmelo']/model")
    assert [len(group.findall("link/collision")) for group in groups] == [
        len(group) for group in wall_groups(circuit)
    ]
    assert all(group.findtext("static") == "true" for group in groups)


def test_the_ground_alone_is_drawn_last(tmp_path: Path) -> None:
    # At a wall's foot both are as far away; a picture must not depend on the number of meshes.
    world = Xml.parse(generate_world(load_circuit("montreal"), tmp_path)).getroot()
    glass = [
        visual.get("name")
        for visual in world.iter("visual")
        if visual.find("transparency") is not None
    ]
    assert glass == ["ground"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-200.88, "-200.88"),
        (0.123456789, "0.123457"),
        (712.3456, "712.346"),
        (-2000.12345, "-2000.123"),
        (9999.9996, "9999.9996"),
        (1e-5, "1e-05"),
    ],
)
def test_numbers_are_never_coarser_than_a_millimetre(value: float, text: str) -> None:
    assert element("pose", text=value).text == text
