"""A Gazebo world made elsewhere, made a circuit: its line, road and walls measured."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from harness.errors import DataError, UsageError
from worlds.centreline import Centreline
from worlds.circuit import Circuit, OriginalWorld, Pose
from worlds.collada import ColladaMesh, Rgb, Surface, read_collada
from worlds.custom import MIN_RADIUS_M, Made, circuit_of
from worlds.foreign import ForeignWorld, Placed, read_world
from worlds.red_line import FARTHEST_START_M, STEP_M, RedLine
from worlds.surroundings import Walls, road_height_m, walls_beside
from worlds.traced import Traced

Floats = NDArray[np.float64]

_USUAL_WIDTH_M = 3.35
# Red enough for a line, as a material's colour; kerbs are darker.
_LEAST_RED, _MOST_OTHER = 0.6, 0.4
_UPRIGHT = 0.7
# A line of which less is red is none; the centreline is then as given.
_LEAST_FOUND = 0.5
_SMOOTHINGS_M = (0.25, 0.5, 0.75, 1.0)
# A wall so much nearer than most is worth a word.
_NEARER_M = 0.2


def import_world(
    folder: Path,
    world: str,
    *,
    name: str,
    given: Traced | None = None,
    asphalt_width_m: float | None = None,
    shadows: bool = False,
) -> Made:
    """Make a circuit of a world.

    Args:
        folder: The folder that holds `worlds/` and `models/`.
        world: Name of the world's file.
        name: The circuit's name.
        given: The line, or what leads along the red one; None follows the red line.
        asphalt_width_m: None is from wall to wall.
        shadows: Let the world's lights cast shadows.

    Raises:
        DataError: The world or something of it isn't there or is broken, has no red line where none
            is given, or the car can't drive it.
        UsageError: The asphalt asked for is wider than the walls leave.
    """
    found = read_world(folder, world)
    notes: list[str] = []
    shown, solid, everything = _meshes(found, notes)
    start_z_m = 0.0 if found.start is None else found.start[2]
    red = [s.triangles_m for s in shown if _is_red(s.colour)]
    points, width_m = _line(found, _lying(red), given, notes)
    points = drivable(points, notes)
    line = Centreline.from_control_points(points)
    road_m = round(road_height_m(_all(solid), found.plane_heights_m(), line, start_z_m), 3)
    walls = walls_beside(_all(everything), line, road_m)
    if asphalt_width_m is None:
        asphalt_width_m = _USUAL_WIDTH_M if walls is None else round(2 * walls.distance_m, 2)
    notes += _notes_on(walls, road_m, asphalt_width_m)
    traced = Traced(
        points, tuple(f"metre {i * STEP_M:g}" for i in range(len(points))), str(found.file)
    )
    made = circuit_of(
        traced,
        name=name,
        asphalt_width_m=asphalt_width_m,
        red_line_width_m=width_m or 0.1,
        wall_height_m=0.5 if walls is None else round(walls.height_m, 3),
    )
    if made.circuit.map_origin_m != (0.0, 0.0):
        raise DataError(f"{found.file}: its line lies more than a kilometre from its origin")
    look = OriginalWorld(
        folder=str(folder.absolute()),
        file=world,
        sha256=found.sha256,
        ground_m=road_m,
        shadows=shadows,
        walls=walls is not None,
    )
    verge_m = 2.0 if walls is None else round(max(0.0, walls.distance_m - asphalt_width_m / 2), 3)
    values = made.circuit.model_dump() | {"verge_m": verge_m, "world": look}
    del values["start_station_m"]
    values |= _start(found, made.circuit.centreline(), asphalt_width_m, notes)
    return Made(Circuit.model_validate(values), (*notes, *made.notes))


def _meshes(
    world: ForeignWorld, notes: list[str]
) -> tuple[list[Surface], list[Surface], list[Surface]]:
    """What is seen, what can be run into, and all of it, in the world's frame."""
    read: dict[Path, ColladaMesh] = {}
    shown, solid, everything = [], [], []
    for placed in world.placed():
        path = placed.path
        if path.suffix.lower() != ".dae":
            notes.append(f"{path.name} is not measured: only .dae meshes are")
            continue
        if path not in read:
            read[path] = read_collada(path)
            notes += _missing_textures(path, read[path])
        surfaces = [_in_world(placed, surface) for surface in read[path].surfaces]
        everything += surfaces
        shown += surfaces if placed.shown else []
        solid += surfaces if placed.solid else []
    return shown, solid, everything


def _in_world(placed: Placed, surface: Surface) -> Surface:
    return Surface(placed.moved(surface.triangles_m), surface.colour)


def _missing_textures(path: Path, mesh: ColladaMesh) -> Iterable[str]:
    for texture in mesh.textures:
        inside = texture.removeprefix("file://")
        pictures = path.parents[1] / "materials" / "textures"
        if not any(
            place.is_file() for place in (path.parent / inside, pictures / Path(inside).name)
        ):
            yield f"{path.parents[1].name}/{path.name}: its texture {texture} is not there"


def _is_red(colour: Rgb | None) -> bool:
    if colour is None:
        return False
    red, green, blue = colour
    return red >= _LEAST_RED and max(green, blue) <= _MOST_OTHER * red


def _all(surfaces: list[Surface]) -> Floats:
    return np.concatenate([np.empty((0, 3, 3)), *(s.triangles_m for s in surfaces)])


