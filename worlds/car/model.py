"""The shape of the car: a Formula 1 car at about 1:5, built from lofts, boxes and rings.

Frame: x forward, y left, z up; the body origin is on the car's middle plane, `ORIGIN_HEIGHT_M`
above the ground. Shapes below are given with z from the ground and shifted at the end.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from worlds.mesh import Mesh, box, joined, loft

Floats = NDArray[np.float64]

LENGTH_M = 0.90
WIDTH_M = 0.36
ORIGIN_HEIGHT_M = 0.12

_FRONT_AXLE_X_M, _REAR_AXLE_X_M = 0.29, -0.30
_WHEEL_RADIUS_M = 0.066
_TRACK_HALF_M = 0.146

Section = tuple[float, float, float, float]
"""x, half width, lowest z, highest z of one cross-section, metres."""


def car_meshes() -> dict[str, Mesh]:
    """The car's meshes by colour name, in the body frame."""
    groups: dict[str, list[Mesh]] = {
        "red": [*_bodywork(), *_wings()],
        "white": [*_livery()],
        "black": [*_floor(), *_tyres(), *_halo(), *_suspension()],
        "silver": [*_rims()],
        "yellow": [_helmet()],
    }
    return {
        colour: joined(meshes).moved((0.0, 0.0, -ORIGIN_HEIGHT_M))
        for colour, meshes in groups.items()
    }


