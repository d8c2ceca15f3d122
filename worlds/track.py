"""Everything of a circuit that stands still, as meshes and wall boxes: pure geometry."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from shapely import LinearRing, Polygon, simplify
from shapely.geometry.polygon import orient

from worlds.centreline import Centreline
from worlds.circuit import Circuit
from worlds.mesh import Mesh, joined, quads, strip

Floats = NDArray[np.float64]
Item = TypeVar("Item")
Stretch = tuple[float, float]
"""Of a lap: stations from, to."""

# Heights above the ground: far enough apart for the depth buffer at 15 m, too low to see.
ASPHALT_Z_M = 0.005
KERB_Z_M = 0.010
LINE_Z_M = 0.015

WALL_THICKNESS_M = 0.15
# A stretch of the lap that is shaped by itself: its stations are spread over its own length.
STRETCH_M = 12.0
# Stretches that share a mesh. Each mesh costs the simulator at its start and in every frame, seen
# or not; a long one costs what of it is beyond the 15 m that the camera sees.
_STRETCHES_A_MESH = 16
# Boxes that collide as one group: the car is tested against each box of the groups it is near.
_BOXES_A_GROUP = 60

_CHORD_ERROR_M = 0.003
_STEP_LIMITS_M = (0.10, 3.0)
_KERB_WIDTH_M = 0.35
# Kerb and asphalt follow an edge by different chords; the overlap hides the gaps.
_KERB_OVERLAP_M = 0.02
_KERB_BLOCK_M = 0.8
_KERB_MAX_RADIUS_M = 40.0
_KERB_RUN_OUT_M = 3.0
_WALL_TOLERANCE_M = 0.02
_CORNER_RADIUS_M = 1.0
# On the inside of a turn a band ends short of the centre of the turn, where it would fold over.
_FOLD_MARGIN = 0.95


class Part(NamedTuple):
    """One mesh of one colour; `colour` names a field of Appearance (or a fixed tone).

    Where a wall's foot meets the ground both are as far from the camera, and what is drawn last
    is seen: `drawn_last` makes that the ground, however many meshes there are.
    """

    name: str
    colour: str
    mesh: Mesh
    drawn_last: bool = False


class WallBox(NamedTuple):
    """One straight stretch of wall: a box on the ground."""

    x_m: float
    y_m: float
    yaw_rad: float
    length_m: float


def sections(line: Centreline, from_s_m: float, to_s_m: float) -> Floats:
    """Stations (N,) from one end to the other, denser where the line bends.

    A chord of length l over radius r leaves the arc by l^2 / 8r; the step keeps that small.
    """
    samples = np.linspace(from_s_m, to_s_m, max(2, round((to_s_m - from_s_m) / 0.05)))
    bend = np.abs(line.curvature(samples))
    step_m = np.clip(np.sqrt(8 * _CHORD_ERROR_M / np.maximum(bend, 1e-6)), *_STEP_LIMITS_M)
    density = 1 / step_m
    steps = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(samples))])
    count = max(1, int(np.ceil(steps[-1])))
    return np.asarray(np.interp(np.linspace(0.0, steps[-1], count + 1), steps, samples))


def rail(line: Centreline, stations_m: Floats, lateral_m: float, z_m: float) -> Floats:
    """Points (N, 3) beside the line, `lateral_m` to the left, never past a turn's centre."""
    heading, curvature = line.heading(stations_m), line.curvature(stations_m)
    towards_centre = curvature * lateral_m > 0
    with np.errstate(divide="ignore"):
        limit_m = np.where(towards_centre, _FOLD_MARGIN / np.abs(curvature), np.inf)
    offset_m = np.sign(lateral_m) * np.minimum(abs(lateral_m), limit_m)
    left = np.column_stack([-np.sin(heading), np.cos(heading)])
    xy = line.position(stations_m) + offset_m[:, None] * left
    return np.column_stack([xy, np.full(len(xy), z_m)])


def band(line: Centreline, stations_m: Floats, left_m: float, right_m: float, z_m: float) -> Mesh:
    """A flat band along the line between two lateral offsets, facing up."""
    return strip(rail(line, stations_m, left_m, z_m), rail(line, stations_m, right_m, z_m))


