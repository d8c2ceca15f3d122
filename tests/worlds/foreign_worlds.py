"""Writes small Gazebo worlds as somebody else would have made them: own meshes, models, a car."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worlds.centreline import Centreline
from worlds.mesh import strip
from worlds.track import band, rail

Floats = NDArray[np.float64]

RED, GREY, WHITE = (1.0, 0.0, 0.0), (0.3, 0.3, 0.3), (0.9, 0.9, 0.9)
WALLS_M, WALL_HEIGHT_M, LINE_M = 1.6, 0.5, 0.12
# Where the world puts the track, and what its file is written in.
TRACK_POSE = (5.0, -3.0, 1.5, 0.0, 0.0, 0.4)
_INCH_M = 0.0254
_NODE_SCALE, _NODE_MOVED_M = 2.0, (1.0, -2.0, 0.0)

_ANGLES = np.linspace(0.0, math.tau, 80, endpoint=False)
_RADII_M = 20.0 + 4.0 * np.cos(3.0 * _ANGLES)
# Clockwise, 136 m.
TRACK = Centreline.from_control_points(
    _RADII_M[::-1, None] * np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])[::-1]
)


def in_world(points_m: Floats) -> Floats:
    """Points (N, 2) of the track where the world has it."""
    x_m, y_m, *_, yaw = TRACK_POSE
    turn = np.array([[math.cos(yaw), math.sin(yaw)], [-math.sin(yaw), math.cos(yaw)]])
    return np.asarray(points_m @ turn + (x_m, y_m))


def line_in_world() -> Centreline:
    """The track's line where the world has it."""
    return Centreline.from_control_points(in_world(TRACK.points_m[::20]))


@dataclass(frozen=True)
class Tiny:
    """A world: SDF of the study's age, its track elsewhere and raised, in inches, texture and all.

    Attributes:
        gap_m: So much of the red line is missing where the car starts.
        line: Colour of the line.
        walls: Whether there are any.
        car: Names of the cars in it.
        sdf: Version.
        faces_forward: The car looks the way the track's points go.
    """

    gap_m: float = 0.0
    line: tuple[float, float, float] = RED
    walls: bool = True
    cars: tuple[str, ...] = ("f1_renault",)
    sdf: str = "1.4"
    faces_forward: bool = True

    def write(self, folder: Path) -> Path:
        """Write it; returns the folder to import from."""
        (folder / "worlds").mkdir(parents=True)
        (folder / "worlds" / "tiny.world").write_text(self._world())
        meshes = folder / "models" / "tiny_track" / "meshes"
        meshes.mkdir(parents=True)
        (meshes / "track.dae").write_text(self._track())
        # A picture of one grey pixel.
        (meshes / "asphalt.png").write_bytes(_PIXEL)
        (meshes / "track.dae.swp").write_text("left by an editor")
        model = meshes.parent
        _describe(model, "1.3")
        shapes = _shapes("ground", "track.dae", solid=False)
        if self.walls:
            (meshes / "walls.dae").write_text(_walls())
            shapes += _shapes("walls", "walls.dae", solid=True)
        (model / "model.sdf").write_text(
            '<?xml version="1.0"?>\n<sdf version="1.3"><model name="t"><static>true</static>'
            '<link name="floor"><collision name="plane"><geometry><plane><normal>0 0 1</normal>'
            f"<size>100 100</size></plane></geometry></collision>{shapes}</link>"
            '<plugin name="theirs" filename="libgazebo_ros_theirs.so"/></model></sdf>\n'
        )
        sun = folder / "sun"  # some checkouts have models beside worlds/
        sun.mkdir()
        _describe(sun, "1.2", "1.3")
        light = (
            "<light type='directional' name='sun'><pose>0 0 10 0 0 0</pose>"
            "<diffuse>0.8 0.8 0.8 1</diffuse><direction>-0.5 0.5 -1</direction></light>"
        )
        (sun / "model-1.2.sdf").write_text(f"<gazebo version='1.2'>{light}</gazebo>\n")
        (sun / "model-1.3.sdf").write_text(f"<sdf version='1.3'>{light}</sdf>\n")
        return folder

    def start(self) -> tuple[float, float, float]:
        """Where its car stands, 5 cm off the line, and its heading."""
        at, heading = TRACK.position(0.0), float(TRACK.heading(0.0))
        at = at + 0.05 * np.array([-math.sin(heading), math.cos(heading)])
        (x_m, y_m) = in_world(at[None])[0]
        turn = 0.0 if self.faces_forward else math.pi
        return float(x_m), float(y_m), heading + TRACK_POSE[5] + turn

    def _world(self) -> str:
        x_m, y_m, yaw = self.start()
        pose = f"{x_m:.6f} {y_m:.6f} {TRACK_POSE[2] + 0.004} 0 0 {yaw:.6f}"
        cars = "".join(
            f"<include><uri>model://{car}</uri><!-- <pose>0 0 0 0 0 0</pose> -->"
            f"<pose>{pose}</pose></include>"
            for car in self.cars
        )
        track = " ".join(map(str, TRACK_POSE))
        return (
            f'<?xml version="1.0" ?>\n<sdf version="{self.sdf}"><world name="default">'
            "<!-- <include><uri>model://f1_old</uri></include> -->"
            "<include><uri>model://sun</uri></include>"
            f"<include><uri>model://tiny_track</uri><pose>{track}</pose></include>{cars}"
            "<gui fullscreen='0'><camera name='user_camera'><pose frame=''>0 0 9 0 0 0</pose>"
            "</camera></gui><physics type='ode'><max_step_size>0.01</max_step_size></physics>"
            "<plugin name='theirs' filename='libtheirs.so'/>"
            "<scene><ambient>1.0 1.0 1.0 1.0</ambient><sky><clouds><speed>12</speed></clouds>"
            "</sky></scene></world></sdf>\n"
        )

    def _track(self) -> str:
        asphalt = _band(0.0, TRACK.length_m, 2.0, 0.0)
        line = _band(self.gap_m / 2, TRACK.length_m - self.gap_m / 2, LINE_M / 2, 0.01)
        return collada([(None, asphalt), (self.line, line)], texture="asphalt.png")


