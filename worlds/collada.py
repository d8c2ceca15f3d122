"""COLLADA meshes (.dae) as triangles with colours, where their file puts them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

Floats = NDArray[np.float64]
Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """Triangles of one material.

    Attributes:
        triangles_m: (T, 3, 3) corners in the mesh's frame, metres.
        colour: Red, green, blue in [0, 1]; None where a texture or nothing colours it.
    """

    triangles_m: Floats
    colour: Rgb | None


@dataclass(frozen=True)
class ColladaMesh:
    """What a file shows.

    Attributes:
        surfaces: In the file's order.
        textures: The pictures that it names, as it names them (relative to its folder).
    """

    surfaces: tuple[Surface, ...]
    textures: tuple[str, ...]


def read_collada(path: Path) -> ColladaMesh:
    """Read a mesh as Gazebo shows it: its unit and its nodes' matrices applied, its up axis not.

    Raises:
        DataError: The file can't be read or is no COLLADA.
    """
    # A fifth of a second to import, and only imports of worlds read meshes.
    import collada  # noqa: PLC0415

    lenient = [collada.common.DaeUnsupportedError, collada.common.DaeBrokenRefError]
    try:
        document = collada.Collada(str(path), ignore=lenient)
        unit_m = float(document.assetInfo.unitmeter or 1.0)
        scene = document.scene
        bound = [] if scene is None else list(scene.objects("geometry"))
        surfaces = [
            found
            for geometry in bound
            for primitive in geometry.primitives()
            if (found := _surface(primitive, unit_m)) is not None
        ]
        textures = tuple(unquote(image.path).replace("\\", "/") for image in document.images)
    except Exception as error:
        # The library raises what its parsing happens to stumble over (XML, numbers, indices).
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: cannot read the mesh: {said}") from error
    return ColladaMesh(tuple(surfaces), tuple(dict.fromkeys(textures)))


def _surface(primitive: Any, unit_m: float) -> Surface | None:
    """Triangles of a primitive; None of lines and of what is empty."""
    if hasattr(primitive, "triangleset"):
        primitive = primitive.triangleset()
    index = getattr(primitive, "vertex_index", None)
    if index is None or not len(index) or np.shape(index)[1:] != (3,):
        return None
    corners = np.asarray(primitive.vertex, dtype=float)[np.asarray(index)]
    return Surface(corners * unit_m, _colour(primitive.material))


def _colour(material: Any) -> Rgb | None:
    diffuse = getattr(getattr(material, "effect", None), "diffuse", None)
    if not isinstance(diffuse, tuple) or len(diffuse) < 3:
        return None
    red, green, blue = (float(level) for level in diffuse[:3])
    return red, green, blue
