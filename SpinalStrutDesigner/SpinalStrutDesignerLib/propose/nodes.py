"""A grid that follows the column, and the least distance to structures at its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from ..build.bone import within
from ..case.model import Mask, Structure
from ..threads import side_by_side

REACH_MM = 32.0  # half width of the corridor across the column
_BEYOND_MM = 22.0  # how far it extends past both docking endplates
_FINE_MM, _COARSE_MM, _LONG_MM = 0.8, 1.0, 120.0  # grid spacing for short spans and for those from here on
_BLOCK = 4  # nodes along a block's side
_SLACK_MM = 0.5  # a sampled distance may change a little faster than the way walked
# Of what may be pushed aside as far as this only the deepest part matters: it is measured on voxels of about so many
# millimetres, and kept off by half of one more.
_MOBILE_MM, _ROUGH_MM = 5.0, 2.0

Wanted = tuple[Structure, float]  # a structure, and the distance from it that counts as none left


@dataclass(frozen=True, eq=False)
class Frame:
    """Corridor coordinates: (right, anterior, down) mm about a centreline that is a function of down.

    axes: (3, 3) unit rows right, anterior, down; down is the chord from the upper to the lower docking endplate.
    line: (n, 3) corridor coordinates of the column line before it is straightened, with down increasing.
    """

    origin: np.ndarray
    axes: np.ndarray
    line: np.ndarray

    def to_corridor(self, points: np.ndarray) -> np.ndarray:
        """RAS (n, 3) to corridor coordinates (n, 3)."""
        x, y, z = (np.asarray(points, dtype=float) - self.origin).T
        right, anterior, down = (a * x + b * y + c * z for a, b, c in self.axes)
        aside = self.centre(down)
        return np.column_stack([right - aside[:, 0], anterior - aside[:, 1], down])

    def to_ras(self, local: np.ndarray) -> np.ndarray:
        """Corridor coordinates (n, 3) to RAS (n, 3)."""
        right, anterior, down = np.asarray(local, dtype=float).T
        aside = self.centre(down)
        straight = right + aside[:, 0], anterior + aside[:, 1], down
        axes = self.axes
        return self.origin + np.column_stack([sum(v * axes[k, i] for k, v in enumerate(straight)) for i in range(3)])

    def centre(self, down: np.ndarray) -> np.ndarray:
        """(n, 2) right and anterior of the column line, constant beyond its ends."""
        return np.stack([np.interp(down, self.line[:, 2], self.line[:, k]) for k in (0, 1)], axis=-1)

    def slope(self, down: np.ndarray) -> np.ndarray:
        """(n, 2) by how much the column line moves right and forwards for each mm downwards."""
        run, rise = np.diff(self.line[:, 2]), np.diff(self.line[:, :2], axis=0)
        slopes = rise / np.maximum(run, 1e-9)[:, None]
        piece = np.searchsorted(self.line[:, 2], down, side="right") - 1
        beside = (piece >= 0) & (piece < len(run))
        return np.where(beside[:, None], slopes[np.clip(piece, 0, len(run) - 1)], 0.0)


@dataclass(frozen=True, eq=False)
class Nodes:
    """Nodes of a grid in corridor coordinates. start: (3,) the first one's right, anterior, down; counts likewise,
    each a multiple of a block's side; points: (n, 3) RAS, by down, then anterior, then right."""

    frame: Frame
    start: np.ndarray
    counts: tuple[int, int, int]
    spacing: float

    @cached_property
    def points(self) -> np.ndarray:
        ticks = [self.start[k] + self.spacing * np.arange(self.counts[k]) for k in (2, 1, 0)]
        down, anterior, right = (grid.ravel() for grid in np.meshgrid(*ticks, indexing="ij"))
        return self.frame.to_ras(np.column_stack([right, anterior, down]))

    @cached_property
    def blocks(self) -> np.ndarray:
        """(m, 64) numbers of the points in each block."""
        shape = [(count // _BLOCK, _BLOCK) for count in self.counts[::-1]]
        numbers = np.arange(int(np.prod(self.counts))).reshape([n for pair in shape for n in pair])
        return numbers.transpose(0, 2, 4, 1, 3, 5).reshape(-1, _BLOCK**3)

    def on_grid(self, values: np.ndarray) -> np.ndarray:
        """Values (m, 64) by block as an array indexed [down, anterior, right]."""
        flat = np.empty(values.size, dtype=values.dtype)
        flat[self.blocks.ravel()] = values.ravel()
        return flat.reshape(self.counts[::-1])


def nodes_along(frame: Frame) -> Nodes:
    """The grid about a column line: finer for short spans."""
    length = float(frame.line[-1, 2])
    spacing = _FINE_MM if length < _LONG_MM else _COARSE_MM
    across = _BLOCK * int(np.ceil((2 * REACH_MM / spacing + 1) / _BLOCK))
    along = _BLOCK * int(np.ceil(((length + 2 * _BEYOND_MM) / spacing + 1) / _BLOCK))
    aside = -0.5 * (across - 1) * spacing
    start = np.array([aside, aside, -np.floor(_BEYOND_MM / spacing) * spacing])
    return Nodes(frame, start, (across, across, along), spacing)


def least_over(nodes: Nodes, asked: Mapping[str, Sequence[Wanted]], far_mm: float) -> dict[str, np.ndarray]:
    """For each name the least distance to its structures, each less its need, on the nodes' grid; capped at far_mm.

    A structure is sampled once for all names, and only in the blocks whose middle lets it be the nearest. float32.
    """
    points = nodes.points[nodes.blocks]
    centres = points.mean(axis=1)
    radius = np.linalg.norm(points - centres[:, None], axis=2).max(axis=1) + _SLACK_MM
    found = {name: np.full(points.shape[:2], far_mm, dtype=np.float32) for name in asked}
    # Beyond a block's farthest node nothing can be nearer: each entry's use ends there.
    bound = {name: np.full(len(points), far_mm) for name in asked}
    uses: dict[int, tuple[Structure, list[tuple[str, float]]]] = {}
    for name, wanted in asked.items():
        for structure, need in wanted:
            uses.setdefault(id(structure), (structure, []))[1].append((name, need))
    met = []
    for structure, named in uses.values():
        shape, extra = _measured(structure, min(need for _, need in named))
        reach = far_mm + extra + max(need for _, need in named)
        near = np.flatnonzero(near_box(shape, centres, reach + float(radius.max())))
        if len(near):
            met.append((shape, extra, named, near))
    # The largest first, so that no thread is left with it alone at the end.
    met_masks = sorted((shape.mask for shape, *_ in met), key=lambda mask: -mask.voxels.size)
    side_by_side([partial(getattr, mask, "field") for mask in met_masks])
    for shape, extra, named, near in met:
        middle = shape.distance(centres[near]) - extra - radius[near]
        useful = np.any([middle - need < bound[name][near] for name, need in named], axis=0)
        near = near[useful]
        if not len(near):
            continue
        values = (shape.distance(points[near].reshape(-1, 3)) - extra).reshape(len(near), -1)
        for name, need in named:
            lower = np.minimum(found[name][near], values - need)
            found[name][near], bound[name][near] = lower, lower.max(axis=1)
    return {name: nodes.on_grid(values) for name, values in found.items()}


def _measured(structure: Structure, need: float) -> tuple[Structure, float]:
    """The structure to sample, and by how much its distances may be too large."""
    if need > -_MOBILE_MM or structure.role != "keepout_soft":
        return structure, 0.0
    spacing = np.linalg.norm(structure.mask.ijk_to_ras[:3, :3], axis=0)
    step = np.maximum(np.round(_ROUGH_MM / spacing), 1).astype(int)
    matrix = structure.mask.ijk_to_ras.copy()
    matrix[:3, :3] *= step
    voxels = structure.mask.voxels[tuple(slice(None, None, n) for n in step[::-1])]
    if not voxels.any():
        return structure, 0.0
    return replace(structure, mask=Mask(voxels, matrix)), 0.5 * _ROUGH_MM


def near_box(structure: Structure, points: np.ndarray, reach: float) -> np.ndarray:
    """Whether each point lies within reach of the structure's box."""
    low, high = structure.box
    return within(points, low - reach, high + reach)
