"""Generates a circuit's Gazebo world (SDF 1.6): same inputs, same bytes.

Of a circuit that names a world made elsewhere, it is that world with our car, walls and physics.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.errors import DataError, UsageError
from worlds.appearance import WALL_COLOURS, Appearance, Colour, lit
from worlds.car.sdf import (
    MODEL_NAME,
    CameraMount,
    CameraOptions,
    DriveOptions,
    Photographer,
    car_model,
)
from worlds.circuit import Circuit, Pose
from worlds.foreign import stage, unchanged
from worlds.sdf import (
    Element,
    box_collision,
    drawn_last,
    element,
    flat_material,
    leaves,
    mesh_visual,
    pose,
    to_text,
)
from worlds.track import WALL_THICKNESS_M, Stretch, track_parts, wall_groups

# Gazebo spins when it is told to run unlimited while paused; this is beyond any rate it reaches.
UNLIMITED_RATE_HZ = 10000.0
_COARSEST_M = 1e-3


@dataclass(frozen=True)
class WorldOptions:
    """What may differ between two worlds of one circuit.

    Attributes:
        width: Camera image width in pixels.
        height: Camera image height in pixels.
        camera_hz: Camera rate in simulated time.
        antialiasing: Samples a pixel of the camera: 4 (Gazebo's own) or 0.
        physics_step_s: Must divide the camera period.
        real_time: Pace physics by the wall clock; False lets it run as fast as it may.
        appearance: Colours.
        start: Where the car stands; None is the circuit's own forward start.
        photographer: A second camera that saves pictures of the car.
        mount: How the car's camera sits.
        drive: How the car obeys.
        line_gaps_m: Stretches (from, to) of the forward lap on which the line is missing.
        light: Share of daylight.
    """

    width: int = 640
    height: int = 480
    camera_hz: float = 20.0
    antialiasing: int = 4
    physics_step_s: float = 0.001
    real_time: bool = True
    appearance: Appearance = field(default_factory=Appearance)
    start: Pose | None = None
    photographer: Photographer | None = None
    mount: CameraMount = field(default_factory=CameraMount)
    drive: DriveOptions = field(default_factory=DriveOptions)
    line_gaps_m: tuple[Stretch, ...] = ()
    light: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a physics step that would make the camera skip.

        Raises:
            UsageError: The step does not divide the camera period.
        """
        steps = 1 / (self.camera_hz * self.physics_step_s)
        if round(steps) < 1 or abs(steps - round(steps)) > 1e-6:
            raise UsageError(
                f"physics step {self.physics_step_s * 1000:g} ms does not divide the camera period "
                f"{1000 / self.camera_hz:g} ms; choose e.g. 1, 2 or 5 ms"
            )


def generate_world(circuit: Circuit, out_dir: Path, options: WorldOptions | None = None) -> Path:
    """Write a circuit's world and its meshes.

    Args:
        circuit: The circuit.
        out_dir: Folder for `circuit.world` and `meshes/`; made if missing. The world names its
            meshes from there: Gazebo is started in that folder, or has it in GAZEBO_RESOURCE_PATH.
        options: Defaults to `WorldOptions()`.

    Returns:
        Path of the world file.

    Raises:
        DataError: The circuit lies where the simulator reckons too coarsely, or the world that it
            names isn't there or is another one by now.
    """
    _check_is_near(circuit)
    chosen = options or WorldOptions()
    meshes = out_dir.resolve() / "meshes"
    meshes.mkdir(parents=True, exist_ok=True)
    camera = CameraOptions(
        chosen.width, chosen.height, chosen.camera_hz, chosen.antialiasing, chosen.mount
    )
    ground_m = 0.0
    if circuit.world is None:
        world = element("world", *_scene(chosen.appearance, chosen.light), name=circuit.name)
        standing = _circuit_model(circuit, meshes, chosen)
    else:
        ground_m = circuit.world.ground_m
        world = stage(
            unchanged(circuit.world),
            out_dir.resolve(),
            shadows=circuit.world.shadows,
            solid_meshes=not circuit.world.walls,
        )
        walls = _walls(circuit, ground_m) if circuit.world.walls else []
        standing = element("model", *leaves(static=True), *walls, name="pitwall_walls")
    start = chosen.start or circuit.start()
    car = car_model(meshes, start, camera, chosen.photographer, chosen.drive, ground_m)
    world.extend([_physics(chosen), standing, car, _window()])
    path = out_dir.resolve() / "circuit.world"
    path.write_text(to_text(element("sdf", world, version="1.6")), encoding="utf-8")
    return path


def _check_is_near(circuit: Circuit) -> None:
    """Refuse coordinates that the simulator's single precision rounds to more than a millimetre."""
    away_m = float(np.abs(circuit.centreline().points_m).max())
    if np.spacing(np.float32(away_m)) > _COARSEST_M:
        raise DataError(
            f"circuit {circuit.name}: lies up to {away_m / 1000:.1f} km from the origin, where the"
            " simulator reckons too coarsely: `harness circuit add` its centreline again, which"
            " moves it there"
        )


def _scene(appearance: Appearance, light: float) -> list[Element]:
    """A plain sky and one sun without shadows: cheap to render in software."""
    sky = (*lit(appearance.sky, light), 1.0)
    scene = element(
        "scene",
        *leaves(ambient=(0.55, 0.55, 0.55, 1.0), background=sky, shadows=False, grid=False),
    )
    sun = element(
        "light",
        *leaves(
            cast_shadows=False,
            diffuse=(0.75, 0.75, 0.72, 1.0),
            specular=(0.3, 0.3, 0.3, 1.0),
            direction=(-0.45, 0.35, -0.82),
        ),
        pose(0, 0, 50, 0, 0, 0),
        name="sun",
        type="directional",
    )
    return [scene, sun]


def _physics(options: WorldOptions) -> Element:
    rate_hz = 1 / options.physics_step_s if options.real_time else UNLIMITED_RATE_HZ
    return element(
        "physics",
        *leaves(
            max_step_size=options.physics_step_s,
            real_time_factor=1.0,
            real_time_update_rate=rate_hz,
        ),
        name="ode",
        type="ode",
        default="true",
    )


def _circuit_model(circuit: Circuit, meshes: Path, options: WorldOptions) -> Element:
    """Ground, track and walls as one static model.

    The walls' boxes are models within it: Gazebo gives every model a collision space of its own,
    and passes over the boxes of those that the car is not near.
    """
    colours = {
        name: lit(colour, options.light)
        for name, colour in _colours(circuit, options.appearance).items()
    }
    visuals = []
    for part in track_parts(circuit, options.line_gaps_m):
        path = meshes / f"{part.name}.obj"
        part.mesh.write_obj(path)
        visual = mesh_visual(part.name, path, flat_material(colours[part.colour]))
        visuals.append(drawn_last(visual) if part.drawn_last else visual)
    track = element("link", *visuals, name="track")
    return element("model", *leaves(static=True), track, *_walls(circuit), name=circuit.name)


def _walls(circuit: Circuit, ground_m: float = 0.0) -> list[Element]:
    """The walls' boxes to collide with, a model a group."""
    height_m = circuit.wall_height_m
    walls = []
    for group, boxes in enumerate(wall_groups(circuit)):
        collisions = [
            box_collision(
                f"box_{index:02d}",
                (wall.length_m, WALL_THICKNESS_M, height_m),
                pose(wall.x_m, wall.y_m, ground_m + height_m / 2, 0, 0, wall.yaw_rad),
            )
            for index, wall in enumerate(boxes)
        ]
        link = element("link", *collisions, name="wall")
        walls.append(element("model", *leaves(static=True), link, name=f"walls_{group:03d}"))
    return walls


def _colours(circuit: Circuit, appearance: Appearance) -> dict[str, Colour]:
    wall = appearance.wall or WALL_COLOURS[circuit.wall_colour]
    red, green, blue = (round(0.85 * level, 4) for level in wall)
    return {
        "grass": appearance.grass,
        "asphalt": appearance.asphalt,
        "line": appearance.line,
        "kerb_red": appearance.kerb_red,
        "kerb_white": appearance.kerb_white,
        "wall": wall,
        "wall_top": (red, green, blue),
        "black": (0.05, 0.05, 0.05),
        "white": appearance.kerb_white,
    }


def _window() -> Element:
    """The view in Gazebo's window: it follows the car from behind."""
    follow = element(
        "track_visual",
        *leaves(
            name=MODEL_NAME,
            use_model_frame=True,
            inherit_yaw=True,
            static=True,
            xyz=(-2.2, 0.0, 1.1),
        ),
    )
    camera = element("camera", follow, name="user_camera")
    return element("gui", camera)