def collada(
    parts: Sequence[tuple[tuple[float, float, float] | None, Floats]], texture: str = ""
) -> str:
    """Triangles (T, 3, 3) of colours, None for the texture, as a COLLADA text in inches."""
    effects, materials, geometries, nodes = [], [], [], []
    matrix = " ".join(
        f"{_NODE_SCALE if row == column < 3 else 1.0 if row == column else moved:g}"
        for row in range(4)
        for column, moved in enumerate((0.0, 0.0, 0.0, [*_NODE_MOVED_M, 0.0][row] / _INCH_M))
    )
    for index, (colour, triangles_m) in enumerate(parts):
        shade = (
            '<texture texture="picture-sampler" texcoord="UV"/>'
            if colour is None
            else f"<color>{' '.join(map(str, colour))} 1</color>"
        )
        params = (
            '<newparam sid="picture-surface"><surface type="2D"><init_from>picture</init_from>'
            '</surface></newparam><newparam sid="picture-sampler"><sampler2D>'
            "<source>picture-surface</source></sampler2D></newparam>"
        )
        effects.append(
            f'<effect id="e{index}"><profile_COMMON>{params if colour is None else ""}'
            f'<technique sid="common"><lambert><diffuse>{shade}</diffuse></lambert></technique>'
            "</profile_COMMON></effect>"
        )
        materials.append(f'<material id="m{index}"><instance_effect url="#e{index}"/></material>')
        corners = ((triangles_m - _NODE_MOVED_M) / _NODE_SCALE / _INCH_M).reshape(-1, 3)
        geometries.append(_geometry(index, corners))
        nodes.append(
            f'<node id="n{index}"><matrix>{matrix}</matrix><instance_geometry url="#g{index}">'
            "<bind_material><technique_common>"
            f'<instance_material symbol="s{index}" target="#m{index}">'
            '<bind_vertex_input semantic="UV" input_semantic="TEXCOORD" input_set="0"/>'
            "</instance_material></technique_common></bind_material></instance_geometry></node>"
        )
    image = f'<image id="picture"><init_from>{texture}</init_from></image>' if texture else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1"><asset>'
        f'<unit meter="{_INCH_M}" name="inch"/><up_axis>Z_UP</up_axis></asset>'
        f"<library_images>{image}</library_images>"
        f"<library_effects>{''.join(effects)}</library_effects>"
        f"<library_materials>{''.join(materials)}</library_materials>"
        f"<library_geometries>{''.join(geometries)}</library_geometries>"
        f'<library_visual_scenes><visual_scene id="v">{"".join(nodes)}</visual_scene>'
        '</library_visual_scenes><scene><instance_visual_scene url="#v"/></scene></COLLADA>\n'
    )


