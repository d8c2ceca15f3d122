"""Gazebo worlds made elsewhere: what a .world and its models hold, and their copy for a run."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as Xml

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from worlds.circuit import OriginalWorld

Floats = NDArray[np.float64]
Element = Xml.Element

_OLDEST_SDF = (1, 4)
_NEWEST_SDF = (1, 7)
_WRITTEN_SDF = "1.6"
_SCHEME = "model://"
_MODEL_URI = re.compile(r"model://([^/\s]+)")
# The cars of these worlds are all called so: f1, f1_renault, f1_renault_multicamera_multilaser ...
_CARS = "f1"
# What stands for itself in a run's world, or holds what was when somebody saved the world.
_REPLACED = ("physics", "gui", "plugin", "state")
_LEFTOVERS = ("*.swp", "*~", ".*", "__MACOSX")
_MODELS = "models"


class Placed(NamedTuple):
    """A mesh file as it stands in the world.

    Attributes:
        path: The file.
        matrix: (4, 4) from its own frame, in metres, to the world's.
        shown: Whether the camera sees it.
        solid: Whether it can be run into.
    """

    path: Path
    matrix: Floats
    shown: bool
    solid: bool

    def moved(self, triangles_m: Floats) -> Floats:
        """Its triangles (T, 3, 3) in the world's frame."""
        return np.asarray(triangles_m @ self.matrix[:3, :3].T + self.matrix[:3, 3])


@dataclass(frozen=True)
class ForeignWorld:
    """A world and all models that it includes, read and found complete.

    Attributes:
        file: The .world file.
        root: Its SDF document.
        models: Folders of its models by name, those of cars left out.
        start: The car's pose (x, y, z, roll, pitch, yaw); None without a car.
    """

    file: Path
    root: Element
    models: dict[str, Path]
    start: tuple[float, ...] | None

    @cached_property
    def sha256(self) -> str:
        """Fingerprint (hex) of the world's file and every file of its models."""
        digest = hashlib.sha256()
        files = [("world", self.file)]
        for name, folder in sorted(self.models.items()):
            kept = sorted(path for path in folder.rglob("*") if _is_kept(path, folder))
            files += [(f"{name}/{path.relative_to(folder).as_posix()}", path) for path in kept]
        for name, path in files:
            content = hashlib.sha256(_bytes(path)).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
        return digest.hexdigest()

    def placed(self) -> list[Placed]:
        """Every mesh of the world, once for all that it is there.

        Raises:
            DataError: One isn't there, or a pose or a scale is none.
        """
        found: dict[tuple[Path, bytes], Placed] = {}
        for one in self._meshes(_world(self.root), self.file, np.eye(4)):
            key = one.path, one.matrix.tobytes()
            before = found.get(key, one)
            shown, solid = one.shown or before.shown, one.solid or before.solid
            found[key] = one._replace(shown=shown, solid=solid)
        return list(found.values())

    def plane_heights_m(self) -> list[float]:
        """Heights of the planes that cars drive on."""
        return [
            float(at[2, 3])
            for shape, at, _ in self._shapes(_world(self.root), self.file, np.eye(4))
            if shape.tag == "collision" and shape.find("geometry/plane") is not None
        ]

    def _meshes(self, parent: Element, file: Path, at: Floats) -> Iterator[Placed]:
        for shape, matrix, named_in in self._shapes(parent, file, at):
            mesh = shape.find("geometry/mesh")
            if mesh is None:
                continue
            path = self._mesh_path(mesh.findtext("uri") or "", named_in)
            scale = np.diag([*_numbers(mesh.findtext("scale"), (1.0, 1.0, 1.0), named_in), 1.0])
            yield Placed(path, matrix @ scale, shape.tag == "visual", shape.tag == "collision")

    def _shapes(
        self, parent: Element, file: Path, at: Floats
    ) -> Iterator[tuple[Element, Floats, Path]]:
        """Visuals and collisions below an element: where each is, and the file it stands in."""
        for child in parent:
            if child.tag in ("visual", "collision"):
                yield child, at @ _matrix(child, file), file
            elif child.tag in ("model", "link"):
                yield from self._shapes(child, file, at @ _matrix(child, file))
            elif child.tag == "include" and not _is_car(child):
                model_file, model = _model_of(self.models[_included(child, file)])
                # A pose of the include stands for the model's own.
                posed = child if child.find("pose") is not None else model
                yield from self._shapes(model, model_file, at @ _matrix(posed, file))

    def _mesh_path(self, uri: str, named_in: Path) -> Path:
        if uri.startswith(_SCHEME):
            name, _, rest = uri.removeprefix(_SCHEME).partition("/")
            path = self.models[name] / rest
        else:
            path = named_in.parent / uri.removeprefix("file://")
        if not path.is_file():
            raise DataError(f"{named_in}: its mesh {uri} is not there ({path})")
        return path


