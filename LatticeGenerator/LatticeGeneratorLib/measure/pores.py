"""Whether the void of a porous body is open: powder must leave it, bone must enter."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

from ..errors import GeometryError
from ..field.combine import sample
from ..field.distance import inside, signed_distance
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from ..mesh.pieces import pieces_of

_VOXEL_MM = 0.10
_MARGIN_VOXELS = 3


def closed_pores(body: Mesh, domain: Mesh) -> int:
    """How many voids in the body are closed all round and reach into the domain.

    Exact for the mesh: a closed void is a surface of its own that is turned inwards.
    """
    pieces = pieces_of(body)
    voids = np.flatnonzero(pieces.volumes < 0.0)
    if len(voids) == 0:
        return 0
    walls = pieces.only(pieces.volumes < 0.0)
    grid = Grid.around(*domain.bounds, _VOXEL_MM, pad=_MARGIN_VOXELS)
    near = sample(signed_distance(domain, grid, _VOXEL_MM), grid, walls.vertices) <= 0.0
    of_vertex = pieces_of(walls).of_vertex
    return len(np.unique(of_vertex[near]))


def connected_fraction(body: Mesh, domain: Mesh, throat_mm: float = 0.0, voxel_mm: float = _VOXEL_MM) -> float:
    """The share of the void in the domain that is reached from outside the body, 0 to 1.

    throat_mm: only through openings that a ball of this diameter passes; such a ball reaches what it covers. Judged on
    grid points voxel_mm apart in the domain's surroundings: void that leads out of them, and is not closed all round,
    counts as outside.
    Raises GeometryError if the domain holds no void.
    """
    low, high = domain.bounds
    margin = throat_mm + _MARGIN_VOXELS * voxel_mm
    grid = Grid.around(low - margin, high + margin, voxel_mm, pad=0)
    # Only which side of half a throat a point lies on is asked for.
    clearance = signed_distance(body, grid, 0.5 * throat_mm + 0.1 * voxel_mm)
    counted = (clearance > 0.0) & inside(domain, grid)
    if not counted.any():
        raise GeometryError("no void lies in the domain: it is solid, or lies outside the body")
    passable = (clearance > 0.5 * throat_mm) & ~_closed_in(body, grid)
    regions, _ = label(passable)
    border = np.zeros(regions.shape, bool)
    for axis in range(3):
        edge = np.moveaxis(border, axis, 0)
        edge[0] = edge[-1] = True
    outer = np.zeros(regions.max() + 1, bool)
    outer[regions[border]] = True
    outer[0] = False
    reached = outer[regions]
    found = int((reached & counted).sum())
    if throat_mm > 0.0:
        # A ball's centre may lie between the grid's points, up to half the diagonal of their spacing from one of them.
        covered = 0.5 * throat_mm + 0.5 * np.sqrt(3.0) * voxel_mm
        found += _within(counted & ~reached, reached, covered / voxel_mm)
    return float(found / counted.sum())


def _within(points: np.ndarray, marked: np.ndarray, reach: float) -> int:
    """How many points, bool [k, j, i], have a marked one within reach (voxels); none may lie so near the edge."""
    steps = np.arange(-int(reach), int(reach) + 1)
    k, j, i = (axis.ravel() for axis in np.meshgrid(steps, steps, steps, indexing="ij"))
    ball = np.sqrt(k * k + j * j + i * i) <= reach
    away = np.ravel_multi_index(np.stack([k, j, i])[:, ball] + int(reach), points.shape)
    away -= np.ravel_multi_index((int(reach),) * 3, points.shape)
    left, found, flat = np.flatnonzero(points), 0, marked.ravel()
    for step in away:
        hit = flat[left + step]
        found += int(hit.sum())
        left = left[~hit]
    return found


def _closed_in(body: Mesh, grid: Grid) -> np.ndarray:
    """Bool [k, j, i]: points of the grid in the body's closed voids."""
    pieces = pieces_of(body)
    voids = pieces.volumes < 0.0
    if not voids.any():
        return np.zeros(grid.array_shape, bool)
    # Walls of closed voids face their inside; turned round they enclose it.
    walls = pieces.only(voids)
    return inside(Mesh(walls.vertices, walls.faces[:, ::-1]), grid)
