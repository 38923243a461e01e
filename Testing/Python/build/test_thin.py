"""Fins thinner than a printable wall go; everything thick stays as it was."""

from __future__ import annotations

import numpy as np
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from SpinalStrutDesignerLib.build.thin import without_fins

STEP = 0.25
GRID = Grid.around(np.full(3, -6.0), np.array([14.0, 6.0, 6.0]), STEP)


def _box(half, centre=(0.0, 0.0, 0.0)) -> np.ndarray:
    excess = np.abs(GRID.points() - centre) - half
    outside = np.linalg.norm(np.maximum(excess, 0.0), axis=1) + np.minimum(excess.max(axis=1), 0.0)
    return outside.reshape(GRID.array_shape)


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