def _rounded_loft(sections: Sequence[Section], squareness: float = 3.0, points: int = 20) -> Mesh:
    """A smooth body through cross-sections: superellipses |y/a|^n + |z/b|^n = 1."""
    angle = np.linspace(0.0, 2 * np.pi, points, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    unit_y = np.sign(cos) * np.abs(cos) ** (2 / squareness)
    unit_z = np.sign(sin) * np.abs(sin) ** (2 / squareness)
    rings = [
        np.column_stack(
            [
                np.full(points, x),
                half * unit_y,
                (low + high) / 2 + (high - low) / 2 * unit_z,
            ]
        )
        for x, half, low, high in sorted(sections)
    ]
    return loft(np.stack(rings))


def _both_sides(meshes: Iterable[Mesh]) -> list[Mesh]:
    return [side for mesh in meshes for side in (mesh, mesh.mirrored_y())]


def _bodywork() -> list[Mesh]:
    """Nose and tub, sidepods, engine cover with airbox."""
    tub = _rounded_loft(
        [
            (0.425, 0.016, 0.060, 0.078),
            (0.38, 0.024, 0.052, 0.092),
            (0.28, 0.034, 0.045, 0.112),
            (0.16, 0.046, 0.035, 0.126),
            (0.08, 0.056, 0.032, 0.128),
            (-0.05, 0.060, 0.030, 0.120),
            (-0.18, 0.050, 0.030, 0.112),
            (-0.30, 0.034, 0.036, 0.095),
            (-0.385, 0.020, 0.045, 0.075),
        ]
    )
    cover = _rounded_loft(
        [
            (-0.035, 0.020, 0.110, 0.186),
            (-0.06, 0.027, 0.100, 0.192),
            (-0.12, 0.026, 0.090, 0.178),
            (-0.20, 0.018, 0.085, 0.150),
            (-0.30, 0.010, 0.075, 0.115),
            (-0.37, 0.005, 0.065, 0.088),
        ],
        squareness=2.3,
    )
    pod = _rounded_loft(
        [
            (0.075, 0.036, 0.045, 0.100),
            (0.05, 0.040, 0.030, 0.106),
            (-0.06, 0.040, 0.024, 0.104),
            (-0.16, 0.030, 0.022, 0.088),
            (-0.26, 0.014, 0.022, 0.060),
        ],
        squareness=4.0,
    ).moved((0.0, 0.082, 0.0))
    return [tub, cover, *_both_sides([pod])]


def _plate(
    x_m: tuple[float, float], y_m: tuple[float, float], z_m: tuple[float, float], rise_m: float
) -> Mesh:
    """A wing element: a box whose rear edge stands higher by `rise_m`."""
    (x0, x1), (y0, y1), (z0, z1) = x_m, y_m, z_m
    rear = [
        (x0, y0, z0 + rise_m),
        (x0, y1, z0 + rise_m),
        (x0, y1, z1 + rise_m),
        (x0, y0, z1 + rise_m),
    ]
    front = [(x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)]
    return loft(np.array([rear, front]))


def _wings() -> list[Mesh]:
    half = WIDTH_M / 2
    front = [
        _plate((0.375, 0.440), (-half, half), (0.030, 0.036), 0.006),
        _plate((0.345, 0.385), (-half, half), (0.045, 0.050), 0.016),
    ]
    rear = [
        _plate((-0.425, -0.365), (-0.135, 0.135), (0.165, 0.171), 0.012),
        _plate((-0.450, -0.415), (-0.135, 0.135), (0.180, 0.185), 0.022),
        _plate((-0.430, -0.380), (-0.110, 0.110), (0.085, 0.090), 0.010),
    ]
    return [*front, *rear]


def _livery() -> list[Mesh]:
    """White end plates, and pillars that carry the nose and the rear wing."""
    front_plate = box((0.105, 0.005, 0.045), (0.3925, WIDTH_M / 2, 0.052))
    rear_plate = box((0.095, 0.005, 0.135), (-0.4025, 0.137, 0.142))
    pillar = box((0.030, 0.004, 0.100), (-0.385, 0.018, 0.120))
    nose_pillar = box((0.030, 0.004, 0.028), (0.400, 0.014, 0.050))
    return _both_sides([front_plate, rear_plate, pillar, nose_pillar])


def _floor() -> list[Mesh]:
    half = 0.135
    outline = np.array([(0.20, 0.045), (0.10, half), (-0.26, half), (-0.30, 0.085), (-0.41, 0.085)])
    left = np.vstack([outline, outline[::-1] * (1, -1)])
    layers = [np.column_stack([left, np.full(len(left), z)]) for z in (0.018, 0.026)]
    cockpit = _rounded_loft(
        [
            (0.125, 0.020, 0.100, 0.129),
            (0.09, 0.036, 0.100, 0.134),
            (0.00, 0.038, 0.100, 0.134),
            (-0.04, 0.030, 0.100, 0.134),
        ],
        squareness=4.0,
    )
    return [loft(np.stack(layers)), cockpit]


def _revolved(profile: Sequence[tuple[float, float]], centre_m: tuple[float, float, float]) -> Mesh:
    """A body of revolution about the y axis from (y, radius) pairs, y rising."""
    angle = np.linspace(0.0, 2 * np.pi, 28, endpoint=False)
    rings = [
        np.column_stack([r * np.sin(angle), np.full(len(angle), y), r * np.cos(angle)])
        for y, r in profile
    ]
    return loft(np.stack(rings)).moved(centre_m)


def _wheels(profile: Sequence[tuple[float, float]], rear_widening: float) -> list[Mesh]:
    front = _revolved(profile, (_FRONT_AXLE_X_M, _TRACK_HALF_M, _WHEEL_RADIUS_M))
    wide = [(y * rear_widening, radius) for y, radius in profile]
    rear = _revolved(wide, (_REAR_AXLE_X_M, _TRACK_HALF_M, _WHEEL_RADIUS_M))
    return _both_sides([front, rear])


def _tyres() -> list[Mesh]:
    r = _WHEEL_RADIUS_M
    profile = [(-0.030, r * 0.90), (-0.022, r), (0.022, r), (0.030, r * 0.90)]
    return _wheels(profile, rear_widening=1.25)


def _rims() -> list[Mesh]:
    r = _WHEEL_RADIUS_M
    return _wheels([(-0.031, r * 0.62), (0.031, r * 0.62)], rear_widening=1.25)


def _tube(path_m: Floats, radius_m: float, points: int = 8) -> Mesh:
    """A round tube along a (N, 3) path that never runs straight up."""
    along = np.gradient(path_m, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross((0.0, 0.0, 1.0), along)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    over = np.cross(along, side)
    angle = np.linspace(0.0, 2 * np.pi, points, endpoint=False)
    offsets = (
        np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * over[:, None]
    )
    return loft(path_m[:, None] + radius_m * offsets)


def _halo() -> list[Mesh]:
    """The hoop around the cockpit and its middle strut."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 17)
    hoop = np.column_stack(
        [
            -0.035 + 0.125 * np.cos(angle),
            0.044 * np.sin(angle),
            0.152 + 0.010 * np.cos(angle),
        ]
    )
    strut = np.array([(0.088, 0.0, 0.160), (0.105, 0.0, 0.145), (0.118, 0.0, 0.122)])
    return [_tube(hoop, 0.0055), _tube(strut, 0.005)]


def _suspension() -> list[Mesh]:
    arms = []
    for axle_x_m, inner_y_m in ((_FRONT_AXLE_X_M, 0.030), (_REAR_AXLE_X_M, 0.030)):
        for reach_m in (-0.045, 0.045):
            for z_m in (0.055, 0.088):
                path = np.array(
                    [(axle_x_m + reach_m, inner_y_m, z_m), (axle_x_m, _TRACK_HALF_M, z_m - 0.006)]
                )
                arms.append(_tube(path, 0.0035, points=6))
    return _both_sides(arms)


def _helmet() -> Mesh:
    return _rounded_loft(
        [
            (-0.022, 0.010, 0.136, 0.156),
            (-0.014, 0.021, 0.124, 0.168),
            (0.004, 0.025, 0.122, 0.173),
            (0.022, 0.019, 0.124, 0.167),
            (0.030, 0.010, 0.134, 0.156),
        ],
        squareness=2.0,
        points=14,
    )