def read_world(folder: Path, world: str) -> ForeignWorld:
    """Read a world and find its models.

    Args:
        folder: The folder that holds `worlds/` and `models/`.
        world: Name of the world's file, within `worlds/` or within the folder.

    Raises:
        DataError: Something isn't there, isn't SDF 1.4 or later, or the world has two cars.
    """
    file = _world_file(folder, world)
    root = _parsed(file)
    version = _version(root)
    if root.tag != "sdf" or version < _OLDEST_SDF or root.find("world") is None:
        if root.tag == "sdf" and version >= _OLDEST_SDF:
            raise DataError(f"{file}: holds no <world>")
        said = f"SDF {root.get('version', '')}".strip() if root.tag == "sdf" else f"<{root.tag}>"
        raise DataError(
            f"{file}: is {said}, older than SDF 1.4: `gz sdf -k FILE` of Gazebo checks such a file,"
            " `gz sdf -p FILE` prints it as a newer one"
        )
    cars = [one for one in _world(root).iter("include") if _is_car(one)]
    if len(cars) > 1:
        names = ", ".join(_included(car, file) for car in cars)
        raise DataError(
            f"{file}: holds {len(cars)} cars ({names}): leave one, its pose is the start"
        )
    start = _pose(cars[0], file) if cars else None
    models: dict[str, Path] = {}
    _find_models(root, file, folder, models)
    found = ForeignWorld(file, root, models, start)
    found.placed()  # every mesh is there
    return found


def unchanged(original: OriginalWorld) -> ForeignWorld:
    """The world that a circuit names, as it was when the circuit was made of it.

    Raises:
        DataError: It isn't there, or it or its models are others by now.
    """
    world = read_world(Path(original.folder), original.file)
    if world.sha256 != original.sha256:
        raise DataError(
            f"{world.file}: it or its models are others than the circuit was made of:"
            " `harness circuit import` it again"
        )
    return world


def stage(world: ForeignWorld, out_dir: Path, *, shadows: bool, solid_meshes: bool) -> Element:
    """Copy a world's models beside a run's world, and make the run's world of its own.

    Nothing in the copies names anything outside: no model path, no model database is asked.

    Args:
        world: The world.
        out_dir: The run's folder; `models/` is made in it.
        shadows: Let its lights cast shadows.
        solid_meshes: Leave its meshes to collide with; else walls of ours stand for them.

    Returns:
        The <world>, without cars, physics, window and plugins.

    Raises:
        DataError: A file can't be copied.
    """
    for name, folder in world.models.items():
        target = out_dir / _MODELS / name
        try:
            shutil.copytree(folder, target, ignore=shutil.ignore_patterns(*_LEFTOVERS))
        except (OSError, shutil.Error) as error:
            raise DataError(f"{folder}: can't be copied: {error}") from error
        for file in [*target.rglob("*.sdf"), *target.rglob("*.world")]:
            file.chmod(0o644)
            root = _parsed(file)
            _rewrite(root, solid_meshes=solid_meshes)
            Xml.ElementTree(root).write(file, encoding="unicode", xml_declaration=True)
    staged = _world(_parsed(world.file))
    for child in list(staged):
        if child.tag in _REPLACED or (child.tag == "include" and _is_car(child)):
            staged.remove(child)
    _rewrite(staged, solid_meshes=solid_meshes)
    scene = staged.find("scene")
    if scene is None:
        scene = Xml.SubElement(staged, "scene")
    switch = scene.find("shadows")
    if switch is None:
        switch = Xml.SubElement(scene, "shadows")
    switch.text = "true" if shadows else "false"
    return staged


def _rewrite(root: Element, *, solid_meshes: bool) -> None:
    """Name models by their copies; take out plugins, and collisions of meshes if asked."""
    for parent in list(root.iter()):
        for child in list(parent):
            mesh = child.tag == "collision" and child.find("geometry/mesh") is not None
            if child.tag == "plugin" or (mesh and not solid_meshes):
                parent.remove(child)
        if parent.text and _SCHEME in parent.text:
            parent.text = _MODEL_URI.sub(rf"file://{_MODELS}/\1", parent.text.strip())


