"""Plane sections of a finished mesh and what a beam needs of them: area, centroid, principal moments, torsion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .torsion import Torsion, torsion


@dataclass(frozen=True, eq=False)
class Outline:
    """The closed outline where a plane cuts a mesh, as oriented segments: material lies on their left seen against
    normal. starts, ends: (n, 3) RAS mm; loop: (n,) number of the closed loop each belongs to."""

    starts: np.ndarray
    ends: np.ndarray
    loop: np.ndarray
    point: np.ndarray
    normal: np.ndarray

    def kept(self, chosen: np.ndarray) -> Outline:
        """The loops whose numbers are True in chosen: (loops,)."""
        keep = chosen[self.loop]
        return Outline(self.starts[keep], self.ends[keep], self.loop[keep], self.point, self.normal)

    def near(self, point: np.ndarray, reach_mm: float) -> Outline:
        """The loops that come within reach of a point (3,)."""
        if not len(self.loop):
            return self
        least = np.full(self.loop.max() + 1, np.inf)
        np.minimum.at(least, self.loop, np.linalg.norm(0.5 * (self.starts + self.ends) - point, axis=1))
        return self.kept(least <= reach_mm)

    def clipped(self, point: np.ndarray, normal: np.ndarray) -> Outline:
        """The part on the side of the plane (point, normal) to which normal points, closed along the cut."""
        a, b = (self.starts - point) @ normal, (self.ends - point) @ normal
        inside_a, inside_b = a >= 0.0, b >= 0.0
        crossing = inside_a != inside_b
        share = np.where(crossing, a / np.where(crossing, a - b, 1.0), 0.0)[:, None]
        cut = self.starts + share * (self.ends - self.starts)
        starts = np.where(inside_a[:, None], self.starts, cut)
        ends = np.where(inside_b[:, None], self.ends, cut)
        keep = inside_a | inside_b
        starts, ends, loop = starts[keep], ends[keep], self.loop[keep]
        # Along the cut, leaving and entering points alternate: each leaving one is joined to its entering neighbour.
        along = np.cross(self.normal, normal)
        points = cut[crossing]
        order = np.argsort(points @ along, kind="stable")
        pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
        leaving = inside_a[crossing]
        first = np.where(leaving[pairs[:, 0]], pairs[:, 0], pairs[:, 1])
        second = np.where(leaving[pairs[:, 0]], pairs[:, 1], pairs[:, 0])
        loops = self.loop[crossing][first]
        return Outline(
            np.concatenate([starts, points[first]]),
            np.concatenate([ends, points[second]]),
            np.concatenate([loop, loops]),
            self.point,
            self.normal,
        )

    def without(self, other: Outline) -> Outline:
        """What remains when the area that another outline in the same plane encloses is taken away."""
        from manifold3d import CrossSection as Area
        from manifold3d import FillRule

        if not len(self.starts) or not len(other.starts):
            return self
        basis = np.stack(_plane_axes(self.normal))
        own, taken = (
            Area([(loop - self.point) @ basis.T for loop in outline._polygons()], FillRule.Positive)
            for outline in (self, other)
        )
        loops = [self.point + loop @ basis for loop in (own - taken).to_polygons()]
        if not loops:
            return self.kept(np.zeros(self.loop.max() + 1, dtype=bool))
        return Outline(
            np.concatenate(loops),
            np.concatenate([np.roll(loop, -1, axis=0) for loop in loops]),
            np.repeat(np.arange(len(loops)), [len(loop) for loop in loops]),
            self.point,
            self.normal,
        )

    def _polygons(self) -> list[np.ndarray]:
        """The closed loops, each as (n, 3) corners in their order."""
        _, node = np.unique(np.concatenate([self.starts, self.ends]), axis=0, return_inverse=True)
        first, last = node.ravel()[: len(self.starts)].tolist(), node.ravel()[len(self.starts) :].tolist()
        beginning: dict[int, list[int]] = {}
        for segment, start in enumerate(first):
            beginning.setdefault(start, []).append(segment)
        # Where loops touch in a point, any way on from it closes them with the same area.
        polygons = []
        for start in first:
            chain, here = [], start
            while beginning[here]:
                chain.append(beginning[here].pop())
                here = last[chain[-1]]
            if chain:
                polygons.append(self.starts[chain])
        return polygons


@dataclass(frozen=True, eq=False)
class CrossSection:
    """A section as a beam sees it. axes: (2, 3) unit principal axes in RAS with axes[0] x axes[1] = normal;
    moments: (2,) mm⁴, the integral of the square of the coordinate along axes[0] and along axes[1];
    edge: (n, 2) outline points in those coordinates about the centroid."""

    normal: np.ndarray
    area: float
    centroid: np.ndarray
    axes: np.ndarray
    moments: np.ndarray
    edge: np.ndarray
    segments: tuple[np.ndarray, np.ndarray]

    @cached_property
    def torsion(self) -> Torsion:
        """Saint-Venant constant and modulus."""
        return torsion(*self.segments)

    @property
    def extent_mm(self) -> tuple[float, float]:
        """Size along the two principal axes."""
        size = self.edge.max(axis=0) - self.edge.min(axis=0)
        return float(size[0]), float(size[1])


def cut(mesh: Mesh, point: np.ndarray, normal: np.ndarray) -> Outline:
    """The closed outline of a mesh in the plane through point (3,) with unit normal (3,); empty where they miss."""
    height = (mesh.vertices - point) @ normal
    above = height >= 0.0
    corner_above = above[mesh.faces]
    count = corner_above.sum(axis=1)
    faces = mesh.faces[(count == 1) | (count == 2)]
    if not len(faces):
        nothing = np.zeros((0, 3))
        return Outline(nothing, nothing, np.zeros(0, dtype=int), point, normal)
    # Turn each triangle so that its first corner is alone on its side.
    corner_above = above[faces]
    alone = np.argmax(corner_above == (corner_above.sum(axis=1) == 1)[:, None], axis=1)
    turn = (alone[:, None] + np.arange(3)) % 3
    faces = np.take_along_axis(faces, turn, axis=1)
    one, key_one = _crossing(mesh, height, faces[:, 0], faces[:, 1])
    two, key_two = _crossing(mesh, height, faces[:, 0], faces[:, 2])
    # The outline runs along normal x (outward face normal): with the first corner above, from its first edge (0-1) to
    # its last (0-2).
    up = above[faces[:, 0]][:, None]
    starts, ends = np.where(up, one, two), np.where(up, two, one)
    return Outline(starts, ends, _loops(key_one, key_two), point, normal)


def measured(outline: Outline) -> CrossSection | None:
    """Area, centroid, principal moments of a closed outline by Green's theorem; None where it encloses nothing."""
    if not len(outline.starts):
        return None
    e1, e2 = _plane_axes(outline.normal)
    basis = np.stack([e1, e2])
    middle = 0.5 * (outline.starts.min(axis=0) + outline.starts.max(axis=0))
    middle = middle - ((middle - outline.point) @ outline.normal) * outline.normal
    a, b = (outline.starts - middle) @ basis.T, (outline.ends - middle) @ basis.T
    cross = a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]
    area = 0.5 * float(cross.sum())
    if area <= 1e-6:
        return None
    centre = ((a + b) * cross[:, None]).sum(axis=0) / (6.0 * area)
    a, b = a - centre, b - centre
    cross = a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]
    xx, yy = (((a * a + a * b + b * b) * cross[:, None]).sum(axis=0) / 12.0).tolist()
    product = a[:, 0] * b[:, 1] + 2.0 * a[:, 0] * a[:, 1] + 2.0 * b[:, 0] * b[:, 1] + b[:, 0] * a[:, 1]
    xy = float((product * cross).sum()) / 24.0
    moments, turn = np.linalg.eigh(np.array([[xx, xy], [xy, yy]]))
    if np.linalg.det(turn) < 0.0:
        turn[:, 1] = -turn[:, 1]
    a, b = a @ turn, b @ turn
    return CrossSection(
        normal=outline.normal,
        area=area,
        centroid=middle + centre @ basis,
        axes=turn.T @ basis,
        moments=moments,
        edge=a,
        segments=(a, b),
    )


