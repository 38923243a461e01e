"""Filling a domain with a lattice that has the porosity and the pore size asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..cells import Cell, cell_named
from ..errors import GeometryError
from ..field.distance import signed_distance
from ..field.grid import Grid
from ..field.isosurface import isosurface
from ..mesh.check import stl_fault
from ..mesh.mesh import Mesh
from ..progress import Progress, portion, silent
from .feasible import cell_size_mm
from .lattice import Lattice
from .loose import attached
from .spec import LatticeSpec

_VOXEL_MM = 0.10
_VOXELS_PER_STRUT = 2.5  # measured: the porosity is right to 0.1 percentage point from 1.5 voxels a strut
_BAND_VOXELS = 2.5
_POROSITY_TOLERANCE = 0.001
_ATTEMPTS = 6
_SLAB_POINTS = 200_000


def voxel_mm_for(spec: LatticeSpec) -> float:
    """The grid spacing fine enough for the struts of the wanted lattice, at most 0.1 mm."""
    strut = cell_size_mm(spec) * cell_named(spec.cell).strut_per_cell(spec.porosity)
    return min(_VOXEL_MM, strut / _VOXELS_PER_STRUT)


def fill(
    domain: Mesh,
    spec: LatticeSpec,
    progress: Progress = silent,
    *,
    trim: Mesh | None = None,
    anchor: Mesh | None = None,
) -> Lattice:
    """The lattice in a closed domain.

    trim: a closed mesh to which the lattice is cut besides; the porosity is that of the part inside both.
    anchor: the closed solid the lattice will be joined to; every piece that reaches it is kept. Without an anchor
    only the largest piece is.
    Raises GeometryError if the wanted combination cannot be printed or the domain is too small for it.
    """
    voxel = voxel_mm_for(spec)
    grid = Grid.around(*domain.bounds, voxel)
    band = _BAND_VOXELS * voxel
    progress("lattice: domain", 0.0)
    values = signed_distance(domain, grid, band)
    if trim is not None:
        np.maximum(values, signed_distance(trim, grid, band), out=values)
    anchor_values = None if anchor is None else signed_distance(anchor, grid, band)
    return fill_field(values, grid, spec, anchor_values, portion(progress, 0.25, 1.0))


def fill_field(
    domain_values: np.ndarray,
    grid: Grid,
    spec: LatticeSpec,
    anchor_values: np.ndarray | None = None,
    progress: Progress = silent,
) -> Lattice:
    """As `fill`, for a domain (and anchor) given as fields on a grid: [k, j, i] mm, negative inside.

    The fields must be distances at least within 2 grid steps of their zero level.
    """
    cell_mm = cell_size_mm(spec)
    if not (domain_values < 0).any():
        raise GeometryError("the domain of the lattice is empty: make the porous layer thicker or the foot larger")
    domain_mm3 = isosurface(domain_values, grid).volume
    filling = _Filling(cell_named(spec.cell), cell_mm, domain_values, grid, _centre(domain_values, grid))

    def made(level: float) -> tuple[float, Mesh, int]:
        field = filling.at(level)
        if not (field < 0).any():
            return 1.0, Mesh(np.zeros((0, 3)), np.zeros((0, 3), int)), 0
        mesh, chips = attached(isosurface(field, grid), grid, anchor_values)
        return 1.0 - mesh.volume / domain_mm3, mesh, chips

    level, (porosity, mesh, chips) = _solved(spec.porosity, filling, made, portion(progress, 0.0, 0.85))
    progress("lattice: check", 0.85)
    fault = stl_fault(mesh)
    if fault:
        raise GeometryError(f"the lattice is not a closed manifold: {fault}; move its domain by a fraction of a voxel")
    progress("lattice: done", 1.0)
    return Lattice(mesh, spec, cell_mm, level, grid.spacing, porosity, chips)


def _solved(
    wanted: float,
    filling: _Filling,
    made: Callable[[float], tuple[float, Mesh, int]],
    progress: Progress,
) -> tuple[float, tuple[float, Mesh, int]]:
    """The level at which the lattice as made has the wanted porosity, and what `made` gave for it.

    The first guess is the share of grid points below the level, whose spread also gives the first slope; then secant.
    """
    inside = np.sort(filling.values_inside())
    level, beside = (float(np.quantile(inside, 1.0 - wanted + step)) for step in (0.0, 0.02))
    slope = -0.02 / max(beside - level, 1e-6)
    tried: list[tuple[float, float]] = []
    for attempt in range(_ATTEMPTS):
        progress("lattice: level", attempt / _ATTEMPTS)
        result = made(level)
        excess = result[0] - wanted
        if abs(excess) <= _POROSITY_TOLERANCE:
            return level, result
        if tried and tried[-1][0] != level and (excess - tried[-1][1]) / (level - tried[-1][0]) < 0.0:
            slope = (excess - tried[-1][1]) / (level - tried[-1][0])
        tried.append((level, excess))
        level -= excess / slope
    raise GeometryError(
        f"the lattice came to {100 * (wanted + excess):.1f} % porosity instead of {100 * wanted:.1f} %: its domain "
        f"is too small or thin for cells of {filling.cell_mm:.2f} mm; enlarge it or ask for smaller pores"
    )


@dataclass(frozen=True, eq=False)
class _Filling:
    """A cell's field in a domain; x, y, z are counted in cells from `origin` (3,) mm."""

    cell: Cell
    cell_mm: float
    domain: np.ndarray
    grid: Grid
    origin: np.ndarray

    def at(self, level: float) -> np.ndarray:
        """[k, j, i] float32 mm: the lattice of that level cut to the domain."""
        result = np.empty(self.domain.shape, np.float32)
        for slab in self._slabs():
            value, slope = self._cell_field(slab)
            value -= np.float32(level)
            value *= np.float32(self.cell_mm)
            value /= slope
            np.maximum(value, self.domain[slab], out=result[slab])
        return result

    def values_inside(self) -> np.ndarray:
        """(n,) the cell's values at the points inside the domain."""
        return np.concatenate([self._cell_field(slab)[0][self.domain[slab] < 0] for slab in self._slabs()])

    def _slabs(self) -> list[slice]:
        nx, ny, nz = self.grid.shape
        step = max(1, _SLAB_POINTS // (nx * ny))
        return [slice(k, min(k + step, nz)) for k in range(0, nz, step)]

    def _cell_field(self, slab: slice) -> tuple[np.ndarray, np.ndarray]:
        axes = (axis - start for axis, start in zip(self.grid.axes(), self.origin))
        x, y, z = ((axis / self.cell_mm).astype(np.float32) for axis in axes)
        return self.cell.field(x[None, None, :], y[None, :, None], z[slab][:, None, None])


def _centre(values: np.ndarray, grid: Grid) -> np.ndarray:
    """(3,) mm: the middle of the inside's bounding box, from which cells are counted."""
    inside = values < 0
    middle = []
    for axis in (2, 1, 0):
        others = tuple({0, 1, 2} - {axis})
        reached = np.flatnonzero(inside.any(axis=others))
        middle.append(0.5 * (reached[0] + reached[-1]))
    return grid.origin + grid.spacing * np.array(middle)
