"""Where a domain is hollow a surface between grid points would leave it: there its distances are drawn back."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from ..field.distance import Distances
from ..field.grid import Grid
from ..mesh.half_edges import twins
from ..mesh.mesh import Mesh

BAND_STEPS = 2.0  # distances are compared over a cube, whose middle is 0.87 steps from its corners
# How far the surface between grid points may leave the domain before it is drawn back: of the 1 µm allowed.
_BESIDE_MM = 0.8e-3
# What turns inwards rises, within a grid step, over the plane of the face before. Over a hollow, whose faces are
# smaller than a step, the surface between grid points rises half as much, beside a single crease a fifth.
_OVER_HOLLOW, _BESIDE_CREASE = 0.5, 0.2
# Half-way points farther from the hollow than this cannot feel it.
_NEAR_STEPS = 2.0
# Measured on creases of all kinds: drawn back by so many times the excess the surface stays within 1 µm.
_DRAWN_BACK = 2.5
_LEAST_EXCESS_STEPS = 2e-3
_NOISE_MM = 5e-5  # what rounding alone may raise a corner by
_SHIFTS = [np.array(shift) for shift in np.ndindex(2, 2, 2)][1:]


class Hollow:
    """The edges at which a closed mesh turns inwards by more than a grid of this spacing can follow."""

    def __init__(self, mesh: Mesh, spacing: float) -> None:
        edges = hollow_edges(mesh, spacing)
        self._edges = Distances.of_edges(edges)
        self._low = edges[:, :, 1:].min(axis=1, initial=np.inf)
        self._high = edges[:, :, 1:].max(axis=1, initial=-np.inf)
        self._around = Distances(near_edges(mesh, edges, (BAND_STEPS + 2.0) * spacing))

    def reaches(self, grid: Grid) -> bool:
        """Whether any such edge comes near the grid's rows."""
        margin = (_NEAR_STEPS + 1.0) * grid.spacing
        near = (self._high >= grid.lower[1:] - margin) & (self._low <= grid.upper[1:] + margin)
        return bool(near.all(axis=1).any())

    def draw_back(self, values: np.ndarray, whole: Distances, grid: Grid) -> None:
        """Raises distances [k, j, i] to the mesh at the corners of cubes in which they say too little, in place.

        They are compared with the distance itself half-way between neighbours: on edges, squares and in the middle.
        """
        step = grid.spacing
        raised = np.zeros(values.shape, np.float32)
        for shift in _SHIFTS:
            nx, ny, nz = np.array(grid.shape) - shift
            halfway = Grid(grid.origin + 0.5 * step * shift, step, (int(nx), int(ny), int(nz)), grid.start)
            near = self._edges.unsigned(halfway, _NEAR_STEPS * step) < np.float32(_NEAR_STEPS * step)
            if not near.any():
                continue
            exact = self._around.unsigned(halfway, BAND_STEPS * step)
            np.negative(exact, out=exact, where=whole.inside(halfway))
            excess = exact - _between(values, shift[::-1])
            known = near & (np.abs(exact) < np.float32(step)) & (excess > np.float32(_LEAST_EXCESS_STEPS * step))
            excess[~known] = 0.0
            # Of each half-way point all corners of the cubes it belongs to.
            corners = np.pad(excess, [(1, 1)] * 3)
            corners = maximum_filter(corners, size=tuple(3 - n for n in shift[::-1]), mode="constant")
            np.maximum(raised, corners[tuple(slice(1, None) if n else slice(1, -1) for n in shift[::-1])], out=raised)
        raised *= np.float32(_DRAWN_BACK)
        values += raised


def _between(values: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The means of neighbouring values along the axes (k, j, i) that are shifted."""
    for axis in np.flatnonzero(shift):
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        values = np.float32(0.5) * (values[tuple(low)] + values[tuple(high)])
    return values


def hollow_edges(mesh: Mesh, spacing: float) -> np.ndarray:
    """(n, 2, 3) mm: the edges over whose faces' planes the surface rises too much within a grid step."""
    twin = twins(mesh.faces, len(mesh.vertices))
    if twin is None:
        return mesh.vertices[np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])]
    axes = [np.ascontiguousarray(axis) for axis in mesh.vertices.T]
    a, b, c = mesh.faces.T
    (ux, vx), (uy, vy), (uz, vz) = ((axis[b] - axis[a], axis[c] - axis[a]) for axis in axes)
    normal = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx])
    area = np.sqrt((normal * normal).sum(axis=0))
    normal /= np.maximum(area, 1e-300)
    # The corner across each edge, in the face beyond it.
    beyond = mesh.faces[:, [2, 0, 1]].ravel()[twin].reshape(-1, 3)
    rise = sum(n[:, None] * (axis[beyond] - axis[a][:, None]) for n, axis in zip(normal, axes)).ravel()
    turned = np.flatnonzero(rise > _NOISE_MM)
    start, end = mesh.faces.ravel()[turned], mesh.faces[:, [1, 2, 0]].ravel()[turned]
    edges = mesh.vertices[np.stack([start, end], axis=1)]
    width = np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1)
    height = area[twin[turned] // 3] / np.maximum(width, 1e-300)
    beside = _BESIDE_CREASE * rise[turned] * np.minimum(1.0, spacing / np.maximum(height, 1e-300))
    fine = np.flatnonzero((height < spacing) & (beside <= _BESIDE_MM))
    if not len(fine):
        return edges[beside > _BESIDE_MM]
    middles = edges[fine].mean(axis=1)
    tree = cKDTree(mesh.vertices, compact_nodes=False, balanced_tree=False)
    for row, middle, seen in zip(fine, middles, tree.query_ball_point(middles, spacing)):
        above = (mesh.vertices[seen] - middle) @ normal[:, turned[row] // 3]
        beside[row] = max(beside[row], _OVER_HOLLOW * float(above.max(initial=0.0)))
    return edges[beside > _BESIDE_MM]


def near_edges(mesh: Mesh, edges: np.ndarray, reach: float) -> Mesh:
    """The faces of a mesh whose own boxes come within reach of an edge's, edges (n, 2, 3) cut to pieces as long."""
    if not len(edges):
        return Mesh(mesh.vertices[:0], mesh.faces[:0])
    places = np.concatenate([_along(edge, reach) for edge in edges])
    triangles = mesh.triangles
    middle = 0.5 * (triangles.min(axis=1) + triangles.max(axis=1))
    radius = np.linalg.norm(triangles - middle[:, None], axis=2).max(axis=1)
    away = cKDTree(places).query(middle)[0]
    return Mesh(mesh.vertices, mesh.faces[away <= radius + 1.5 * reach])


def _along(edge: np.ndarray, step: float) -> np.ndarray:
    number = max(2, int(np.ceil(np.linalg.norm(edge[1] - edge[0]) / step)) + 1)
    return edge[0] + np.linspace(0.0, 1.0, number)[:, None] * (edge[1] - edge[0])
