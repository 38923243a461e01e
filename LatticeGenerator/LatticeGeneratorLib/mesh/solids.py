"""Simple closed solids: what bores, bosses and blocks are made of."""

from __future__ import annotations

import numpy as np

from ..errors import GeometryError
from .mesh import Mesh
from .triangulate import triangulated


def box(lo: np.ndarray, hi: np.ndarray) -> Mesh:
    """The axis-aligned box between two corners, each (3,) mm."""
    lo, hi = np.asarray(lo, float), np.asarray(hi, float)
    square = np.array([[lo[0], lo[1]], [hi[0], lo[1]], [hi[0], hi[1]], [lo[0], hi[1]]])
    return extruded(square, np.eye(4), float(lo[2]), float(hi[2]))


def cylinder(start: np.ndarray, end: np.ndarray, radius: float, segments: int = 64) -> Mesh:
    """The cylinder from `start` to `end`, each (3,) mm; its corners lie on the true circle."""
    return cone(start, end, radius, radius, segments)


def cone(start: np.ndarray, end: np.ndarray, r0: float, r1: float, segments: int = 64) -> Mesh:
    """The cone or frustum with radius r0 at `start` and r1 at `end`; one of them may be 0."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(end - start))
    if length <= 0.0 or min(r0, r1) < 0.0 or max(r0, r1) <= 0.0:
        raise GeometryError(f"a cone needs length and radius: length {length:.3g} mm, radii {r0:.3g} and {r1:.3g} mm")
    angles = 2.0 * np.pi * np.arange(segments) / segments
    across, beside = _perpendiculars((end - start) / length)
    ring = np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * beside
    rings = [centre + r * ring if r > 0 else centre[None] for centre, r in ((start, r0), (end, r1))]
    return _lofted(rings, start, end)


def sphere(centre: np.ndarray, radius: float, segments: int = 64) -> Mesh:
    """The sphere with its corners on the true surface, `segments` around and half as many from pole to pole."""
    if radius <= 0.0:
        raise GeometryError(f"a sphere needs a positive radius, not {radius:.3g} mm")
    centre = np.asarray(centre, float)
    turns = 2.0 * np.pi * np.arange(segments) / segments
    tilts = np.pi * np.arange(1, segments // 2) / (segments // 2)
    ring = np.stack([np.cos(turns), np.sin(turns), np.zeros(segments)], axis=1)
    pole = np.array([0.0, 0.0, radius])
    rings = [centre + radius * (np.sin(t) * ring) - np.cos(t) * pole for t in tilts]
    return _lofted([(centre - pole)[None], *rings, (centre + pole)[None]], centre - pole, centre + pole)


def revolved(start: np.ndarray, direction: np.ndarray, profile: np.ndarray, segments: int = 64) -> Mesh:
    """The body that a profile encloses turning about an axis, with flat ends; its corners lie on the true circles.

    start: (3,) mm; direction: (3,); profile: (n, 2) mm along the axis from start, rising, and radii above 0.
    """
    profile = np.asarray(profile, float)
    if len(profile) < 2 or np.any(np.diff(profile[:, 0]) < 0.0) or profile[:, 1].min() <= 0.0:
        raise GeometryError("a turned body needs places that rise along its axis and radii above 0 mm")
    unit = np.asarray(direction, float) / np.linalg.norm(direction)
    across, beside = _perpendiculars(unit)
    angles = 2.0 * np.pi * np.arange(segments) / segments
    ring = np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * beside
    centres = np.asarray(start, float) + profile[:, :1] * unit
    return _lofted([c + r * ring for c, r in zip(centres, profile[:, 1])], centres[0], centres[-1])


def extruded(polygon2d: np.ndarray, frame4x4: np.ndarray, z0: float, z1: float) -> Mesh:
    """The prism over a simple polygon, from z0 to z1 along the frame's third axis.

    polygon2d: (n, 2) mm in the frame's first two axes, either sense, concave allowed; frame4x4: rigid, to RAS.
    """
    polygon = np.asarray(polygon2d, float)
    x, y = polygon.T
    area = 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    if len(polygon) < 3 or area == 0.0 or z0 == z1:
        raise GeometryError(f"a prism needs area and height: {len(polygon)} corners, {area:.3g} mm², {z1 - z0:.3g} mm")
    if area < 0.0:
        polygon = polygon[::-1]
    low, high = min(z0, z1), max(z0, z1)
    n = len(polygon)
    cap = triangulated(polygon)
    here, after = np.arange(n), np.roll(np.arange(n), -1)
    sides = np.concatenate([np.stack([here, after, after + n], 1), np.stack([here, after + n, here + n], 1)])
    vertices = np.concatenate([np.column_stack([polygon, np.full(n, z)]) for z in (low, high)])
    frame = np.asarray(frame4x4, float)
    return Mesh(vertices @ frame[:3, :3].T + frame[:3, 3], np.concatenate([cap[:, ::-1], cap + n, sides]))


def _perpendiculars(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors that make a right-handed frame with the unit direction as its third axis."""
    across = np.cross(np.eye(3)[int(np.argmin(np.abs(direction)))], direction)
    across /= np.linalg.norm(across)
    return across, np.cross(direction, across)


def _lofted(rings: list[np.ndarray], start: np.ndarray, end: np.ndarray) -> Mesh:
    """The closed surface through rings of n or 1 points, counter-clockwise seen from the last; flat ends are fans."""
    if len(rings[0]) > 1:
        rings = [start[None], *rings]
    if len(rings[-1]) > 1:
        rings = [*rings, end[None]]
    offsets = np.cumsum([0] + [len(ring) for ring in rings])
    faces = []
    for lower, upper, low, high in zip(rings[:-1], rings[1:], offsets[:-1], offsets[1:]):
        n = max(len(lower), len(upper))
        here, after = np.arange(n), np.roll(np.arange(n), -1)
        if len(lower) > 1:
            faces.append(np.stack([low + here, low + after, high + after % len(upper)], 1))
        if len(upper) > 1:
            faces.append(np.stack([low + here % len(lower), high + after, high + here], 1))
    return Mesh(np.concatenate(rings), np.concatenate(faces))
