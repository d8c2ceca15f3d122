"""Triangle meshes with normals, and writing them as OBJ files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mesh:
    """Flat-shaded triangles: counter-clockwise when seen from the side that shows.

    Attributes:
        triangles_m: (T, 3, 3) corners.
    """

    triangles_m: Floats

    @property
    def normals(self) -> Floats:
        """(T, 3) unit normals by the winding."""
        a, b, c = (self.triangles_m[:, corner] for corner in range(3))
        normals = np.cross(b - a, c - a)
        return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))

    def moved(self, offset_m: ArrayLike) -> "Mesh":
        """The mesh shifted by a (3,) offset."""
        return Mesh(self.triangles_m + np.asarray(offset_m, dtype=float))

    def mirrored_y(self) -> "Mesh":
        """The mesh reflected to the other side of the x-z plane, winding kept right."""
        return Mesh((self.triangles_m * (1.0, -1.0, 1.0))[:, ::-1])

    def to_obj(self) -> str:
        """The mesh as Wavefront OBJ text, with normals (without them Gazebo renders it dark)."""
        vertices, vertex_of = np.unique(
            np.round(self.triangles_m.reshape(-1, 3), 4), axis=0, return_inverse=True
        )
        normals, normal_of = np.unique(np.round(self.normals, 4), axis=0, return_inverse=True)
        corners = vertex_of.reshape(-1, 3) + 1
        lines = [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in vertices + 0.0]
        lines += [f"vn {x:.4f} {y:.4f} {z:.4f}" for x, y, z in normals + 0.0]
        lines += [
            f"f {a}//{n} {b}//{n} {c}//{n}"
            for (a, b, c), n in zip(corners, normal_of.reshape(-1) + 1, strict=True)
        ]
        return "\n".join(lines) + "\n"

    def write_obj(self, path: Path) -> None:
        """Write the mesh to an OBJ file."""
        path.write_text(self.to_obj(), encoding="ascii")


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several."""
    return Mesh(np.concatenate([mesh.triangles_m for mesh in meshes]))


def quads(corners_m: Floats) -> Mesh:
    """Two triangles for each of (Q, 4, 3) quads, corners counter-clockwise; slivers dropped."""
    triangles = np.concatenate([corners_m[:, [0, 1, 2]], corners_m[:, [0, 2, 3]]])
    a, b, c = (triangles[:, corner] for corner in range(3))
    area_m2 = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return Mesh(triangles[area_m2 > 1e-9])


def strip(left_m: Floats, right_m: Floats) -> Mesh:
    """A band between two (N, 3) rails, showing the side from which `left` lies to the left."""
    return quads(np.stack([right_m[:-1], right_m[1:], left_m[1:], left_m[:-1]], axis=1))


def loft(sections_m: Floats, *, capped: bool = True) -> Mesh:
    """A skin over (S, P, 3) closed cross-sections.

    Sections follow one another along an axis; seen against that axis (from its tip back),
    the points of each run counter-clockwise. Caps close the ends as fans around their centres.
    """
    following = np.roll(sections_m, -1, axis=1)
    skin = quads(
        np.stack([sections_m[:-1], following[:-1], following[1:], sections_m[1:]], axis=2).reshape(
            -1, 4, 3
        )
    )
    if not capped:
        return skin
    return joined([skin, _fan(sections_m[0][::-1]), _fan(sections_m[-1])])


def box(size_m: ArrayLike, centre_m: ArrayLike) -> Mesh:
    """An axis-aligned box."""
    x, y, z = np.asarray(size_m, dtype=float) / 2
    section = np.array([[0.0, -y, -z], [0.0, y, -z], [0.0, y, z], [0.0, -y, z]])
    half = np.array([x, 0.0, 0.0])
    return loft(np.stack([section - half, section + half])).moved(centre_m)


def _fan(ring_m: Floats) -> Mesh:
    centre = np.broadcast_to(ring_m.mean(axis=0), ring_m.shape)
    triangles = np.stack([centre, ring_m, np.roll(ring_m, -1, axis=0)], axis=1)
    a, b, c = (triangles[:, corner] for corner in range(3))
    area_m2 = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return Mesh(triangles[area_m2 > 1e-9])
