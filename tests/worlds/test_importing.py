"""Importing a Gazebo world made elsewhere: what is measured in it, and what a run gets of it."""

import itertools
import shutil
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from harness.errors import DataError, UsageError
from tests.worlds.foreign_worlds import (
    GREY,
    LINE_M,
    RED,
    TRACK,
    TRACK_POSE,
    WALL_HEIGHT_M,
    WALLS_M,
    Tiny,
    in_world,
    line_in_world,
)
from worlds.centreline import Centreline
from worlds.circuit import Circuit, Pose, carried, circuit_of_run
from worlds.collada import read_collada
from worlds.custom import MIN_RADIUS_M, Made, as_yaml
from worlds.foreign import read_world
from worlds.generator import WorldOptions, generate_world
from worlds.imported import drivable, import_world
from worlds.map import draw_map
from worlds.traced import Traced


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Tiny().write(tmp_path_factory.mktemp("theirs") / "f1")


@pytest.fixture(scope="module")
def made(tiny: Path) -> Made:
    return import_world(tiny, "tiny.world", name="tiny")


def away_m(circuit: Circuit) -> tuple[float, float]:
    """How far a circuit's line lies from the true one: on average, and at most."""
    line = line_in_world()
    apart = [abs(line.project(point).lateral_m) for point in circuit.centreline().points_m[::5]]
    return float(np.mean(apart)), float(np.max(apart))


def traced(points: np.ndarray) -> Traced:
    return Traced(points, tuple(f"line {i}" for i in range(len(points))), "guide.csv")


def test_a_mesh_is_read_in_metres_where_its_nodes_put_it(tiny: Path) -> None:
    mesh = read_collada(tiny / "models" / "tiny_track" / "meshes" / "track.dae")
    assert [surface.colour for surface in mesh.surfaces] == [None, RED]
    assert mesh.textures == ("asphalt.png",)
    line_m = mesh.surfaces[1].triangles_m.reshape(-1, 3)
    assert line_m[:, 2] == pytest.approx(np.full(len(line_m), 0.01), abs=1e-5)
    lateral = [abs(TRACK.project(point).lateral_m) for point in line_m[::25, :2]]
    assert lateral == pytest.approx(np.full(len(lateral), LINE_M / 2), abs=1e-3)


def test_the_line_is_the_middle_of_the_red_one(made: Made) -> None:
    mean_m, most_m = away_m(made.circuit)
    assert mean_m < 0.01
    assert most_m < 0.025
    assert made.circuit.centreline().length_m == pytest.approx(TRACK.length_m, abs=0.2)
    assert made.circuit.red_line_width_m == pytest.approx(LINE_M, abs=0.01)
    assert made.notes == (
        "the red line, 0.12 m wide, is found along 100.0% of the lap",
        "the road lies at a height of 1.5 m",
        "the walls stand 1.60 m from the line (median): boxes of ours do too",
    )


def test_the_rest_of_the_circuit_is_measured_too(made: Made) -> None:
    circuit, world = made.circuit, made.circuit.world
    assert world is not None
    assert circuit.asphalt_width_m == pytest.approx(2 * WALLS_M, abs=0.02)
    assert circuit.verge_m == pytest.approx(0.0, abs=0.01)
    assert circuit.wall_height_m == pytest.approx(WALL_HEIGHT_M, abs=1e-3)
    assert world.ground_m == pytest.approx(TRACK_POSE[2])
    x_m, y_m, yaw = Tiny().start()
    assert circuit.start_pose is not None
    assert (circuit.start_pose.x_m, circuit.start_pose.y_m) == pytest.approx((x_m, y_m), abs=1e-5)
    at = circuit.centreline().project((x_m, y_m))
    assert at.lateral_m == pytest.approx(0.05, abs=0.01)
    assert circuit.start_station_m == pytest.approx(at.s_m, abs=1e-3)
    assert np.cos(float(circuit.centreline().heading(at.s_m)) - yaw) > 0.99


def test_the_car_faces_forward(tmp_path: Path) -> None:
    folder = Tiny(faces_forward=False).write(tmp_path / "f1")
    circuit = import_world(folder, "tiny", name="tiny").circuit
    assert away_m(circuit)[1] < 0.025
    turned = float(circuit.centreline().curvatures_1_m.mean())
    assert np.sign(turned) == -np.sign(float(TRACK.curvatures_1_m.mean()))


