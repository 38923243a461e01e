"""The contact faces of a finished guide: where its surface lies at the contact offset from bone and faces it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..errors import GeometryError

Distance = Callable[[np.ndarray], np.ndarray]

# Faces larger than this are cut, mm: finer than the levers that tell of a tilt.
_EDGE_MM = 0.8
_CUTS = 12  # halvings of an edge, from 3 m down
# A face faces bone within 60° of the way to it, and may lie along the insertion direction, as a wall does from which an
# undercut was taken; the sines and cosines of that. Engineering judgement.
_FACES_BONE = 0.5
_FACES_BACK = -0.1
_SLOPE_MM = 0.1
# Faces nearer to each other than this are one contact zone, mm; what is smaller than this, mm², holds nothing and
# need not come out of the printer. Engineering judgement; verify locally.
APART_MM = 1.0
LEAST_ZONE_MM2 = 1.0


@dataclass(frozen=True, eq=False)
class Contact:
    """A guide's contact faces as made. points: (n, 3) RAS mm on them; normals: (n, 3) unit, from bone to guide; areas:
    (n,) mm² that each stands for; zones: (n,) int, which separate zone each is of."""

    points: np.ndarray
    normals: np.ndarray
    areas: np.ndarray
    zones: np.ndarray


def contact_of(mesh: Mesh, bone: Distance, offset_mm: float, within_mm: float, insertion: np.ndarray) -> Contact:
    """The contact of a finished guide: faces that lie offset ± within from bone, face it, and do not face back against
    the insertion direction (3,), along which the guide goes onto bone. bone: (n, 3) RAS mm to (n,) signed mm.

    Raises GeometryError where the guide touches bone nowhere.
    """
    insertion = np.asarray(insertion, dtype=float) / np.linalg.norm(insertion)
    triangles = _near(mesh.triangles, bone, offset_mm + within_mm)
    triangles = _cut(triangles)
    points = triangles.mean(axis=1)
    outward = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    twice = np.linalg.norm(outward, axis=1)
    solid = twice > 1e-9
    points, outward, areas = points[solid], outward[solid] / twice[solid, None], twice[solid] / 2.0
    # A number rounded from the file must not take a face away that lies just on the limit.
    close = np.abs(np.asarray(bone(points)) - offset_mm) <= within_mm + 1e-6 if len(points) else np.zeros(0, bool)
    facing = -(outward[close] * _away(bone, points[close])).sum(axis=1) >= _FACES_BONE
    facing &= outward[close] @ insertion >= _FACES_BACK
    chosen = np.flatnonzero(close)[facing]
    points, normals, areas = points[chosen], -outward[chosen], areas[chosen]
    zones = _zones(points) if len(points) else np.zeros(0, int)
    large = np.bincount(zones, areas)[zones] >= LEAST_ZONE_MM2 if len(points) else np.zeros(0, bool)
    if not large.any():
        raise GeometryError(
            f"the guide has no contact with bone: no zone of {LEAST_ZONE_MM2:g} mm² lies {offset_mm:g} ± "
            f"{within_mm:g} mm from it and faces it; bring its contact zones to the bone, or give the offset that it "
            "was made with"
        )
    return Contact(points[large], normals[large], areas[large], np.unique(zones[large], return_inverse=True)[1])


def _near(triangles: np.ndarray, bone: Distance, reach_mm: float) -> np.ndarray:
    """The triangles that may come within reach of bone: a distance changes no faster than the way walked."""
    if not len(triangles):
        return triangles
    middles = triangles.mean(axis=1)
    radius = np.linalg.norm(triangles - middles[:, None], axis=2).max(axis=1)
    return triangles[np.asarray(bone(middles)) <= reach_mm + 1.5 * radius + 0.5]


def _cut(triangles: np.ndarray) -> np.ndarray:
    """The same surface in triangles without long edges: each longest edge is halved until it is short."""
    done = []
    for _ in range(2 * _CUTS):
        edges = np.linalg.norm(triangles - np.roll(triangles, -1, axis=1), axis=2)
        long = edges.max(axis=1) > _EDGE_MM
        done.append(triangles[~long])
        triangles, edges = triangles[long], edges[long]
        if not len(triangles):
            break
        order = (edges.argmax(axis=1)[:, None] + np.arange(3)) % 3
        a, b, c = np.take_along_axis(triangles, order[:, :, None], axis=1).transpose(1, 0, 2)
        half = (a + b) / 2.0
        triangles = np.concatenate([np.stack([a, half, c], axis=1), np.stack([half, b, c], axis=1)])
    return np.concatenate([*done, triangles])


def _away(bone: Distance, points: np.ndarray) -> np.ndarray:
    """(n, 3) unit, the way from bone."""
    rise = [np.asarray(bone(points + step)) - np.asarray(bone(points - step)) for step in _SLOPE_MM * np.eye(3)]
    slope = np.stack(rise, axis=1)
    return slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-12)


def _zones(points: np.ndarray) -> np.ndarray:
    """(n,) number of the group that each point belongs to: groups lie farther than the limit from each other."""
    pairs = cKDTree(points).query_pairs(APART_MM, output_type="ndarray")
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    return connected_components(links, directed=False)[1]
