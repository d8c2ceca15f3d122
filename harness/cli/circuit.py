"""`harness circuit`: list, draw, add, import circuits, and generate their worlds."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from worlds.circuit import Circuit
    from worlds.custom import Made
    from worlds.traced import Traced

app = typer.Typer(help="List, draw, add and import circuits, and generate their worlds.")


def _say(text: str) -> None:
    from rich.console import Console

    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)


@app.command("list")
def list_circuits(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """List the circuits: built-in ones and your own.

    Example: harness circuit list
    """
    from worlds.circuit import circuit_names

    rows = [_row(name) for name in circuit_names()]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table()
    table.add_column("name", no_wrap=True)
    for title in ("title", "length m", "tightest m", "width m", "limit s", ""):
        table.add_column(title, overflow="fold")
    for row in rows:
        figures = [str(row[figure]) if row[figure] is not None else "" for figure in _FIGURES]
        title = "" if row["title"] == row["name"] else row["title"]
        whose = "imported" if row["world"] else "yours" if row["file"] else "built in"
        table.add_row(row["name"], title, *figures, whose)
    Console(stderr=True).print(table)
    for row in rows:
        if row["file"]:
            _say(f"{row['name']}: {row['error'] or row['file'] + _from(row)}")


def _from(row: dict[str, Any]) -> str:
    return "" if row["source"] == row["file"] else f", from {row['source']}"


_FIGURES = ("length_m", "tightest_radius_m", "asphalt_width_m", "time_limit_s")


def _row(name: str) -> dict[str, Any]:
    """One circuit of the list; of a file that is none, why."""
    from harness.errors import DataError
    from worlds.circuit import built_in_names, circuit_file, load_circuit

    file = None if name in built_in_names() else str(circuit_file(name))
    row: dict[str, Any] = {"name": name, "title": "", **dict.fromkeys(_FIGURES)}
    row |= {"file": file, "source": None if file else "built in", "world": None, "error": None}
    try:
        circuit = load_circuit(name)
    except DataError as error:
        return row | {"error": str(error)}
    line = circuit.centreline()
    return row | {
        "title": circuit.title,
        "length_m": round(line.length_m, 1),
        "tightest_radius_m": round(1 / float(abs(line.curvatures_1_m).max()), 2),
        "asphalt_width_m": circuit.asphalt_width_m,
        "time_limit_s": circuit.time_limit_s,
        "source": circuit.source or row["source"] or file,
        "world": circuit.world and circuit.world.model_dump(mode="json"),
    }


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A circuit's name, or a path to its .yaml file.")],
    output: Annotated[Path | None, typer.Option(help="PNG to write; default NAME.png.")] = None,
) -> None:
    """Draw a map of a circuit into a PNG file.

    Example: harness circuit show montreal --output montreal.png
    """
    from worlds.circuit import load_circuit
    from worlds.map import draw_map

    circuit = load_circuit(name)
    path = output or Path(f"{circuit.name}.png")
    draw_map(circuit, path)
    _say(f"wrote {path}")


@app.command()
def add(
    source: Annotated[
        Path,
        typer.Argument(help="Table of points (.csv, .txt) in driving order, or a bag: its lap."),
    ],
    name: Annotated[str | None, typer.Option(help="Default: the file's name.")] = None,
    asphalt_width: Annotated[float, typer.Option(min=1.0, max=50.0, help="Metres.")] = 3.35,
    wall_height: Annotated[float, typer.Option(min=0.1, max=10.0, help="Metres.")] = 0.6,
    kerbs: Annotated[bool, typer.Option(help="Red and white kerbs at the turns.")] = False,
    scale: Annotated[
        float, typer.Option(min=0.001, max=1000.0, help="Make it so many times as large.")
    ] = 1.0,
    columns: Annotated[
        str | None, typer.Option(help="X,Y: names or numbers of the columns, if not found.")
    ] = None,
    odometry_topic: Annotated[
        str | None, typer.Option(help="Of a bag: else /F1ROS/odom, or the only one.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of another circuit of that name.")
    ] = False,
) -> None:
    """Add your own circuit from its centreline; refuses a line the car cannot drive.

    Example: harness circuit add my_track.csv --name my_track --asphalt-width 3.5
    """
    from worlds.custom import circuit_of

    chosen = _own_name(name or _as_name(source.stem))
    made = circuit_of(
        _traced(source, columns, odometry_topic),
        name=chosen,
        asphalt_width_m=asphalt_width,
        wall_height_m=wall_height,
        kerbs=kerbs,
        scale=scale,
    )
    _keep(made, "added", replace)


def _own_name(chosen: str) -> str:
    """A name that a circuit of the user's can have.

    Raises:
        UsageError: It can't.
    """
    from harness.errors import UsageError
    from worlds.circuit import built_in_names

    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", chosen):
        raise UsageError(f"'{chosen}' cannot name a circuit; use --name with a-z, 0-9, _ and -")
    if chosen in built_in_names():
        raise UsageError(f"'{chosen}' is a built-in circuit; choose another --name")
    return chosen


def _as_name(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_-")


def _keep(made: "Made", did: str, replace: bool) -> None:
    """Write a circuit into the user's folder, and say so.

    Raises:
        UsageError: There is another of that name, and it is not to be replaced.
        StorageError: It can't be written.
    """
    from harness.errors import UsageError
    from harness.files import write_text
    from worlds.custom import as_yaml

    name = made.circuit.name
    path = _own_folder() / f"{name}.yaml"
    known = _same(path, made.circuit)
    if known is False and not replace:
        raise UsageError(
            f"there is another '{name}' already ({path}): choose another --name, or --replace it"
        )
    write_text(path, as_yaml(made.circuit))
    for note in made.notes:
        _say(f"note: {note}")
    length_m = made.circuit.centreline().length_m
    done = {None: did, True: "unchanged:", False: "replaced"}[known]
    _say(f"{done} {name} ({length_m:.1f} m): {path}")


@app.command("import")
def import_(
    folder: Annotated[
        Path, typer.Argument(help="Folder with worlds/ and models/ in it: .../CustomRobots/f1")
    ],
    world: Annotated[str, typer.Option(help="The world's file: simple_circuit.world")],
    name: Annotated[str | None, typer.Option(help="Default: original_ and the world's.")] = None,
    centreline: Annotated[
        str,
        typer.Option(help="mesh: its red line; or a circuit, a table or a bag that leads along."),
    ] = "mesh",
    asphalt_width: Annotated[
        float | None, typer.Option(min=1.0, max=50.0, help="Metres; default: from wall to wall.")
    ] = None,
    shadows: Annotated[
        bool, typer.Option("--shadows", help="Its lights cast shadows: a third more CPU.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of another circuit of that name.")
    ] = False,
) -> None:
    """Make a circuit of a Gazebo world made elsewhere, such as the study's own.

    Example: harness circuit import CustomRobots/f1 --world simple_circuit.world
    """
    from worlds.imported import import_world

    made = import_world(
        folder,
        world,
        name=_own_name(name or _as_name(f"original_{Path(world).stem}")),
        given=None if centreline == "mesh" else _given(centreline),
        asphalt_width_m=asphalt_width,
        shadows=shadows,
    )
    _keep(made, "imported", replace)


def _given(centreline: str) -> "Traced":
    """The line of a circuit, a table or a bag."""
    import numpy as np

    from harness.errors import UsageError
    from worlds.circuit import circuit_names, load_circuit
    from worlds.traced import Traced

    if centreline in circuit_names() or centreline.endswith((".yaml", ".yml")):
        line = load_circuit(centreline).centreline()
        points = line.position(np.arange(0.0, line.length_m - 0.25, 0.5))
        return Traced(points, tuple(f"metre {i / 2:g}" for i in range(len(points))), centreline)
    if not Path(centreline).exists():
        known = ", ".join(circuit_names())
        raise UsageError(
            f"--centreline {centreline}: is no file, nor a circuit (known: {known}), nor mesh"
        )
    return _traced(Path(centreline), None, None)


def _traced(source: Path, columns: str | None, odometry_topic: str | None) -> "Traced":
    """The line of a table of points, or of the lap that a bag holds."""
    from harness.errors import UsageError
    from worlds.traced import read_traced

    if not _is_recording(source):
        if odometry_topic is not None:
            raise UsageError(f"--odometry-topic is for bags, and {source} is none")
        return read_traced(source, columns)
    if columns is not None:
        raise UsageError("--columns is for tables; a bag's line is its odometry")
    import numpy as np

    from harness.recording.chosen_topics import AskedTopics
    from harness.recording.course import driven_line
    from harness.recording.log import read_run_log
    from harness.recording.messages import bag_of
    from worlds.driven import traced_lap

    bag = bag_of(source)
    log = read_run_log(bag, damaged=True, asked=AskedTopics(odometry_topic))
    return traced_lap(np.column_stack(driven_line(log)), str(bag))


def _is_recording(path: Path) -> bool:
    """Whether it is a bag or a recording's folder, by its content or its name."""
    from harness.errors import DataError
    from harness.recording.bag_format import SUFFIXES, format_of

    try:
        return path.suffix in SUFFIXES or path.is_dir() or bool(format_of(path))
    except (DataError, OSError):
        return False