@pytest.mark.parametrize("gap_m", [3.0, 15.0])
def test_a_gap_in_the_red_line_is_bridged(tmp_path: Path, gap_m: float) -> None:
    folder = Tiny(gap_m=gap_m).write(tmp_path / "f1")
    # By itself only straight on, as over a start grid; a guide leads round a bend.
    guide = in_world(TRACK.position(np.arange(0.0, TRACK.length_m - 0.5, 1.0))) + 0.3
    made = import_world(folder, "tiny", name="tiny", given=traced(guide))
    assert away_m(made.circuit)[0] < 0.02
    share = 1 - gap_m / TRACK.length_m
    assert f"is found along {share:.0%}"[:-2] in made.notes[0]
    assert "of guide.csv, 0." in made.notes[0]
    if gap_m < 5.0:
        made = import_world(folder, "tiny", name="tiny")
        assert away_m(made.circuit)[0] < 0.02


def test_half_a_red_line_is_none_to_follow(tmp_path: Path) -> None:
    folder = Tiny(gap_m=90.0).write(tmp_path / "f1")
    with pytest.raises(DataError, match=r"the car starts \d+\.\d m from the red line: say"):
        import_world(folder, "tiny", name="tiny")


def test_without_a_red_line_the_centreline_is_as_given(tmp_path: Path) -> None:
    folder = Tiny(line=(1.0, 1.0, 1.0)).write(tmp_path / "f1")
    with pytest.raises(DataError, match="has no red line: say --centreline with a circuit"):
        import_world(folder, "tiny", name="tiny")
    points = in_world(TRACK.position(np.arange(0.0, TRACK.length_m - 0.5, 1.0)))
    made = import_world(folder, "tiny", name="tiny", given=traced(points))
    assert made.notes[0] == "no red line lies along guide.csv: the centreline is as given"
    assert away_m(made.circuit)[1] < 0.03


def test_a_world_without_walls(tmp_path: Path) -> None:
    folder = Tiny(walls=False).write(tmp_path / "f1")
    made = import_world(folder, "tiny", name="tiny", asphalt_width_m=3.0)
    assert made.circuit.world is not None
    assert not made.circuit.world.walls
    assert any(note.startswith("no walls stand along the line") for note in made.notes)
    world = Xml.parse(generate_world(made.circuit, tmp_path / "run")).getroot()
    assert [box.tag for box in world.iter("box")] == ["box"]  # the car's own
    draw_map(made.circuit, tmp_path / "map.png")


def test_asphalt_wider_than_the_walls_leave_is_refused(tiny: Path) -> None:
    with pytest.raises(
        UsageError, match=r"--asphalt-width 3\.6 is more than the walls leave: .*1\.60 m"
    ):
        import_world(tiny, "tiny", name="tiny", asphalt_width_m=3.6)
    narrow = import_world(tiny, "tiny", name="tiny", asphalt_width_m=2.4).circuit
    assert narrow.verge_m == pytest.approx(WALLS_M - 1.2, abs=0.01)


def test_the_run_gets_their_world_with_our_car_physics_and_walls(
    made: Made, tmp_path: Path
) -> None:
    options = WorldOptions(start=Pose(1.0, 2.0, 0.5))
    path = generate_world(made.circuit, tmp_path, options)
    root = Xml.parse(path).getroot()
    world = root.find("world")
    assert world is not None
    assert root.get("version") == "1.6"
    assert [uri.text for uri in world.findall("include/uri")] == [
        "file://models/sun",
        "file://models/tiny_track",
    ]
    assert [one.findtext("max_step_size") for one in world.findall("physics")] == ["0.001"]
    assert world.findtext("scene/ambient") == "1.0 1.0 1.0 1.0"
    assert world.find("scene/sky/clouds") is not None
    assert world.findtext("scene/shadows") == "false"
    assert "theirs" not in path.read_text()
    car = [float(word) for word in (world.findtext("model[@name='f1']/pose") or "").split()]
    assert car == pytest.approx([1.0, 2.0, TRACK_POSE[2] + 0.12, 0.0, 0.0, 0.5])
    walls = world.find("model[@name='pitwall_walls']")
    assert walls is not None
    heights = {(pose.text or "").split()[2] for pose in walls.iter("pose")}
    assert heights == {f"{TRACK_POSE[2] + WALL_HEIGHT_M / 2:g}"}

    model = tmp_path / "models" / "tiny_track"
    text = (model / "model.sdf").read_text()
    assert "model://" not in text
    assert "file://models/tiny_track/meshes/track.dae" in text
    assert "plugin" not in text
    # Their one-sheet walls are seen, and run into no more; their ground stays.
    shapes = Xml.fromstring(text)
    assert [shape.get("name") for shape in shapes.iter("collision")] == ["plane"]
    assert [shape.get("name") for shape in shapes.iter("visual")] == ["ground", "walls"]
    assert not list(tmp_path.rglob("*.swp"))


