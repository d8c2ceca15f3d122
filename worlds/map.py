"""A map of a circuit as a picture."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from worlds.circuit import Circuit
from worlds.track import rail, wall_rings


def draw_map(circuit: Circuit, path: Path) -> None:
    """Draw asphalt, line, walls, start and the forward direction into a PNG file."""
    line = circuit.centreline()
    half_m = circuit.asphalt_width_m / 2
    figure = Figure(figsize=(10, 7), layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    at = np.asarray(line.stations_m[::4])
    left, right = (rail(line, at, side * half_m, 0.0) for side in (1, -1))
    for edge in (left, right):
        axes.plot(*edge[:, :2].T, color="0.3", linewidth=0.6)
    walls = wall_rings(circuit) if circuit.world is None or circuit.world.walls else []
    for ring in walls:
        axes.fill(*ring.T, fill=False, edgecolor="0.7", linewidth=0.8)
    axes.plot(*line.points_m.T, color="tab:red", linewidth=1)
    start = circuit.start()
    ahead_m = line.position(circuit.start_station_m + line.length_m / 40)
    axes.annotate(
        "",
        xy=(float(ahead_m[0]), float(ahead_m[1])),
        xytext=(start.x_m, start.y_m),
        arrowprops={"arrowstyle": "-|>", "linewidth": 2},
    )
    axes.annotate("start", (start.x_m, start.y_m), (6, 6), textcoords="offset points")
    radius_m = 1 / abs(line.curvatures_1_m).max()
    axes.set_title(f"{circuit.title}: {line.length_m:.1f} m, tightest radius {radius_m:.1f} m")
    axes.set_xlabel("x (m, east)")
    axes.set_ylabel("y (m, north)")
    figure.savefig(path, dpi=110)
