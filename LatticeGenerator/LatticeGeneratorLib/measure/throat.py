"""The largest ball that passes through the void of a porous body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..field.combine import sample
from ..mesh.mesh import Mesh
from ..mesh.pieces import pieces_of
from .necks import measured_necks
from .network import Network
from .thickness import LARGEST_RADIUS_MM, Layer

_SAMPLES_PER_PORE = 5.0
# Necks with a radius below so many spacings of the points that show them are looked at again with more points; so are
# those that turn out smaller by more than this share on the whole surface.
_RESOLVED_SPACINGS, _RESOLVED_SHARE = 2.0, 0.9
# Until that changes them by less than this share, or a block of few pores would be left (half its side in half pores).
_AGREED_SHARE, _LEAST_BLOCK = 0.02, 4.0
_FINEST_MM = 0.03
# So many points make the network in a third of a second; in a lattice of 0.55 mm pores they stand for some 15 cells.
# Where necks are so narrow that finer points have to show them, there may be more.
_MOST_POINTS, _MOST_FINER_POINTS, _LEAST_POINTS = 10_000, 25_000, 8
_MARGIN_VOXELS = 1.5  # places farther from the domain than this count as outside
_WINDOW_MM = 0.03  # necks that are measured on the whole surface: those so near to the one that decides
_DEEP, _REACHED = 0.5, 0.5


@dataclass(frozen=True, eq=False)
class _Sample:
    """Points of a layer's surface, one in every cube of `spacing` mm, in the cube of half a side `half` mm round
    `centre` and somewhat beyond; points: all the surface's there."""

    kept: np.ndarray
    normals: np.ndarray
    points: np.ndarray
    spacing: float
    centre: np.ndarray
    half: float


def throat(body: Mesh, domain: Mesh, layer: Layer | None = None) -> float:
    """Diameter in mm of the largest ball that passes through the body's void in the domain; 0 if none does.

    As in porosimetry balls come from outside. Deep in the void, farther from the outside than half of the farthest
    place, they reach all places where they fit as long as they pass its necks; larger ones are shut out of all but
    chance openings. The throat is the size of ball above which fewer than half of the deep places where it fits can be
    got to. In a periodic lattice that is the largest ball that can move through it without end; at a trimmed block's
    border, where cut cells let larger balls in, it is not moved; a layer that solid closes on one side is entered from
    the other. Right to 0.015 mm on necks of known size. Void closed all round has no part in it. Of a domain that
    needs more than 10 000 points at a fifth of its pores a block in its middle is measured. More than 3 mm counts as
    3 mm. layer: of the same body and domain, if there is one already.
    """
    opened = _without_closed_voids(body)
    layer = layer if layer is not None and opened is body else Layer.of(opened, domain)
    void = ~layer.metal & (layer.depth < 0)
    if not void.any() or len(layer.surface.points) == 0:
        return 0.0
    wide = float(np.percentile(layer.distance[void], 95))
    spacing = max(2.0 * wide / _SAMPLES_PER_PORE, _FINEST_MM)
    first, found = _throat_radius(layer, _sample_of(layer, void, spacing, _MOST_POINTS))
    while found <= max(_RESOLVED_SPACINGS * spacing, _RESOLVED_SHARE * first) and spacing > _FINEST_MM:
        spacing, coarser = 0.5 * spacing, found
        finer = _sample_of(layer, void, spacing, _MOST_FINER_POINTS)
        if finer.half < _LEAST_BLOCK * wide:
            break
        first, found = _throat_radius(layer, finer)
        if abs(found - coarser) < _AGREED_SHARE * coarser:
            break
    return 2.0 * min(found, LARGEST_RADIUS_MM)


def _without_closed_voids(body: Mesh) -> Mesh:
    pieces = pieces_of(body)
    return pieces.only(pieces.volumes > 0.0) if (pieces.volumes < 0.0).any() else body


