"""Strut lattices as beams, axes with a radius, instead of the triangles of their surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..cells import Cell, cell_named
from ..errors import GeometryError
from ..field.combine import sample
from ..field.distance import inside, signed_distance
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from .lattice import Lattice

_SAME = 1e-6  # of a cell: nodes closer than this are one
_MOST_POINTS = 30_000_000
_MOST_SAMPLES = 3_000_000
_STEPS_PER_CELL = 20.3  # not a whole number, or all cells would be sampled at the same places
_SAMPLES_PER_RADIUS, _ROUNDED = 4.0, 1.01
_MOST_BEAMS = 20_000_000


@dataclass(frozen=True, eq=False)
class Beams:
    """Round beams with round ends. nodes: (n, 3) RAS mm; pairs: (m, 2) nodes that a beam joins; radii: (m,) mm;
    clip: the closed mesh outside which nothing of them counts; loose: pieces that hung on nothing and were left out."""

    nodes: np.ndarray
    pairs: np.ndarray
    radii: np.ndarray
    clip: Mesh
    loose: int


def beams_of(lattice: Lattice, domain: Mesh) -> Beams | None:
    """The beams of a lattice that was filled into a closed domain, as porous as it.

    None for a cell of surfaces, and where cells differ from place to place or solid was added.
    """
    cell = cell_named(lattice.spec.cell)
    if cell.beams is None or lattice.frame is None:
        return None
    radius = radius_for(domain, cell, lattice.cell_mm, lattice.porosity, lattice.frame)
    return beams_in(domain, cell.beams / cell.period, lattice.cell_mm * cell.period, radius, lattice.frame)


def beams_in(domain: Mesh, segments: np.ndarray, cell_mm: float, radius_mm: float, frame: np.ndarray) -> Beams:
    """The beams of a periodic lattice that reach into a closed domain, to be clipped to it.

    segments: (n, 2, 3) axes of one period, in periods; they may cross. cell_mm: the period. frame: 4x4 rigid, from the
    cells' axes in mm with a cell's corner as origin, to RAS.
    Whole beams are kept, from node to node: cut where their axes leave the domain they would lose what lies slanting
    beyond the cut, and clipped to the domain they are the lattice itself. Of several pieces that hang together within
    the domain the one with the longest axes is kept. Raises GeometryError where no beam reaches into the domain, or
    there are too many.
    """
    if not min(cell_mm, radius_mm) > 0.0:
        raise GeometryError(f"beams need a cell and a radius above 0 mm, not {cell_mm:g} and {radius_mm:g} mm")
    whole = _split_at_crossings(np.asarray(segments, float))
    nodes, pairs = _repeated(whole, _cells_about(domain, cell_mm, frame))
    places = (cell_mm * nodes) @ frame[:3, :3].T + frame[:3, 3]
    depth = _Depth.of(domain, radius_mm)
    lengths, near = depth.along(places, pairs)
    pairs, lengths = pairs[near], lengths[near]
    if len(pairs) == 0:
        raise GeometryError(f"no beam of a lattice with cells of {cell_mm:.2f} mm reaches into its domain: enlarge it")
    held = depth.at(places) < radius_mm
    kept, loose = _largest(pairs, lengths, held)
    used, numbers = np.unique(pairs[kept], return_inverse=True)
    return Beams(places[used], numbers.reshape(-1, 2), np.full(int(kept.sum()), radius_mm), domain, loose)


def radius_for(domain: Mesh, cell: Cell, cell_mm: float, porosity: float, frame: np.ndarray) -> float:
    """The radius in mm with which beams of a strut cell leave this porosity of a closed domain, loose pieces included.

    frame: as in `beams_in`. It is that share of the distances to the nearest axis, which is what a strut cell's field
    is, on a grid in the domain. A mesh of the same porosity was made with thicker struts, of which facets take a part.
    """
    low, high = domain.bounds
    step = max(cell_mm / _STEPS_PER_CELL, float(np.cbrt(np.prod(high - low) / _MOST_SAMPLES)))
    grid = Grid.around(low, high, step)
    places = grid.points()[inside(domain, grid).ravel()]
    if len(places) == 0:
        raise GeometryError(f"the domain is thinner than {step:.2g} mm, a part of a cell: enlarge it")
    own = ((places - frame[:3, 3]) @ frame[:3, :3] / cell_mm).T
    return cell_mm * float(np.quantile(cell.field(own[0], own[1], own[2])[0], 1.0 - porosity))


@dataclass(frozen=True, eq=False)
class _Depth:
    """A domain's distance field, good to a tenth of the radius."""

    values: np.ndarray
    grid: Grid
    radius: float

    @classmethod
    def of(cls, domain: Mesh, radius: float) -> _Depth:
        low, high = domain.bounds
        step = max(radius, float(np.cbrt(np.prod(high - low) / _MOST_POINTS)))
        grid = Grid.around(low - 2.0 * radius, high + 2.0 * radius, step)
        return cls(signed_distance(domain, grid, 2.5 * max(step, radius)), grid, radius)

    def at(self, places: np.ndarray) -> np.ndarray:
        """(n,) mm: how far places (n, 3) lie outside the domain; negative inside."""
        return sample(self.values, self.grid, places)

    def along(self, places: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m,) mm: how much of each beam's axis lies in the domain, and (m,) bool whether any of the beam does."""
        start, way = places[pairs[:, 0]], places[pairs[:, 1]] - places[pairs[:, 0]]
        length = np.linalg.norm(way, axis=1)
        count = int(np.ceil(_SAMPLES_PER_RADIUS * length.max() / self.radius)) + 1
        within, nearest = np.zeros(len(pairs)), np.full(len(pairs), np.inf)
        for share in np.linspace(0.0, 1.0, count):
            away = self.at(start + share * way)
            within += away < 0.0
            np.minimum(nearest, away, out=nearest)
        # Between two samples a straight axis comes nearer by less than a hundredth of the radius.
        return length * within / count, nearest < _ROUNDED * self.radius


