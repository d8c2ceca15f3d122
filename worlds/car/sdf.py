"""The car as an SDF model: one body, driven by the drive plugin, with camera and contact sensor.

The body is a planar mover: the plugin sets its velocity, so nothing else may move it.
- Gravity is off and the collision box clears the ground: no friction, and every contact is a wall.
- Inertia about x and y is far larger than a car's, so that a wall, which pushes above or below the
  centre, cannot tip the body. About z, and the mass, it is the published car's 10 kg.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from worlds.appearance import Colour
from worlds.car.model import LENGTH_M, ORIGIN_HEIGHT_M, WIDTH_M, car_meshes
from worlds.circuit import Pose
from worlds.sdf import (
    Element,
    box_collision,
    element,
    leaves,
    lit_material,
    mesh_visual,
    pose,
)

MODEL_NAME = "f1"
BASE_LINK = "base_link"
COLLISION_NAME = "body"
CAMERA_NAME = "camera_left"

MASS_KG = 10.0
CAMERA_XYZ_M = (0.45, 0.04, 0.10)
CAMERA_HFOV_RAD = 1.57
CAMERA_CLIP_M = (0.1, 15.0)

_TIPPING_INERTIA_KG_M2 = 1000.0
_GROUND_CLEARANCE_M = 0.03
_BODY_HEIGHT_M = 0.15
_COLOURS: dict[str, Colour] = {
    "red": (0.80, 0.05, 0.06),
    "white": (0.90, 0.90, 0.90),
    "black": (0.05, 0.05, 0.06),
    "silver": (0.55, 0.56, 0.58),
    "yellow": (0.95, 0.80, 0.10),
}


@dataclass(frozen=True)
class CameraMount:
    """How the car's camera sits, against how it usually does.

    Attributes:
        pitch_rad: Tilted down.
        yaw_rad: Turned to the left.
        up_m: Higher.
    """

    pitch_rad: float = 0.0
    yaw_rad: float = 0.0
    up_m: float = 0.0

    @property
    def xyz_m(self) -> tuple[float, float, float]:
        """Where it is in the body's frame."""
        x_m, y_m, z_m = CAMERA_XYZ_M
        return x_m, y_m, z_m + self.up_m


@dataclass(frozen=True)
class CameraOptions:
    """The car's camera: pixels, rate in simulated time, samples a pixel (4 or 0), how it sits."""

    width: int = 640
    height: int = 480
    rate_hz: float = 20.0
    antialiasing: int = 4
    mount: CameraMount = field(default_factory=CameraMount)


@dataclass(frozen=True)
class DriveOptions:
    """How the car obeys: yaw rate = gain x command + bias + gust, speed = gain x command.

    A car that is told to stand stands all the same.

    Attributes:
        steering_gain: Of the commanded yaw rate.
        steering_bias_rad_s: Positive to the left.
        speed_gain: Of the commanded speed.
        gust_period_s: Simulated time that each gust lasts.
        gusts_rad_s: The gusts from the simulation's begin, and from the first again; may be empty.
    """

    steering_gain: float = 1.0
    steering_bias_rad_s: float = 0.0
    speed_gain: float = 1.0
    gust_period_s: float = 0.02
    gusts_rad_s: Sequence[float] = ()


@dataclass(frozen=True)
class Photographer:
    """A second camera, fixed to the car's frame, that saves every picture it takes.

    Attributes:
        folder: Where the pictures go.
        xyz_m: Position in the body frame.
        pitch_rad: Downward tilt; `yaw_rad` turns it to the left.
        rate_hz: Pictures a simulated second.
    """

    folder: Path
    xyz_m: tuple[float, float, float] = (-2.1, 0.75, 0.95)
    pitch_rad: float = 0.30
    yaw_rad: float = -0.26
    hfov_rad: float = 1.0
    width: int = 960
    height: int = 540
    far_m: float = 120.0
    rate_hz: float = 2.0


