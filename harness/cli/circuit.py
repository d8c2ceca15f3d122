"""`harness circuit`: list, draw, add circuits, and generate their worlds."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List, draw and add circuits, and generate their worlds.")


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
    from worlds.circuit import circuit_names, load_circuit

    rows = []
    for name in circuit_names():
        circuit = load_circuit(name)
        line = circuit.centreline()
        rows.append(
            {
                "name": name,
                "title": circuit.title,
                "length_m": round(line.length_m, 1),
                "tightest_radius_m": round(1 / float(abs(line.curvatures_1_m).max()), 2),
                "asphalt_width_m": circuit.asphalt_width_m,
                "time_limit_s": circuit.time_limit_s,
            }
        )
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "title", "length m", "tightest m", "width m", "limit s")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console(stderr=True).print(table)


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
    csv_file: Annotated[Path, typer.Argument(help="CSV with columns x,y (m), in driving order.")],
    name: Annotated[str | None, typer.Option(help="Default: the file's name.")] = None,
    asphalt_width: Annotated[float, typer.Option(min=1.0, help="Metres.")] = 3.35,
    wall_height: Annotated[float, typer.Option(min=0.1, help="Metres.")] = 0.6,
    kerbs: Annotated[bool, typer.Option(help="Red and white kerbs at the turns.")] = False,
) -> None:
    """Add your own circuit from its centreline; refuses a line the car cannot drive.

    Example: harness circuit add my_track.csv --name my_track --asphalt-width 3.5
    """
    from harness.errors import UsageError
    from worlds.circuit import built_in_names, user_circuits
    from worlds.custom import circuit_from_csv, write_circuit

    chosen = name or re.sub(r"[^a-z0-9_-]+", "_", csv_file.stem.lower()).strip("_-")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", chosen):
        raise UsageError(f"'{chosen}' cannot name a circuit; use --name with a-z, 0-9, _ and -")
    if chosen in built_in_names():
        raise UsageError(f"'{chosen}' is a built-in circuit; choose another --name")
    circuit = circuit_from_csv(
        csv_file,
        name=chosen,
        asphalt_width_m=asphalt_width,
        wall_height_m=wall_height,
        kerbs=kerbs,
    )
    path = write_circuit(circuit, user_circuits())
    _say(f"added {chosen} ({circuit.centreline().length_m:.1f} m): {path}")


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
