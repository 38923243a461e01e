"""Fins thinner than a printable wall go; everything thick stays as it was, wherever the grid lies."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.field.combine import sample, smooth_union
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from SpinalStrutDesignerLib.build.thin import HALF_WALL_MM, without_fins

STEP = 0.25
GRID = Grid.around(np.full(3, -6.0), np.array([14.0, 6.0, 6.0]), STEP)
# Where a grid may lie between the points of another, mm.
SHIFTS = [(0.0, 0.0, 0.0), (0.06, -0.03, 0.12), (0.12, 0.1, 0.06), (0.18, 0.05, 0.18), (0.03, 0.2, 0.22)]


def _box(half, centre=(0.0, 0.0, 0.0), grid: Grid = GRID) -> np.ndarray:
    excess = np.abs(grid.points() - centre) - half
    outside = np.linalg.norm(np.maximum(excess, 0.0), axis=1) + np.minimum(excess.max(axis=1), 0.0)
    return outside.reshape(grid.array_shape)


def _wedge(grid: Grid, first: float, last: float) -> np.ndarray:
    """A tongue from x = 2 to 12 mm, 5 mm wide, whose thickness goes from first to last mm; its faces slope."""
    x, y, z = grid.points().T
    slope = 0.5 * (last - first) / 10.0
    half = 0.5 * first + slope * (x - 2.0)
    faces = (np.abs(z - 0.07) - half) / np.hypot(1.0, slope)
    return np.maximum(np.maximum(faces, np.abs(y) - 2.5), np.abs(x - 7.0) - 5.0).reshape(grid.array_shape)


def _shifted(shift) -> Grid:
    return Grid(GRID.origin + shift, GRID.spacing, GRID.shape)


def _tip(values: np.ndarray, grid: Grid) -> float:
    """How far the solid reaches along the middle of a tongue, mm in x."""
    x = np.arange(3.0, 13.0, 0.002)
    inside = sample(values, grid, np.column_stack([x, np.zeros_like(x), np.full_like(x, 0.07)])) < 0.0
    return float(x[inside].max(initial=0.0))


def test_a_block_stays_and_its_fin_goes():
    block, fin = _box([4.0, 3.0, 3.0]), _box([4.0, 2.0, 0.3], (8.0, 0.0, 0.1))
    opened = isosurface(without_fins(np.minimum(block, fin), STEP), GRID)
    assert abs(opened.volume - 8 * 6 * 6) < 3.0
    assert opened.vertices[:, 0].max() < 5.0


def test_a_wall_of_two_millimetres_stays():
    wall = _box([4.0, 3.0, 1.0])
    before, after = isosurface(wall, GRID), isosurface(without_fins(wall, STEP), GRID)
    assert abs(after.volume - before.volume) < 0.01 * before.volume


def test_a_loose_sheet_goes_altogether():
    block, sheet = _box([3.0, 3.0, 3.0]), _box([2.0, 3.0, 0.2], (10.0, 0.0, 0.1))
    opened = without_fins(np.minimum(block, sheet), STEP)
    assert isosurface(opened, GRID).vertices[:, 0].max() < 4.0


def test_without_anything_thick_nothing_stays():
    assert not (without_fins(_box([4.0, 3.0, 0.3]), STEP) < 0.0).any()


@pytest.mark.parametrize("values", [np.full((6, 7, 8), 1.0), np.full((6, 7, 8), -1.0)])
def test_without_a_surface_nothing_changes(values):
    assert np.array_equal(without_fins(values, STEP), values)


def test_a_solid_that_goes_on_beyond_the_grid_is_not_cut_there():
    _, y, z = GRID.points().T
    rod = (np.hypot(y, z) - 1.5).reshape(GRID.array_shape)
    assert np.array_equal(without_fins(rod, STEP) < 0.0, rod < 0.0)


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("thickness", [0.7, 0.9, 1.1])
def test_where_the_grid_lies_does_not_decide_about_a_wall(shift, thickness):
    """A wall a little thicker than the least is whole; of one a little thinner only its root is left, to 0.75 mm beyond
    the last ball of 1.0 mm diameter that comes in between the fillets (0.5 mm, which the grid can show) of its mouth.

    How far it comes follows from its distance to the fillets' centres. That errs by 0.016 mm, by which a linear surface
    departs from a fillet (step² / 8 r), and by 0.02 mm, by which a ball may reach through the surface.
    """
    grid, fillet = _shifted(shift), 0.5
    wall = _box([5.0, 2.0, thickness / 2.0], (7.0, 0.0, 0.07), grid)
    solid = smooth_union(_box([4.0, 3.0, 3.0], grid=grid), wall, fillet)
    squares = (fillet + HALF_WALL_MM) ** 2 - (fillet + thickness / 2.0) ** 2
    back = np.sqrt(max(squares, 0.0))
    tip, error = (12.0, 0.1) if thickness > 1.0 else (4.0 + fillet - back + 0.75, (0.016 + 0.02) / back)
    assert _tip(without_fins(solid, STEP), grid) == pytest.approx(tip, abs=error)


@pytest.mark.parametrize("first, last", [(2.0, 0.4), (2.4, 0.2), (1.6, 0.5)])
def test_a_tapering_tongue_ends_in_the_same_place_on_every_grid(first, last):
    """It ends 0.75 mm beyond the centre of the last ball of 1.0 mm diameter that fits between its two faces.

    A taper of 0.16 mm thickness a millimetre moves the end by 6 mm for each millimetre that thickness is wrong: a tenth
    of a millimetre in the end is within the 0.016 mm by which a linear surface departs.
    """
    slope = 0.5 * (last - first) / 10.0
    centre = 2.0 + (HALF_WALL_MM * np.hypot(1.0, slope) - 0.5 * first) / slope
    ends = []
    for shift in SHIFTS:
        grid = _shifted(shift)
        solid = np.minimum(_box([3.0, 3.0, 3.0], grid=grid), _wedge(grid, first, last))
        ends.append(_tip(without_fins(solid, STEP), grid))
    assert np.abs(np.array(ends) - (centre + 0.75)).max() < 0.1
    assert np.ptp(ends) < 0.1