def _lying(triangles: list[Floats]) -> Floats:
    """Those that lie on the ground, from above (T, 3, 2); signs stand upright."""
    corners = np.concatenate([np.empty((0, 3, 3)), *triangles])
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(normals, axis=1)
    return np.asarray(corners[np.abs(normals[:, 2]) > _UPRIGHT * size][..., :2])


def _line(
    world: ForeignWorld, red: Floats, given: Traced | None, notes: list[str]
) -> tuple[Floats, float | None]:
    """Points of the centreline, the way the car faces, and the red line's width if it is one."""
    heading_rad = None if world.start is None else world.start[5]
    guide: Centreline | None = None
    if given is not None:
        guide = _guide(given)
        if world.start is not None:
            beside_m = abs(guide.project(world.start[:2]).lateral_m)
            if beside_m > FARTHEST_START_M:
                raise DataError(
                    f"{given.source}: lies {beside_m:.0f} m from where the world's car starts: it"
                    " leads round another circuit"
                )
    elif not len(red):
        raise DataError(
            f"{world.file}: has no red line: say --centreline with a circuit, a table or a bag"
        )
    else:
        at = None if world.start is None else np.array(world.start[:2])
        way = RedLine(red).followed(at, heading_rad, str(world.file))
        guide = Centreline.from_control_points(way)
    midline = RedLine(red).along(guide) if len(red) else None
    if midline is not None and midline.found.mean() >= _LEAST_FOUND:
        points, width_m = midline.points_m, round(midline.width_m, 3)
        said = f"the red line, {width_m:.2f} m wide, is found along {midline.found.mean():.1%}"
        if given is not None:
            apart_m = [abs(guide.project(point).lateral_m) for point in points]
            said += f" of {given.source}, {np.mean(apart_m):.3f} m from it on average"
        else:
            said += " of the lap"
        notes.append(said)
    elif given is None:
        raise DataError(
            f"{world.file}: its red line can't be cut: say --centreline with a circuit, a table or"
            " a bag"
        )
    else:
        points, width_m = guide.position(np.arange(0.0, guide.length_m, STEP_M)), None
        notes.append(f"no red line lies along {given.source}: the centreline is as given")
    if world.start is not None and heading_rad is not None:
        line = Centreline.from_control_points(points)
        station_m = line.project(world.start[:2]).s_m
        if np.cos(float(line.heading(station_m)) - heading_rad) < 0:
            points = np.roll(points[::-1], 1, axis=0)
            notes.append("the car faces the other way: that is forward")
    return points, width_m


def _guide(given: Traced) -> Centreline:
    """A given line as a curve, checked, where it lies."""
    circuit = circuit_of(given, name="given", asphalt_width_m=0.5).circuit
    if circuit.map_origin_m != (0.0, 0.0):
        raise DataError(f"{given.source}: lies more than a kilometre from the world's origin")
    return circuit.centreline()


def drivable(points: Floats, notes: list[str]) -> Floats:
    """Points (N, 2) a quarter of a metre apart, smoothed as little as their tightest turn needs.

    Of what no smoothing mends the points come back as they are: the circuit's checks say where.
    """

    def tightest_m(of: Floats) -> float:
        return 1 / float(np.abs(Centreline.from_control_points(of).curvatures_1_m).max())

    if tightest_m(points) > MIN_RADIUS_M:
        return points
    for sigma_m in _SMOOTHINGS_M:
        smooth = gaussian_filter1d(points, sigma_m / STEP_M, axis=0, mode="wrap")
        if tightest_m(smooth) > MIN_RADIUS_M:
            moved_m = float(np.hypot(*(smooth - points).T).max())
            notes.append(
                f"smoothed over {sigma_m:g} m, which moves it by up to {moved_m:.2f} m: it has a"
                f" corner that the car can't drive (radius {tightest_m(points):.2f} m)"
            )
            return np.asarray(smooth)
    return points


def _notes_on(walls: Walls | None, road_m: float, asphalt_width_m: float) -> Iterable[str]:
    if road_m:
        yield f"the road lies at a height of {road_m:g} m"
    if walls is None:
        yield (
            f"no walls stand along the line: the asphalt is taken as {asphalt_width_m:g} m wide"
            " (--asphalt-width)"
        )
        return
    if asphalt_width_m > 2 * walls.distance_m + 0.005:
        raise UsageError(
            f"--asphalt-width {asphalt_width_m:g} is more than the walls leave: they stand"
            f" {walls.distance_m:.2f} m from the line on either side"
        )
    yield f"the walls stand {walls.distance_m:.2f} m from the line (median): boxes of ours do too"
    if walls.nearest_m < walls.distance_m - _NEARER_M:
        yield f"along 5 % of it they are seen nearer than {walls.nearest_m:.2f} m"


def _start(
    world: ForeignWorld, line: Centreline, asphalt_width_m: float, notes: list[str]
) -> dict[str, object]:
    """The start of the circuit: the world's car, if it stands on the asphalt."""
    if world.start is None:
        notes.append("the world has no car: the start is the line's first point")
        return {}
    x_m, y_m, *_, yaw_rad = world.start
    at = line.project((x_m, y_m))
    if abs(at.lateral_m) > asphalt_width_m / 2:
        notes.append(f"the world's car stands {abs(at.lateral_m):.1f} m off the line: ours on it")
        return {"start_station_m": at.s_m}
    return {"start_pose": Pose(x_m, y_m, yaw_rad), "start_station_m": at.s_m}
