"""The level of a cell's field at which a lattice, cut to its domain, has the porosity that is wanted."""

from __future__ import annotations

import numpy as np

from ..errors import GeometryError
from ..field.ahead import ahead
from ..field.isosurface import clamp, contour, least_value
from ..field.slabs import Slab, by_slab, enclosed, slabs_of
from .aim import Aim
from .domain_field import DomainField
from .pattern import Pattern

_SAMPLES = 100_000  # places by which the first guess is made: right to 0.3 percentage points or better
_SLOPE_SHARE = 0.02  # the porosity over which the first slope is taken
_STRAIGHT = 4  # attempts along straight lines
_BAR, _BARS, _SHIFT = 12, 7, 3  # of bars so many grid steps wide one in so many is looked at, the next row's so far on


def first_level(domain: DomainField, pattern: Pattern, aim: Aim) -> tuple[float, float]:
    """A level at which the domain is about as porous as wanted, and by how much porosity rises with the level there.

    By places drawn evenly from the domain; the same every time.
    """
    values = pattern.values(pattern.free(_places(domain)))
    level, beside = (float(np.quantile(values, 1.0 - aim.porosity + step)) for step in (0.0, _SLOPE_SHARE))
    return level, -_SLOPE_SHARE / max(beside - level, 1e-6)


def better_level(domain: DomainField, pattern: Pattern, aim: Aim, level: float, slope: float) -> float:
    """A level nearer to the wanted porosity, without making the whole surface.

    Volume is counted by how far each grid point lies in the metal. By how much less the surface encloses, since its
    faces cut off what is bent, is measured on a share of bars spread over the domain.
    """

    def metal_in(slab: Slab) -> tuple[float, float, float]:
        """Counted on points, in all and in the bars, and enclosed by the surface in the bars."""
        depths = domain.on(slab)
        shares = pattern.shares(depths, slab.grid, level)
        on_points = on_surface = 0.0
        for j, k in _bars(slab):
            size = (slab.grid.shape[0], j.stop - j.start, k.stop - k.start)
            part = slab.grid.part((0, j.start, k.start), size)
            values = pattern.cut(depths[k, j], part, level)
            clamp(values, least_value(domain.grid))
            on_points += _counted(shares[k, j])
            on_surface += enclosed(*contour(values))
        return _counted(shares), on_points, on_surface

    counted, on_points, on_surface = np.sum(list(ahead(metal_in, slabs_of(domain.grid))), axis=0)
    share = on_surface / on_points if on_points > 0.0 else 1.0
    metal = counted * share * domain.grid.spacing**3
    return level - (aim.porosity_of(metal) - aim.porosity) / slope


def next_level(tried: list[tuple[float, float]], slope: float) -> float:
    """The level to try next, by those tried, each with the porosity that it gave too much; slope: to begin with.

    Along the line through the last two. Where porosity jumps, since chips come and go, that leads astray: once levels
    lie on both sides of what is wanted, none beyond them is tried, and after some attempts the middle between them.
    """
    level, excess = tried[-1]
    if len(tried) > 1 and tried[-2][0] != level:
        measured = (excess - tried[-2][1]) / (level - tried[-2][0])
        slope = measured if measured < 0.0 else slope
    guess = level - excess / slope
    porous, dense = ([at for at, more in tried if more * sign > 0.0] for sign in (1.0, -1.0))
    if not porous or not dense:
        return guess
    low, high = sorted((max(porous), min(dense)))
    return guess if low < guess < high and len(tried) < _STRAIGHT else 0.5 * (low + high)


def _places(domain: DomainField) -> np.ndarray:
    """(n, 3) mm: places spread evenly over the domain, not on the grid: its points may go with the cells."""
    grid = domain.grid
    random = np.random.default_rng(0)
    number = int(_SAMPLES * max(1.0, grid.spacing**3 * np.prod(grid.shape) / domain.volume))
    steps = random.random((min(number, 20 * _SAMPLES), 3)) * (np.array(grid.shape) - 1.0)

    slabs = slabs_of(grid)
    shares = by_slab(steps, slabs)

    def within(number: int) -> np.ndarray:
        here, slab = steps[shares[number]], slabs[number]
        i, j, k = np.rint(here).astype(np.int64).T
        return here[domain.on(slab)[k - slab.plane, j - slab.row, i] < 0.0]

    places = np.concatenate(list(ahead(within, range(len(slabs)))))
    if not len(places):
        raise GeometryError(
            f"the domain of the lattice is thinner than the grid of {grid.spacing:.3f} mm it is made on: enlarge it"
        )
    return grid.lower + grid.spacing * places


def _counted(shares: np.ndarray) -> float:
    """Sum over a block whose border planes along k and j count half, since others share them."""
    rows = shares.sum(axis=2)
    rows[0] *= 0.5
    rows[-1] *= 0.5
    rows[:, 0] *= 0.5
    rows[:, -1] *= 0.5
    return float(rows.sum(dtype=np.float64))


def _bars(slab: Slab) -> list[tuple[slice, slice]]:
    """Rows j and planes k of bars along the slab's rows: one of _BARS, shifted from plane to plane."""
    _, ny, nz = slab.grid.shape
    bars = []
    for k in range(0, nz - 1, _BAR):
        for j in range(0, ny - 1, _BAR):
            if ((slab.row + j) // _BAR + _SHIFT * ((slab.plane + k) // _BAR)) % _BARS == 0:
                bars.append((slice(j, min(j + _BAR, ny - 1) + 1), slice(k, min(k + _BAR, nz - 1) + 1)))
    return bars