def car_model(
    mesh_folder: Path,
    start: Pose,
    camera: CameraOptions,
    photographer: Photographer | None = None,
    drive: DriveOptions | None = None,
    ground_m: float = 0.0,
) -> Element:
    """Write the car's meshes and describe its model.

    Args:
        mesh_folder: Where the meshes go; absolute.
        start: Where the car stands.
        camera: The driving camera.
        photographer: A second, saving camera, for pictures of the car.
        drive: How it obeys; None: exactly.
        ground_m: Height of the road.
    """
    visuals = []
    for colour, mesh in sorted(car_meshes().items()):
        path = mesh_folder / f"car_{colour}.obj"
        mesh.write_obj(path)
        material = lit_material(_COLOURS[colour], 0.1 if colour == "black" else 0.3)
        visuals.append(mesh_visual(f"car_{colour}", path, material))
    sensors = [_camera(camera), _contact_sensor()]
    if photographer is not None:
        sensors.append(_photo_sensor(photographer))
    link = element(
        "link",
        *leaves(gravity=False),
        _inertial(),
        _collision(),
        *visuals,
        *sensors,
        name=BASE_LINK,
    )
    return element(
        "model",
        pose(start.x_m, start.y_m, ground_m + ORIGIN_HEIGHT_M, 0.0, 0.0, start.yaw_rad),
        link,
        _drive(drive or DriveOptions()),
        name=MODEL_NAME,
    )


def _drive(options: DriveOptions) -> Element:
    """The drive plugin; parameters only where they are not the plugin's own."""
    usual = DriveOptions()
    said = {
        name: getattr(options, name)
        for name in ("steering_gain", "steering_bias_rad_s", "speed_gain")
        if getattr(options, name) != getattr(usual, name)
    }
    if options.gusts_rad_s:
        said["gust_period_s"] = options.gust_period_s
        said["gusts_rad_s"] = " ".join(f"{gust:.6f}" for gust in options.gusts_rad_s)
    return element("plugin", *leaves(**said), name="drive", filename="libf1_gazebo_drive.so")


def _inertial() -> Element:
    # A box's inertia about its vertical axis: m (l^2 + w^2) / 12.
    izz = MASS_KG * (LENGTH_M**2 + WIDTH_M**2) / 12
    tipping = _TIPPING_INERTIA_KG_M2
    inertia = leaves(ixx=tipping, ixy=0.0, ixz=0.0, iyy=tipping, iyz=0.0, izz=izz)
    return element("inertial", *leaves(mass=MASS_KG), element("inertia", *inertia))


def _collision() -> Element:
    centre_m = _GROUND_CLEARANCE_M + _BODY_HEIGHT_M / 2 - ORIGIN_HEIGHT_M
    slippery = element("surface", element("friction", element("ode", *leaves(mu=0.0, mu2=0.0))))
    size_m = (LENGTH_M, WIDTH_M, _BODY_HEIGHT_M)
    return box_collision(COLLISION_NAME, size_m, pose(0, 0, centre_m, 0, 0, 0), slippery)


def _image(width: int, height: int, hfov_rad: float, clip_m: tuple[float, float]) -> list[Element]:
    near_m, far_m = clip_m
    return [
        *leaves(horizontal_fov=hfov_rad),
        element("image", *leaves(width=width, height=height, format="R8G8B8")),
        element("clip", *leaves(near=near_m, far=far_m)),
    ]


def _camera(options: CameraOptions) -> Element:
    optics = _image(options.width, options.height, CAMERA_HFOV_RAD, CAMERA_CLIP_M)
    return element(
        "sensor",
        pose(*options.mount.xyz_m, 0, options.mount.pitch_rad, options.mount.yaw_rad),
        *leaves(update_rate=options.rate_hz, always_on=True, visualize=False),
        element("camera", *optics, name=CAMERA_NAME),
        element(
            "plugin",
            *leaves(antialiasing=options.antialiasing),
            name="camera",
            filename="libf1_gazebo_camera.so",
        ),
        name=CAMERA_NAME,
        type="camera",
    )


def _contact_sensor() -> Element:
    return element(
        "sensor",
        *leaves(always_on=True),
        element("contact", *leaves(collision=COLLISION_NAME)),
        element("plugin", name="contacts", filename="libf1_gazebo_contacts.so"),
        name="contacts",
        type="contact",
    )


def _photo_sensor(photo: Photographer) -> Element:
    optics = _image(photo.width, photo.height, photo.hfov_rad, (0.05, photo.far_m))
    save = element("save", *leaves(path=photo.folder), enabled="true")
    return element(
        "sensor",
        pose(*photo.xyz_m, 0, photo.pitch_rad, photo.yaw_rad),
        *leaves(update_rate=photo.rate_hz, always_on=True, visualize=False),
        element("camera", *optics, save, name="photographer"),
        name="photographer",
        type="camera",
    )
