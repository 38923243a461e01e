"""Signed distances: against formulas and brute force, and the same numbers with and without numba."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_shapes import inverted, joined, moved, rigid, without_numba
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.compiled import compiled
from LatticeGeneratorLib.field.distance import inside, signed_distance, spread_squares
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.mesh.inside import winding_number
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere


def box_distance(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Signed distance to a box by formula."""
    excess = np.abs(points - 0.5 * (low + high)) - 0.5 * (high - low)
    return np.linalg.norm(np.maximum(excess, 0.0), axis=1) + np.minimum(excess.max(axis=1), 0.0)


def brute(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """Signed distance: the least over all triangles (trimesh), sign by the winding number."""
    from trimesh.triangles import closest_point

    least = np.full(len(points), np.inf)
    for triangle in mesh.triangles:
        near = closest_point(np.repeat(triangle[None], len(points), axis=0), points)
        least = np.minimum(least, np.linalg.norm(near - points, axis=1))
    return np.where(winding_number(mesh, points) > 0.5, -least, least)


def blob(seed: int) -> Mesh:
    """A small closed mesh of random triangles, some of them slivers, in any position."""
    rng = np.random.default_rng(seed)
    ball = sphere(np.zeros(3), 1.0, 8)
    vertices = ball.vertices * rng.uniform(0.3, 1.6, (len(ball.vertices), 1)) * [1.0, 0.7, 1.3]
    return Mesh(vertices, ball.faces).transformed(rigid(seed, 3.0))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.11, 0.4), st.floats(0.1, 2.0))
def test_a_turned_box_by_formula(seed, spacing, band):
    rng = np.random.default_rng(seed)
    size, frame = rng.uniform(0.3, 2.5, 3), rigid(seed)
    mesh = box(np.zeros(3), size).transformed(frame)
    grid = Grid.around(*mesh.bounds, spacing)
    local = (grid.points() - frame[:3, 3]) @ frame[:3, :3]
    expected = np.clip(box_distance(local, np.zeros(3), size), -band, band)
    assert np.abs(signed_distance(mesh, grid, band).ravel() - expected).max() < 2e-6 * (1.0 + band)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_a_rugged_body_by_brute_force(seed):
    mesh = blob(seed)
    grid = Grid.around(*mesh.bounds, 0.3)
    expected = np.clip(brute(mesh, grid.points()), -0.8, 0.8)
    found = signed_distance(mesh, grid, 0.8)
    assert found.dtype == np.float32 and found.shape == grid.array_shape
    assert np.abs(found.ravel() - expected).max() < 5e-6


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_the_winding_number_tells_which_points_lie_behind_every_face(seed):
    ball = sphere(np.zeros(3), 1.0, 16).transformed(rigid(seed))  # convex: inside is behind the planes of all faces
    points = np.random.default_rng(seed).uniform(*ball.bounds, (200, 3))
    a, b, c = (ball.triangles[:, corner] for corner in range(3))
    ahead = np.einsum("fk,pfk->pf", np.cross(b - a, c - a), points[:, None] - a)
    assert np.array_equal(winding_number(ball, points) > 0.5, (ahead < 0.0).all(axis=1))


def test_bodies_that_overlap_count_as_their_union():
    one, two = box([0, 0, 0], [2, 2, 2]), box([1, 0.5, 0.5], [3, 1.5, 1.5])
    grid = Grid.around(np.full(3, 0.017), np.array([3.0, 2.0, 2.0]), 0.13)
    found = inside(joined(one, two), grid)
    points = grid.points()
    expected = (box_distance(points, *one.bounds) < 0) | (box_distance(points, *two.bounds) < 0)
    assert np.array_equal(found.ravel(), expected)


def test_a_surface_turned_inwards_is_a_void():
    hollow = joined(box([0, 0, 0], [2, 2, 2]), inverted(box([0.5] * 3, [1.5] * 3)))
    values = signed_distance(hollow, Grid(np.zeros(3), 0.25, (9, 9, 9)), 1.0)
    assert values[4, 4, 4] == pytest.approx(0.5, abs=1e-6)
    assert values[1, 4, 4] == pytest.approx(-0.25, abs=1e-6)


def test_grid_lines_through_vertices_and_along_faces_keep_their_sides():
    grid = Grid(np.array([-1.0, -1.0, -1.0]), 0.5, (9, 9, 9))
    values = signed_distance(box([0, 0, 0], [2, 2, 2]), grid, 5.0).ravel()
    expected = box_distance(grid.points(), np.zeros(3), np.full(3, 2.0))
    assert np.abs(np.abs(values) - np.abs(expected)).max() < 1e-6
    off = np.abs(expected) > 1e-9
    assert np.array_equal(values[off] < 0, expected[off] < 0)


def test_a_mesh_that_reaches_beyond_the_grid_is_cut_by_it():
    grid = Grid(np.array([-0.35, -0.3, -0.3]), 0.1, (7, 7, 7))
    assert (signed_distance(box([-5] * 3, [5] * 3), grid, 0.5) == -0.5).all()
    assert (signed_distance(moved(box([0] * 3, [1] * 3), [9, 0, 0]), grid, 0.5) == 0.5).all()
    assert not inside(moved(box([0] * 3, [1] * 3), [-9, 0, 0]), grid).any()


@pytest.mark.parametrize("band", [0.0, -1.0, np.nan])
def test_a_band_without_width_is_refused(band):
    with pytest.raises(GeometryError, match="band"):
        signed_distance(box([0] * 3, [1] * 3), Grid(np.zeros(3), 1.0, (2, 2, 2)), band)


def _examples() -> list[tuple[Mesh, Grid, float]]:
    meshes = [
        blob(1),
        blob(2),
        sphere(np.array([100.0, -50.0, 20.0]), 1.2, 40),
        cylinder(np.zeros(3), np.array([3.0, 1.0, 0.5]), 0.4),
        box([0, 0, 0], [2, 2, 2]),
    ]
    steps = ((0.1, 0.25), (0.25, 1.0))
    return [(mesh, Grid.around(*mesh.bounds, step), band) for mesh in meshes for step, band in steps]


def _distances() -> list[np.ndarray]:
    return [signed_distance(*example) for example in _examples()]


def test_the_numbers_are_identical_every_time_and_the_same_without_numba():
    usual = _distances()
    assert [one.tobytes() for one in usual] == [one.tobytes() for one in _distances()]
    with without_numba():
        assert compiled(spread_squares) is None
        plain = _distances()
    for one, other, (_, grid, _) in zip(usual, plain, _examples()):
        off = np.abs(one) > 1e-5 * grid.spacing  # on the surface itself rounding tells sides
        assert np.array_equal(one[off] < 0.0, other[off] < 0.0)
        assert np.abs(one - other).max() <= 1e-5 * grid.spacing