def test_shadows_on_request(tiny: Path, tmp_path: Path) -> None:
    circuit = import_world(tiny, "tiny", name="tiny", shadows=True).circuit
    world = Xml.parse(generate_world(circuit, tmp_path)).getroot()
    assert world.findtext("world/scene/shadows") == "true"


def test_another_world_than_it_was_made_of_is_not_driven(made: Made, tmp_path: Path) -> None:
    world = made.circuit.world
    assert world is not None
    moved = tmp_path / "elsewhere"
    shutil.copytree(world.folder, moved)
    there = made.circuit.model_copy(
        update={"world": world.model_copy(update={"folder": str(moved)})}
    )
    # Where it lies changes nothing, nor what editors leave there.
    (moved / "models" / "tiny_track" / "model.sdf~").write_text("old")
    assert there.sha256() == made.circuit.sha256()
    generate_world(there, tmp_path / "run")
    mesh = moved / "models" / "tiny_track" / "meshes" / "walls.dae"
    mesh.write_text(mesh.read_text().replace("0.9 0.9 0.9", "0.8 0.9 0.9"))
    with pytest.raises(DataError, match="others than the circuit was made of: `harness circuit"):
        generate_world(there, tmp_path / "again")
    again = import_world(moved, "tiny.world", name="tiny").circuit
    assert again.sha256() != made.circuit.sha256()


def test_a_run_carries_its_world_and_is_measured_without_it(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(as_yaml(made.circuit))
    assert Circuit.from_yaml(path) == made.circuit
    told = carried(made.circuit)
    assert told["world"]["sha256"] == read_world(*_named(made)).sha256
    told["world"]["folder"] = "/nowhere"
    driven, differs = circuit_of_run(str(path), told)
    assert differs == ""
    assert driven.centreline().length_m == made.circuit.centreline().length_m


def _named(made: Made) -> tuple[Path, str]:
    assert made.circuit.world is not None
    return Path(made.circuit.world.folder), made.circuit.world.file


def test_a_missing_texture_is_a_note(tmp_path: Path) -> None:
    folder = Tiny().write(tmp_path / "f1")
    (folder / "models" / "tiny_track" / "meshes" / "asphalt.png").unlink()
    notes = import_world(folder, "tiny", name="tiny").notes
    assert notes[0] == "tiny_track/track.dae: its texture asphalt.png is not there"


def test_what_is_not_a_mesh_of_ours_to_read_is_a_note(tmp_path: Path) -> None:
    folder = Tiny().write(tmp_path / "f1")
    model = folder / "models" / "tiny_track"
    (model / "meshes" / "walls.dae").rename(model / "meshes" / "walls.stl")
    sdf = model / "model.sdf"
    sdf.write_text(sdf.read_text().replace("walls.dae", "walls.stl"))
    notes = import_world(folder, "tiny", name="tiny").notes
    assert notes[0] == "walls.stl is not measured: only .dae meshes are"


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (
            Tiny(cars=("f1_renault", "f1_guest")),
            r"holds 2 cars \(f1_renault, f1_guest\): leave one",
        ),
        (Tiny(sdf="1.3"), r"is SDF 1\.3, older than SDF 1\.4"),
        (Tiny(line=GREY), "has no red line: say --centreline"),
    ],
)
def test_worlds_that_can_not_be_imported(tmp_path: Path, world: Tiny, said: str) -> None:
    folder = world.write(tmp_path / "f1")
    with pytest.raises(DataError, match=said) as caught:
        import_world(folder, "tiny", name="tiny")
    assert "\n" not in str(caught.value)
    assert "tiny.world" in str(caught.value)