def track_parts(circuit: Circuit, line_gaps_m: Sequence[Stretch] = ()) -> list[Part]:
    """Ground, asphalt, line, kerbs, start marking and walls, with few meshes of a colour.

    Args:
        circuit: The circuit.
        line_gaps_m: Stretches (from, to) of the forward lap on which the line is missing,
            ascending.
    """
    line = circuit.centreline()
    half_m, line_half_m = circuit.asphalt_width_m / 2, circuit.red_line_width_m / 2
    edges = np.linspace(0.0, line.length_m, max(3, round(line.length_m / STRETCH_M)) + 1)
    stretches = [sections(line, float(a), float(b)) for a, b in itertools.pairwise(edges)]
    parts = [Part("ground", "grass", ground(line), drawn_last=True)]
    parts += _shared("asphalt", (band(line, at, half_m, -half_m, ASPHALT_Z_M) for at in stretches))
    parts += _shared(
        "line",
        (
            band(line, sections(line, a, b), line_half_m, -line_half_m, LINE_Z_M)
            for a, b in painted(edges.tolist(), line_gaps_m)
        ),
    )
    if circuit.kerbs:
        kerbs = list(_kerbs(line, half_m))
        parts += _shared("kerb_red", (red for red, _ in kerbs))
        parts += _shared("kerb_white", (white for _, white in kerbs))
    parts += _start_marking(line, circuit.start_station_m, half_m)
    walls = list(_walls(circuit))
    parts += _shared("wall", (faces for faces, _ in walls))
    parts += _shared("wall_top", (top for _, top in walls))
    return parts


def painted(edges_m: Sequence[float], gaps_m: Sequence[Stretch]) -> list[Stretch]:
    """What is left of the stretches between ascending edges, ascending gaps taken out."""
    left: list[Stretch] = []
    for begin_m, end_m in itertools.pairwise(edges_m):
        at_m = begin_m
        for gap_begin_m, gap_end_m in gaps_m:
            if gap_end_m <= at_m or gap_begin_m >= end_m:
                continue
            if gap_begin_m > at_m:
                left.append((at_m, gap_begin_m))
            at_m = min(gap_end_m, end_m)
        if at_m < end_m:
            left.append((at_m, end_m))
    return left


def _shared(colour: str, meshes: Iterable[Mesh]) -> Iterator[Part]:
    """Meshes of one colour, in their order along the lap, as few parts."""
    for index, some in enumerate(_in_groups(list(meshes), _STRETCHES_A_MESH)):
        yield Part(f"{colour}_{index:03d}", colour, joined(some))


def _in_groups(items: Sequence[Item], count: int) -> list[Sequence[Item]]:
    return [items[first : first + count] for first in range(0, len(items), count)]


def ground(line: Centreline, margin_m: float = 40.0) -> Mesh:
    """One flat quad under and around the whole circuit."""
    (x0, y0), (x1, y1) = line.points_m.min(axis=0) - margin_m, line.points_m.max(axis=0) + margin_m
    return quads(np.array([[[x0, y0, 0.0], [x1, y0, 0.0], [x1, y1, 0.0], [x0, y1, 0.0]]]))


def corridor(circuit: Circuit) -> Polygon:
    """The area the walls enclose: everything within asphalt and verge of the line.

    Its boundary is nowhere closer to any leg of the circuit than half the asphalt and the verge,
    so a wall never cuts into a leg, however the circuit winds.
    """
    ring = LinearRing(circuit.centreline().points_m[::2])
    reach_m = circuit.asphalt_width_m / 2 + circuit.verge_m
    # Out and back in again rounds the corners that point at the track.
    area = ring.buffer(reach_m + _CORNER_RADIUS_M, quad_segs=24).buffer(-_CORNER_RADIUS_M)
    return orient(simplify(area, _WALL_TOLERANCE_M))


def wall_rings(circuit: Circuit) -> list[Floats]:
    """Closed walls as (N, 2) corners, the first not repeated; the track lies on the left."""
    area = corridor(circuit)
    return [np.asarray(ring.coords)[:-1, :2] for ring in (area.exterior, *area.interiors)]


def wall_boxes(circuit: Circuit) -> list[WallBox]:
    """The walls as boxes to collide with, their track-side faces on the walls' track-side faces."""
    boxes = []
    for ring in wall_rings(circuit):
        for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            along = end - start
            length_m = float(np.hypot(*along))
            right = np.array([along[1], -along[0]]) / length_m
            x_m, y_m = (start + end) / 2 + right * WALL_THICKNESS_M / 2
            yaw_rad = float(np.arctan2(along[1], along[0]))
            boxes.append(WallBox(float(x_m), float(y_m), yaw_rad, length_m))
    return boxes


def wall_groups(circuit: Circuit) -> list[Sequence[WallBox]]:
    """The wall boxes in groups of neighbours."""
    return _in_groups(wall_boxes(circuit), _BOXES_A_GROUP)


