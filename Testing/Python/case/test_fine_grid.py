"""A CT's grid with its thick slices divided, and back."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.fine_grid import FineGrid
from SpinalStrutDesignerLib.case.model import Volume

SPACING = np.array([0.7, 0.8, 3.0])
CENTRE, RADIUS = np.array([5.0, -8.0, 12.0]), 11.0


@pytest.fixture(params=[1.0, -1.0], ids=["straight", "mirrored"])
def ct(request) -> Volume:
    """Oblique, in 3 mm slices, with the centre in its middle."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("xyz", [20, -35, 70], degrees=True).as_matrix() @ np.diag([request.param, 1.0, 1.0])
    matrix = np.eye(4)
    matrix[:3, :3] = turn * SPACING
    matrix[:3, 3] = CENTRE - matrix[:3, :3] @ [24.5, 22.0, 6.5]
    return Volume(np.zeros((14, 45, 50), np.int16), matrix)


def _grid(ct: Volume) -> FineGrid:
    return FineGrid.about(ct, CENTRE + 12.0 * np.array(list(product((-1.0, 1.0), repeat=3))))


def test_slices_are_divided_and_nothing_else(ct: Volume) -> None:
    grid = _grid(ct)
    assert list(grid.parts) == [5, 1, 1]
    assert np.allclose(grid.step, [0.6, 0.8, 0.7])
    # Five parts of a slice lie about its middle, along its normal.
    normal = ct.ijk_to_ras[:3, 2] / 3.0
    first = ct.ijk_to_ras[:3, :3] @ [part.start for part in grid.box[::-1]] + ct.ijk_to_ras[:3, 3]
    for part, offset in enumerate((-1.2, -0.6, 0.0, 0.6, 1.2)):
        assert np.allclose(grid.points[part, 0, 0], first + offset * normal)


def test_a_ball_comes_back_as_what_fills_half_a_voxel(ct: Volume) -> None:
    grid = _grid(ct)
    ball = np.linalg.norm(grid.points - CENTRE, axis=-1) < RADIUS
    mask = grid.mask(grid.voted(ball))
    volume = 4.0 / 3.0 * np.pi * RADIUS**3
    assert mask.voxels.sum() * SPACING.prod() == pytest.approx(volume, rel=0.03)
    assert np.allclose(mask.points.mean(axis=0), CENTRE, atol=0.15)
    # Nothing farther out than half a voxel's diagonal.
    assert np.linalg.norm(mask.points - CENTRE, axis=1).max() < RADIUS + np.linalg.norm(SPACING) / 2.0


def test_a_mask_of_slices_blends_between_them(ct: Volume) -> None:
    grid = _grid(ct)
    voxels = np.zeros([part.stop - part.start for part in grid.box], bool)
    voxels[3:6, 10:20, 10:20] = True
    fine = grid.divided(voxels)
    assert fine.sum() == 5 * voxels.sum()
    assert (grid.voted(fine) == voxels).all()


def test_points_beside_the_image_are_refused(ct: Volume) -> None:
    with pytest.raises(ValueError, match="outside the image"):
        FineGrid.about(ct, CENTRE[None] + 500.0)