def _own_folder() -> Path:
    """Folder of the user's own circuits.

    Raises:
        StorageError: There is no home to put it in.
    """
    from harness.errors import StorageError
    from worlds.circuit import user_circuits

    try:
        return user_circuits()
    except RuntimeError:
        raise StorageError(
            "there is no home folder to keep circuits in: set PITWALL_CIRCUITS to a folder"
        ) from None


def _same(path: Path, circuit: "Circuit") -> bool | None:
    """Whether a file holds this circuit; None if it is not there."""
    from harness.errors import DataError
    from worlds.circuit import Circuit

    if not path.exists():
        return None
    try:
        return Circuit.from_yaml(path).sha256() == circuit.sha256()
    except DataError:
        return False


@app.command()
def world(
    name: Annotated[str, typer.Argument(help="A circuit's name, or a path to its .yaml file.")],
    output: Annotated[Path, typer.Option(help="Folder for circuit.world and its meshes.")],
    appearance_seed: Annotated[
        int | None,
        typer.Option(min=0, help="Random colours from this seed; default: as published."),
    ] = None,
    photos: Annotated[
        bool, typer.Option(help="Add a camera behind the car that saves into OUTPUT/photos.")
    ] = False,
) -> None:
    """Generate a circuit's Gazebo world.

    Example: harness circuit world montmelo --output /tmp/montmelo
    """
    from worlds.appearance import Appearance
    from worlds.car.sdf import Photographer
    from worlds.circuit import load_circuit
    from worlds.generator import WorldOptions, generate_world

    look = Appearance() if appearance_seed is None else Appearance.random(appearance_seed)
    photographer = Photographer(output.resolve() / "photos") if photos else None
    options = WorldOptions(appearance=look, photographer=photographer)
    path = generate_world(load_circuit(name), output, options)
    _say(f"wrote {path}")