def _geometry(index: int, corners: Floats) -> str:
    count = len(corners)

    def source(kind: str, axes: str, values: Floats) -> str:
        text = " ".join(f"{value:.6f}" for value in values.reshape(-1))
        return (
            f'<source id="g{index}{kind}"><float_array id="g{index}{kind}a" count="{values.size}">'
            f'{text}</float_array><technique_common><accessor source="#g{index}{kind}a"'
            f' count="{len(values)}" stride="{len(axes)}">'
            + "".join(f'<param name="{axis}" type="float"/>' for axis in axes)
            + "</accessor></technique_common></source>"
        )

    edges = np.roll(corners.reshape(-1, 3, 3), -1, axis=1) - corners.reshape(-1, 3, 3)
    normals = np.repeat(np.cross(edges[:, 0], edges[:, 1]), 3, axis=0)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    indices = " ".join(f"{i} {i} {i}" for i in range(count))
    return (
        f'<geometry id="g{index}"><mesh>{source("p", "XYZ", corners)}{source("n", "XYZ", normals)}'
        f"{source('t', 'ST', np.zeros((count, 2)))}"
        f'<vertices id="g{index}v"><input semantic="POSITION" source="#g{index}p"/></vertices>'
        f'<triangles material="s{index}" count="{count // 3}">'
        f'<input semantic="VERTEX" source="#g{index}v" offset="0"/>'
        f'<input semantic="NORMAL" source="#g{index}n" offset="1"/>'
        f'<input semantic="TEXCOORD" source="#g{index}t" offset="2" set="0"/>'
        f"<p>{indices}</p></triangles></mesh></geometry>"
    )


def _band(from_m: float, to_m: float, half_m: float, z_m: float) -> Floats:
    at = np.linspace(from_m, to_m, round((to_m - from_m) / 0.2))
    return band(TRACK, at, half_m, -half_m, z_m).triangles_m


def _walls() -> str:
    """One sheet on either side, seen from the track."""
    at = np.linspace(0.0, TRACK.length_m, 600)
    sheets = []
    for side in (1, -1):
        low = rail(TRACK, at, side * WALLS_M, 0.0)
        high = rail(TRACK, at, side * WALLS_M, WALL_HEIGHT_M)
        sheets.append((strip(high, low) if side > 0 else strip(low, high)).triangles_m)
    return collada([(WHITE, np.concatenate(sheets))])


def _shapes(name: str, mesh: str, *, solid: bool) -> str:
    shape = f"<geometry><mesh><uri>model://tiny_track/meshes/{mesh}</uri></mesh></geometry>"
    text = f'<visual name="{name}">{shape}</visual>'
    return text + (f'<collision name="{name}">{shape}</collision>' if solid else "")


def _describe(model: Path, *versions: str) -> None:
    name = "model.sdf" if len(versions) == 1 else "model-{}.sdf"
    files = "".join(f'<sdf version="{one}">{name.format(one)}</sdf>' for one in versions)
    (model / "model.config").write_text(
        '<?xml version="1.0"?><model><name>somebody\'s</name><version>1.0</version>'
        f"{files}</model>\n"
    )


_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c494441"
    "54789c63f0f1f1010001cc00e5dd2ce6d50000000049454e44ae426082"
)