def round_section(centroid: np.ndarray, normal: np.ndarray, diameter_mm: float) -> CrossSection:
    """The section of a round rod."""
    angle = np.linspace(0.0, 2.0 * np.pi, 72, endpoint=False)
    edge = 0.5 * diameter_mm * np.column_stack([np.cos(angle), np.sin(angle)])
    moment = np.pi * diameter_mm**4 / 64.0
    section = CrossSection(
        normal=normal,
        area=np.pi * diameter_mm**2 / 4.0,
        centroid=centroid,
        axes=np.stack(_plane_axes(normal)),
        moments=np.array([moment, moment]),
        edge=edge,
        segments=(edge, np.roll(edge, -1, axis=0)),
    )
    # Exact for a circle: J = pi d^4 / 32, modulus = pi d^3 / 16; spares the solution of the field.
    section.__dict__["torsion"] = Torsion(2.0 * moment, np.pi * diameter_mm**3 / 16.0)
    return section


def _crossing(mesh: Mesh, height: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where edges first-second cross the plane, and a key of each edge; the same bits from both sides of an edge."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    share = (height[low] / (height[low] - height[high]))[:, None]
    points = mesh.vertices[low] + share * (mesh.vertices[high] - mesh.vertices[low])
    return points, low * len(mesh.vertices) + high


def _loops(key_one: np.ndarray, key_two: np.ndarray) -> np.ndarray:
    """Number of the closed loop of each segment; segments meet where they share a mesh edge."""
    _, node = np.unique(np.concatenate([key_one, key_two]), return_inverse=True)
    one, two = node[: len(key_one)], node[len(key_one) :]
    total = int(node.max()) + 1
    graph = coo_matrix((np.ones(len(one), dtype=np.int8), (one, two)), shape=(total, total))
    return connected_components(graph, directed=False)[1][one]


def _plane_axes(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors with e1 x e2 = normal."""
    helper = np.eye(3)[int(np.argmin(np.abs(normal)))]
    e1 = np.cross(helper, normal)
    e1 = e1 / np.linalg.norm(e1)
    return e1, np.cross(normal, e1)