def _cells_about(domain: Mesh, cell_mm: float, frame: np.ndarray) -> np.ndarray:
    """(c, 3) the cells, by their lowest corner, that the domain's corners span, and one more on each side."""
    own = (domain.vertices - frame[:3, 3]) @ frame[:3, :3] / cell_mm
    ranges = [np.arange(low - 1, high + 2) for low, high in zip(np.floor(own.min(0)), np.floor(own.max(0)))]
    count = float(np.prod([len(span) for span in ranges]))
    if count > _MOST_BEAMS:
        raise GeometryError(
            f"a lattice with {count:.3g} cells is too large for a list of beams ({_MOST_BEAMS:.0e} cells): fill a "
            "smaller region, or take larger cells"
        )
    return np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)


def _split_at_crossings(segments: np.ndarray) -> np.ndarray:
    """The segments (n, 2, 3) cut where another of the periodic lattice crosses or touches them."""
    shifts = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    pieces = []
    for a, b in segments:
        others = (segments[None] + shifts[:, None]).reshape(-1, 2, 3)
        way, across = b - a, others[:, 1] - others[:, 0]
        # Shortest distance of two lines (e.g. Ericson, Real-Time Collision Detection, 5.1.9).
        apart = a - others[:, 0]
        aa, ab, bb = way @ way, across @ way, np.einsum("ij,ij->i", across, across)
        ad, bd = apart @ way, np.einsum("ij,ij->i", across, apart)
        slanting = aa * bb - ab * ab
        crossing = slanting > 1e-12 * aa * bb
        slanting = np.where(crossing, slanting, 1.0)
        s, t = (ab * bd - bb * ad) / slanting, (aa * bd - ab * ad) / slanting
        gap = np.linalg.norm(apart + s[:, None] * way - t[:, None] * across, axis=1)
        met = crossing & (gap < _SAME) & (s > _SAME) & (s < 1.0 - _SAME) & (t > -_SAME) & (t < 1.0 + _SAME)
        cuts = np.concatenate([[0.0], np.unique(np.round(s[met], 9)), [1.0]])
        ends = a + cuts[:, None] * way
        pieces.append(np.stack([ends[:-1], ends[1:]], axis=1))
    return np.concatenate(pieces)


def _repeated(segments: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (n, 3) in cells and beams (m, 2) of the segments in every cell; each node and each beam once."""
    # A node is a place in the cell and the cell it is in, so that neighbours agree on it whatever was rounded.
    ends = segments.reshape(-1, 3)
    home = np.floor(ends + 0.5 * _SAME)
    local, which = np.unique(np.round((ends - home) / _SAME).astype(np.int64), axis=0, return_inverse=True)
    at = (cells[:, None] + home[None]).astype(np.int64).reshape(-1, 3)
    low = at.min(axis=0)
    size = at.max(axis=0) - low + 1
    keys = (((at[:, 0] - low[0]) * size[1] + at[:, 1] - low[1]) * size[2] + at[:, 2] - low[2]) * len(local)
    keys += np.tile(which.ravel(), len(cells))
    found, first, number = np.unique(keys, return_index=True, return_inverse=True)
    nodes = at[first] + local[found % len(local)] * _SAME
    pairs = np.unique(np.sort(number.reshape(-1, 2), axis=1), axis=0)
    return nodes, pairs


def _largest(pairs: np.ndarray, lengths: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, int]:
    """(m,) bool: the beams of the piece with the longest axes, and how many other pieces there are.

    Beams hang together in nodes that are `held` (n,), which reach into the domain.
    """
    count = len(pairs)
    # Beams come first in the graph, nodes after them.
    beam, node = np.repeat(np.arange(count), 2), pairs.ravel()
    joined = held[node]
    links = coo_array(
        (np.ones(int(joined.sum()), np.int8), (beam[joined], count + node[joined])), shape=(count + len(held),) * 2
    )
    piece = connected_components(links, directed=False)[1][:count]
    total = np.bincount(piece, weights=lengths)
    return piece == int(np.argmax(total)), int(len(np.unique(piece)) - 1)