def _sample_of(layer: Layer, void: np.ndarray, spacing: float, most: int) -> _Sample:
    inner = layer.grid.points()[(layer.depth < 0).ravel()]
    middle = 0.5 * (inner.min(axis=0) + inner.max(axis=0))
    centre = inner[np.argmin(((inner - middle) ** 2).sum(axis=1))]
    points = layer.surface.points
    away = np.abs(points - centre).max(axis=1)
    cubes = np.floor((points - points.min(axis=0)) / spacing).astype(np.int64)
    span = cubes.max(axis=0) + 1
    _, first = np.unique((cubes[:, 2] * span[1] + cubes[:, 1]) * span[0] + cubes[:, 0], return_index=True)
    # Balls that stick out of the cube must find their surface there too.
    beyond = _MARGIN_VOXELS * layer.grid.spacing + float(layer.distance[void].max())
    half = np.inf
    if len(first) > most:
        half = max(float(np.partition(away[first], most)[most]) - beyond, beyond)
        first = first[away[first] <= half + beyond]
    held = points[away <= half + beyond + spacing]
    return _Sample(points[first], layer.surface.normals[first], held, spacing, centre, half)


def _throat_radius(layer: Layer, sampled: _Sample) -> tuple[float, float]:
    """The throat's radius in mm by the sample's few points, and then by the whole surface where it matters."""
    if len(sampled.kept) < _LEAST_POINTS:
        return 0.0, 0.0
    network = Network.of(sampled.kept, sampled.normals, 0.5 * sampled.spacing)
    grid, centres = layer.grid, network.centres
    beyond_grid = np.maximum(grid.origin - centres, centres - grid.upper).max(axis=1, initial=-np.inf)
    beyond_block = np.abs(centres - sampled.centre).max(axis=1, initial=-np.inf) - sampled.half
    depth = sample(layer.depth, grid, centres)
    margin = _MARGIN_VOXELS * grid.spacing
    doors = (depth > margin) | (beyond_grid > 0.0) | (beyond_block > margin)
    inner = ~doors & (depth < 0.0) & (beyond_block < 0.0)
    if not doors.any() or not inner.any():
        return 0.0, 0.0
    from_outside = np.minimum(sample(_to_outside(layer), grid, centres), -beyond_block)
    deep = inner & (from_outside > _DEEP * from_outside[inner].max())
    necks = network.necks
    first = found = _passing(network, doors, deep, necks)
    near = np.flatnonzero(network.narrowing & (np.abs(necks - found) < _WINDOW_MM))
    if len(near):
        necks = necks.copy()
        necks[near] = measured_necks(sampled.kept[network.contacts[near]], necks[near], sampled.points)
        found = _passing(network, doors, deep, necks)
    return first, found


def _to_outside(layer: Layer) -> np.ndarray:
    """[k, j, i] mm: how far each point is from void outside the domain; far where there is none near."""
    outside = ~layer.metal & (layer.depth >= 0.0)
    if not outside.any():
        return np.full(outside.shape, np.inf)
    return distance_transform_edt(~outside) * layer.grid.spacing


def _passing(network: Network, doors: np.ndarray, deep: np.ndarray, necks: np.ndarray) -> float:
    """The radius above which fewer than half of the deep places where a ball fits can be got to from the doors.

    Places count by the volume they stand for.
    """
    reach, fits, volumes = network.access(doors, necks)[deep], network.radii[deep], network.volumes[deep]
    sizes = np.unique(reach)
    shares = _weight_from(sizes, reach, volumes) / _weight_from(sizes, fits, volumes)
    shut = np.flatnonzero(shares < _REACHED)
    if len(shut) == 0:
        return float(sizes[-1])
    return float(sizes[shut[0] - 1]) if shut[0] else 0.0


def _weight_from(sizes: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """For each size the sum of the weights whose value is at least that."""
    order = np.argsort(values, kind="stable")
    sums = np.concatenate([np.cumsum(weights[order][::-1])[::-1], [0.0]])
    return sums[np.searchsorted(values[order], sizes, side="left")]