def _walls(circuit: Circuit) -> Iterator[tuple[Mesh, Mesh]]:
    """Wall meshes, a pair a stretch: both faces and, for a lighter tone, the top."""
    for ring in wall_rings(circuit):
        inner, outer = np.vstack([ring, ring[:1]]), _thickened(ring)
        along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(inner, axis=0).T))])
        pieces = max(1, round(along_m[-1] / STRETCH_M))
        piece_of = np.minimum((along_m[:-1] / along_m[-1] * pieces).astype(int), pieces - 1)
        for piece in np.unique(piece_of):
            segments = np.flatnonzero(piece_of == piece)
            corners = np.append(segments, segments[-1] + 1)
            yield _wall_piece(inner[corners], outer[corners], circuit.wall_height_m)


def _wall_piece(inner: Floats, outer: Floats, height_m: float) -> tuple[Mesh, Mesh]:
    def at(points: Floats, z_m: float) -> Floats:
        return np.column_stack([points, np.full(len(points), z_m)])

    faces = joined(
        [
            strip(at(inner, 0.0), at(inner, height_m)),
            strip(at(outer, height_m), at(outer, 0.0)),
        ]
    )
    return faces, strip(at(inner, height_m), at(outer, height_m))


def _thickened(ring: Floats) -> Floats:
    """The wall's far side (N + 1, 2), closed: mitred corners, off the track (to the right)."""
    along = np.roll(ring, -1, axis=0) - ring
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.column_stack([along[:, 1], -along[:, 0]])
    before = np.roll(normal, 1, axis=0)
    # (a + b) / (1 + a . b) is the mitre of unit normals; sharp corners are cut short.
    mitre = (normal + before) / np.maximum(1 + (normal * before).sum(axis=1), 0.5)[:, None]
    outer = ring + mitre * WALL_THICKNESS_M
    return np.vstack([outer, outer[:1]])


def _kerbs(line: Centreline, half_m: float) -> Iterator[tuple[Mesh, Mesh]]:
    """Red and white blocks along both edges of every turn: a mesh of each colour a turn."""
    for start_m, end_m in _turns(line):
        count = max(2, round((end_m - start_m) / _KERB_BLOCK_M))
        edges = np.linspace(start_m, end_m, count + 1)
        blocks: tuple[list[Mesh], list[Mesh]] = ([], [])
        for block in range(count):
            at = sections(line, float(edges[block]), float(edges[block + 1]))
            blocks[(block + 1) % 2].extend(
                [
                    band(line, at, half_m + _KERB_WIDTH_M, half_m - _KERB_OVERLAP_M, KERB_Z_M),
                    band(line, at, _KERB_OVERLAP_M - half_m, -half_m - _KERB_WIDTH_M, KERB_Z_M),
                ]
            )
        red, white = blocks
        yield joined(red), joined(white)


def _turns(line: Centreline) -> list[tuple[float, float]]:
    """Stretches (start, end) of the lap that bend, each run out a little; long ones cut in two."""
    bends = np.abs(line.curvatures_1_m) > 1 / _KERB_MAX_RADIUS_M
    reach = round(_KERB_RUN_OUT_M / (line.length_m / len(bends)))
    spread = np.convolve(np.tile(bends, 3), np.ones(2 * reach + 1), mode="same") > 0
    marked = spread[len(bends) : 2 * len(bends)]
    if marked.all() or not marked.any():
        return [(0.0, line.length_m)] if marked.all() else []
    step_m = line.length_m / len(marked)
    first_gap = int(np.flatnonzero(~marked)[0])
    rolled = np.roll(marked, -first_gap)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], rolled.astype(int), [0]])))
    turns = []
    for begin, end in changes.reshape(-1, 2):
        cuts = max(1, round((end - begin) * step_m / (2 * STRETCH_M)))
        edges = (np.linspace(begin, end, cuts + 1) + first_gap) * step_m
        turns += [(float(a), float(b)) for a, b in itertools.pairwise(edges)]
    return turns


def _start_marking(line: Centreline, station_m: float, half_m: float) -> Iterator[Part]:
    """A chequered flag on the verge at either side: nothing on the asphalt misleads a follower."""
    size_m, rows, columns = 0.3, 4, 3
    squares: dict[str, list[Mesh]] = {"black": [], "white": []}
    for row in range(rows):
        for column in range(columns):
            inner_m = half_m + 0.15 + column * size_m
            at = np.array([station_m + (row - rows / 2) * size_m, station_m])
            at[1] = at[0] + size_m
            colour = "black" if (row + column) % 2 else "white"
            squares[colour] += [
                band(line, at, inner_m + size_m, inner_m, KERB_Z_M),
                band(line, at, -inner_m, -inner_m - size_m, KERB_Z_M),
            ]
    for colour, meshes in squares.items():
        yield Part(f"start_{colour}", colour, joined(meshes))