def test_a_world_without_a_car_starts_at_the_line_s_first_point(tmp_path: Path) -> None:
    made = import_world(Tiny(cars=()).write(tmp_path / "f1"), "tiny", name="tiny")
    assert made.circuit.start_pose is None
    assert "the world has no car: the start is the line's first point" in made.notes
    assert away_m(made.circuit)[1] < 0.025


BROKEN = {
    "models/tiny_track": (None, r"its model tiny_track is not there \(.*models/tiny_track\)"),
    "models/tiny_track/meshes/walls.dae": (None, r"its mesh model://.*walls\.dae is not there"),
    "models/tiny_track/meshes/track.dae": ("", r"track\.dae: cannot read the mesh: "),
    "models/tiny_track/model.config": (None, r"tiny_track: has no model\.config"),
    "models/tiny_track/model.sdf": ("<sdf><model>", r"model\.sdf: is not whole XML: "),
    "worlds/tiny.world": ("<sdf version='1.5'>", r"tiny\.world: is not whole XML: "),
    "sun/model-1.3.sdf": ("<gazebo version='1.2'/>", r"model-1\.3\.sdf: is <gazebo>, SDF 1\.2"),
    "sun": (None, r"its model sun is not there"),
    "worlds": (None, r"holds no worlds/\*\.world: name the folder with worlds/"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_is_missing_or_broken_is_named(tmp_path: Path, name: str) -> None:
    folder = Tiny().write(tmp_path / "f1")
    content, said = BROKEN[name]
    path = folder / name
    if content is not None:
        path.write_text(content)
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    with pytest.raises(DataError, match=said) as caught:
        import_world(folder, "tiny", name="tiny")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<gazebo version='1.2'><world/></gazebo>", "is <gazebo>, older than SDF 1.4"),
        ("<sdf version='1.5'><model/></sdf>", "holds no <world>"),
        (
            "<sdf version='1.5'><world><include><uri>https://x/y</uri></include></world></sdf>",
            "includes https://x/y; only model://NAME is known here",
        ),
        (
            "<sdf version='1.5'><world><include><uri>model://f1</uri><pose>1 2 three 0 0 0</pose>"
            "</include></world></sdf>",
            "6 numbers are expected where it says '1 2 three 0 0 0'",
        ),
    ],
)
def test_world_files_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    folder = Tiny().write(tmp_path / "f1")
    (folder / "worlds" / "tiny.world").write_text(text)
    with pytest.raises(DataError) as caught:
        import_world(folder, "tiny", name="tiny")
    assert said in str(caught.value)


def test_an_unknown_world_is_told_which_there_are(tiny: Path) -> None:
    with pytest.raises(DataError, match=r"there is no world huge\.world; there are tiny\.world"):
        import_world(tiny, "huge", name="huge")
    with pytest.raises(DataError, match="there is no such folder"):
        import_world(tiny / "nowhere", "tiny", name="tiny")


def test_a_corner_that_no_car_takes_is_smoothed() -> None:
    # Montmeló's line has one where two strips of its mesh meet.
    angles = np.arange(9) * np.pi / 4
    corners = 20.0 * np.column_stack([np.cos(angles), np.sin(angles)])
    steps = np.linspace(0.0, 1.0, 61, endpoint=False)[:, None]
    points = np.concatenate([a + steps * (b - a) for a, b in itertools.pairwise(corners)])
    sharp = Centreline.from_control_points(points)
    assert 1 / float(np.abs(sharp.curvatures_1_m).max()) < MIN_RADIUS_M
    notes: list[str] = []
    smooth = Centreline.from_control_points(drivable(points, notes))
    assert 1 / float(np.abs(smooth.curvatures_1_m).max()) > MIN_RADIUS_M
    assert max(abs(smooth.project(point).lateral_m) for point in points) < 0.25
    assert notes[0].startswith("smoothed over 0.")
    # What can be driven stays as it is.
    wide = in_world(TRACK.points_m[::5])
    assert drivable(wide, notes) is wide
    assert len(notes) == 1
