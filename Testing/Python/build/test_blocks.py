"""Blocks of a grid in which fields are evaluated."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.field.grid import Grid
from SpinalStrutDesignerLib.build.blocks import block_points, blocks_holding

GRID = Grid(np.array([-3.0, 1.0, 2.0]), 0.25, (43, 38, 29))
CENTRE, RADIUS = np.array([1.0, 5.0, 5.0]), 2.0


def _outside(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points - CENTRE, axis=1) - RADIUS


def _held() -> tuple[np.ndarray, np.ndarray]:
    first = blocks_holding(GRID, (8, 4), lambda centres, radius: _outside(centres) < radius + 0.5)
    return block_points(GRID, first, 4)


def test_every_point_in_and_near_the_body_is_in_a_block():
    cells, _ = _held()
    wanted = np.flatnonzero(_outside(GRID.points()) < 0.5)
    assert np.isin(wanted, cells).all()


def test_no_point_is_given_twice_and_most_of_the_rest_is_left_out():
    cells, _ = _held()
    assert len(np.unique(cells)) == len(cells)
    assert len(cells) < 0.4 * np.prod(GRID.shape)


def test_places_and_positions_belong_together():
    cells, points = _held()
    assert np.abs(GRID.points()[cells] - points).max() < 1e-12


@pytest.mark.parametrize("size", [4, 8])
def test_the_last_blocks_are_cut_at_the_border_of_the_grid(size):
    cells, _ = block_points(GRID, blocks_holding(GRID, (size,), lambda centres, _: np.ones(len(centres), bool)), size)
    assert np.array_equal(np.sort(cells), np.arange(np.prod(GRID.shape)))
