"""One period of a cell in voxels, measured as published tables of cells are: with balls on the middles of voxels.

A measurement of its own, from nothing but the cell's field. Distances go from the middle of a voxel to the middle of
the nearest voxel of the other kind. Radii of balls go in `STEPS` equal steps up to the largest distance; on every voxel
sits a ball of the greatest of these radii that is not beyond its distance; it covers the voxels whose middles lie
within it, and the largest that covers a voxel is that voxel's (local thickness; T. Hildebrand and P. Rüegsegger,
J Microsc 1997;185:67). Half a voxel comes off every radius, since the surface lies between two middles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.cells import Cell
from scipy.ndimage import distance_transform_edt, label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

VOXELS = 112
# The period of the random cell is several cells, of which each is given fewer voxels.
RANDOM_VOXELS = 64
# The table does not say its steps: this number was found by trying which gives the table back.
STEPS = 35
HALF = 0.5  # voxels from the middle of the last voxel to the surface
# Where pores are of two sizes, 4000 places leave the mean uncertain by 1 %.
_SAMPLES = 20_000
_HALVINGS = 11
# A tie is no matter of rounding: squares of distances between voxels are whole numbers.
_TIE = 1e-5
# Cells that no ball is larger than, so that a margin of so much stands for the endless lattice.
_LARGEST = {1: 0.52, 3: 1.0}


@dataclass(frozen=True)
class Voxels:
    """void, metal: [x, y, z] distances in voxels to the nearest of the other, 0 there; per_cell: voxels a cell."""

    void: np.ndarray
    metal: np.ndarray
    per_cell: float

    @classmethod
    def of(cls, cell: Cell, porosity: float) -> Voxels:
        """The cell with that share of its voxels void, the middles of the others lying in its metal."""
        per_cell = VOXELS if cell.period == 1 else RANDOM_VOXELS
        number = per_cell * cell.period
        axis = (np.arange(number, dtype=np.float32) + np.float32(0.5)) / np.float32(per_cell)
        values, _ = cell.field(axis[:, None, None], axis[None, :, None], axis[None, None, :])
        values = np.broadcast_to(values, (number,) * 3)
        metal = values < np.quantile(values, 1.0 - porosity)
        margin = int(_LARGEST[cell.period] * per_cell)
        wide, middle = np.pad(metal, margin, mode="wrap"), (slice(margin, margin + number),) * 3
        void, solid = (distance_transform_edt(kind)[middle] for kind in (~wide, wide))
        if max(void.max(), solid.max()) >= margin:
            raise ValueError(f"{cell.name}: a ball is larger than the margin of {margin} voxels: widen the margin")
        return cls(void, solid, per_cell)

    def pore(self) -> float:
        """Mean over the void of the diameter of the largest ball that covers each place, in cells."""
        return self._mean_diameter(self.void)

    def thickness(self) -> float:
        """The same over the metal."""
        return self._mean_diameter(self.metal)

    def throat(self) -> float:
        """Diameter of the largest ball that passes through the void for ever along every axis, in cells."""
        widest = min(_widest_way(np.moveaxis(self.void, axis, 0)) for axis in range(3))
        return 2.0 * (widest - HALF) / self.per_cell

    def _mean_diameter(self, distances: np.ndarray) -> float:
        places = np.argwhere(distances > 0.0)
        own = distances[distances > 0.0]
        some = np.random.default_rng(0).choice(len(places), min(_SAMPLES, len(places)), replace=False)
        sizes = _covering(places, own, some, len(distances))
        return float(2.0 * (sizes - HALF).mean() / self.per_cell)


def _covering(places: np.ndarray, own: np.ndarray, some: np.ndarray, period: int) -> np.ndarray:
    """(k,) radius of the largest ball over each of `some` of the (n, 3) places, whose distances are (n,) own."""
    steps = own.max() * np.arange(1, STEPS + 1) / STEPS
    rung = np.searchsorted(steps, own + _TIE, side="right") - 1
    # The few places nearer to the other kind than the least radius count with their own distance.
    sizes = own[some].astype(float)
    waiting = np.arange(len(some))
    for step in range(STEPS - 1, -1, -1):
        centres = places[rung == step]
        if not len(centres) or not len(waiting):
            continue
        tree = cKDTree(centres.astype(float), boxsize=float(period), balanced_tree=False)
        away, _ = tree.query(places[some[waiting]].astype(float), distance_upper_bound=steps[step] + _TIE)
        covered = away <= steps[step] + _TIE
        sizes[waiting[covered]] = steps[step]
        waiting = waiting[~covered]
    return sizes


def _widest_way(distances: np.ndarray) -> float:
    """The largest distance that is not undercut on some endless way along the first axis."""
    low, high = 0.0, float(distances.max())
    twice = np.concatenate([distances] * 2)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _passes(twice >= middle) else (low, middle)
    return low


def _passes(open_: np.ndarray) -> bool:
    """Whether a place hangs together with its image one period on; [x, y, z], two periods along x, one along y, z."""
    regions, count = label(open_)
    # The period goes on at its faces: regions that meet there are one.
    faces = [(regions[:, 0], regions[:, -1]), (regions[:, :, 0], regions[:, :, -1])]
    met = np.concatenate([np.stack([a[(a > 0) & (b > 0)], b[(a > 0) & (b > 0)]]) for a, b in faces], axis=1)
    pairs = coo_array((np.ones(met.shape[1]), (met[0], met[1])), shape=(count + 1,) * 2)
    _, region_of = connected_components(pairs, directed=False)
    joined, period = region_of[regions], len(open_) // 2
    first, second = slice(0, period), slice(period, None)
    return bool((open_[first] & (joined[first] == joined[second])).any())
