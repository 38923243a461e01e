"""The void (or metal) beside a surface as a network: largest balls, and the necks between them.

Of points on the surface the Delaunay tetrahedra hold it all. The ball through a tetrahedron's corners is empty and can
grow no further; on its way to the neighbour through their common face a ball has to shrink to the circle through that
face's corners where the circle's centre lies between the two (Edelsbrunner and Mücke 1994). So the network of balls and
faces knows the narrowest place of every way there is, as finely as the surface is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from scipy.spatial import Delaunay

# Points in line, in a plane or on a sphere leave open which tetrahedra they make: a ten-thousandth of a millimetre
# decides it. The seed is fixed, so that every run measures the same.
_SHAKEN_MM, _SEED = 1e-4, 20
# The three corners opposite to each corner of a tetrahedron.
_OPPOSITE = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])


@dataclass(frozen=True, eq=False)
class Network:
    """Largest balls on one side of a surface and the necks between them, none with a radius below the least asked for.

    centres: (n, 3) mm; radii, volumes: (n,) mm and mm³ of the tetrahedra the balls stand for; ends: (m, 2) the two
    balls at each neck; necks: (m,) mm, the radius of the largest ball that passes it; contacts: (m, 3) the numbers of
    the points that it touches; narrowing: bool (m,), it is narrower than both balls at its ends.
    """

    centres: np.ndarray
    radii: np.ndarray
    volumes: np.ndarray
    ends: np.ndarray
    necks: np.ndarray
    contacts: np.ndarray
    narrowing: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, normals: np.ndarray, least: float) -> Network:
        """The network on the side to which the normals point. points, normals: (n, 3); least: radius, mm."""
        shaken = points + np.random.default_rng(_SEED).uniform(-_SHAKEN_MM, _SHAKEN_MM, points.shape)
        mesh = Delaunay(shaken)
        corners = mesh.simplices
        centres, radii, volumes = circumspheres(shaken[corners])
        side = np.einsum("tci,tci->t", centres[:, None] - points[corners], normals[corners])
        kept = (side > 0.0) & (radii > least)
        number = np.full(len(corners) + 1, -1)
        number[:-1][kept] = np.arange(kept.sum())
        here = np.repeat(np.flatnonzero(kept), 4)
        there = mesh.neighbors[kept].ravel()
        faces = corners[kept][:, _OPPOSITE].reshape(-1, 3)
        inner = (here < there) & (number[there] >= 0)
        here, there, faces = here[inner], there[inner], faces[inner]
        middle, circle = circumcircles(shaken[faces])
        narrowing = np.einsum("fi,fi->f", centres[here] - middle, centres[there] - middle) <= 0.0
        necks = np.where(narrowing, circle, np.minimum(radii[here], radii[there]))
        wide = necks > least
        ends = np.stack([number[here], number[there]], axis=1)
        return cls(
            centres[kept], radii[kept], volumes[kept], ends[wide], necks[wide], faces[wide], narrowing[wide]
        )  # fmt: skip

    def access(self, doors: np.ndarray, necks: np.ndarray) -> np.ndarray:
        """(n,) mm: the radius of the largest ball that gets to each place from a door, 0 where there is no way.

        doors: bool (n,), the balls that lie outside; necks: (m,) mm, to be used for this network's own.
        """
        # All doors are one place, number 0; of several necks between two places the widest counts.
        place = np.where(doors, 0, np.cumsum(~doors))
        count = int((~doors).sum()) + 1
        low, high = np.sort(place[self.ends], axis=1).T
        order = np.lexsort((-necks, high, low))
        order = order[low[order] != high[order]]
        low, high = low[order], high[order]
        first = np.ones(len(low), bool)
        first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        # The widest ways of all lie on one tree, that of least cost where a neck's cost falls as it widens.
        top = float(necks.max(initial=0.0)) + 1.0
        costs = coo_array((top - necks[order][first], (low[first], high[first])), shape=(count, count))
        tree = minimum_spanning_tree(costs.tocsr())
        reached, before = breadth_first_order(tree, 0, directed=False)
        widest = np.zeros(count)
        branches = tree.tocoo()
        child = np.where(before[branches.col] == branches.row, branches.col, branches.row)
        widest[child] = top - branches.data
        linked = np.zeros(count, bool)
        linked[reached] = True
        widest[~linked] = 0.0
        widest[0] = np.inf
        before = np.where(before < 0, 0, before)
        while before.any():
            widest, before = np.minimum(widest, widest[before]), before[before]
        return np.minimum(widest[place], self.radii)


def circumspheres(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, 3) centres and (n,) radii of the spheres through tetrahedra's corners (n, 4, 3), and their (n,) volumes."""
    u, v, w = (corners[:, k] - corners[:, 0] for k in (1, 2, 3))
    vw, wu, uv = np.cross(v, w), np.cross(w, u), np.cross(u, v)
    six = np.einsum("ni,ni->n", u, vw)
    safe = np.where(np.abs(six) < 1e-18, 1e-18, six)
    sides = [np.einsum("ni,ni->n", side, side)[:, None] for side in (u, v, w)]
    away = (sides[0] * vw + sides[1] * wu + sides[2] * uv) / (2.0 * safe[:, None])
    return corners[:, 0] + away, np.linalg.norm(away, axis=1), np.abs(six) / 6.0


def circumcircles(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) centres and (n,) radii of the circles through triangles' corners (n, 3, 3)."""
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(u, v)
    square = np.maximum(np.einsum("ni,ni->n", normal, normal), 1e-24)
    uu, vv = np.einsum("ni,ni->n", u, u), np.einsum("ni,ni->n", v, v)
    away = (np.cross(normal, u) * vv[:, None] + np.cross(v, normal) * uu[:, None]) / (2.0 * square[:, None])
    return corners[:, 0] + away, np.linalg.norm(away, axis=1)