def _world_file(folder: Path, world: str) -> Path:
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder")
    there = sorted(path.relative_to(folder) for path in (folder / "worlds").rglob("*.world"))
    if not there:
        raise DataError(
            f"{folder}: holds no worlds/*.world: name the folder with worlds/ and models/ in it,"
            " such as CustomRobots/f1"
        )
    name = world if world.endswith(".world") else f"{world}.world"
    for file in (folder / "worlds" / name, folder / name):
        if file.is_file():
            return file
    names = ", ".join(path.name for path in there)
    raise DataError(f"{folder}: there is no world {name}; there are {names}")


def _find_models(root: Element, file: Path, folder: Path, models: dict[str, Path]) -> None:
    """Find the models that an SDF document names, and those that these name."""
    names = {_included(one, file): None for one in root.iter("include") if not _is_car(one)}
    for text in (node.text for node in root.iter() if node.tag == "uri"):
        names |= dict.fromkeys(
            name for name in _MODEL_URI.findall(text or "") if not name.startswith(_CARS)
        )
    for name in names:
        if name in models:
            continue
        places = [folder / "models" / name, folder / name]
        found = next((place for place in places if place.is_dir()), None)
        if found is None:
            raise DataError(f"{file}: its model {name} is not there ({places[0]})")
        models[name] = found
        model_file, _ = _model_of(found)
        _find_models(_parsed(model_file), model_file, folder, models)


def _model_of(folder: Path) -> tuple[Path, Element]:
    """The file that Gazebo takes of a model's folder, and what it holds: a model, or a light."""
    config = next(
        (folder / n for n in ("model.config", "manifest.xml") if (folder / n).is_file()), None
    )
    if config is None:
        raise DataError(f"{folder}: has no model.config: Gazebo takes no model without it")
    known = [
        (_version(sdf), (sdf.text or "").strip())
        for sdf in _parsed(config).iter("sdf")
        if _version(sdf) <= _NEWEST_SDF
    ]
    if not known:
        raise DataError(
            f"{config}: names no file of SDF {_NEWEST_SDF[0]}.{_NEWEST_SDF[1]} or older"
        )
    file = folder / max(known)[1]
    if not file.is_file():
        raise DataError(f"{config}: its {file.name} is not there")
    root = _parsed(file)
    if root.tag != "sdf":
        raise DataError(f"{file}: is <{root.tag}>, SDF 1.2 or older, which Gazebo 11 does not read")
    model = root.find("model")
    return file, root if model is None else model


def _parsed(file: Path) -> Element:
    """An XML file's root; Python's parser refuses what expands without end."""
    try:
        return Xml.parse(file).getroot()
    except Xml.ParseError as error:
        raise DataError(f"{file}: is not whole XML: {error}") from error
    except (OSError, ValueError, LookupError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from error


def _version(element: Element) -> tuple[int, ...]:
    said = element.get("version") or "0"
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2]) or (0,)


def _world(root: Element) -> Element:
    world = root.find("world")
    assert world is not None  # read_world looked
    return world


def _included(include: Element, file: Path) -> str:
    uri = (include.findtext("uri") or "").strip()
    if not uri.startswith(_SCHEME):
        raise DataError(f"{file}: includes {uri or 'nothing'}; only model://NAME is known here")
    return uri.removeprefix(_SCHEME).strip("/").split("/")[0]


def _is_car(include: Element) -> bool:
    return (include.findtext("uri") or "").strip().startswith(f"{_SCHEME}{_CARS}")


def _is_kept(path: Path, folder: Path) -> bool:
    """Whether a file of a model is one that a run gets."""
    parts = path.relative_to(folder).parts
    return path.is_file() and not any(
        Path(part).match(pattern) for part in parts for pattern in _LEFTOVERS
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def _pose(element: Element, file: Path) -> tuple[float, ...]:
    return _numbers(element.findtext("pose"), (0.0,) * 6, file)


def _numbers(text: str | None, usual: tuple[float, ...], file: Path) -> tuple[float, ...]:
    if text is None or not text.strip():
        return usual
    try:
        numbers = tuple(float(word) for word in text.split())
    except ValueError:
        numbers = ()
    if len(numbers) != len(usual) or not np.isfinite(numbers).all():
        raise DataError(f"{file}: {len(usual)} numbers are expected where it says {text.strip()!r}")
    return numbers


def _matrix(element: Element, file: Path) -> Floats:
    """(4, 4) of an element's pose: turned about x, then y, then z, then moved."""
    x_m, y_m, z_m, roll, pitch, yaw = _pose(element, file)
    (cr, sr), (cp, sp), (cy, sy) = ((np.cos(a), np.sin(a)) for a in (roll, pitch, yaw))
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr, x_m],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr, y_m],
            [-sp, cp * sr, cp * cr, z_m],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
