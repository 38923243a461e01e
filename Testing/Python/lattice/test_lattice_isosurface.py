"""Iso-surfaces: always closed, before and after rounding, and convergent to the true surface."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lattice_shapes import trimesh_of
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components, stl_fault

RADIUS = 2.0
CENTRE = np.array([0.13, -0.07, 0.31])


def _ball(spacing: float) -> tuple[np.ndarray, Grid]:
    grid = Grid.around(CENTRE - RADIUS, CENTRE + RADIUS, spacing)
    return (np.linalg.norm(grid.points() - CENTRE, axis=1) - RADIUS).reshape(grid.array_shape), grid


def test_a_ball_s_volume_area_and_place_converge_with_the_square_of_the_spacing():
    spacings = (0.4, 0.2, 0.1)
    balls = [isosurface(*_ball(spacing)) for spacing in spacings]
    volume, area = 4.0 / 3.0 * np.pi * RADIUS**3, 4.0 * np.pi * RADIUS**2
    volumes = [abs(ball.volume - volume) / volume for ball in balls]
    areas = [abs(ball.area - area) / area for ball in balls]
    places = [np.abs(np.linalg.norm(ball.vertices - CENTRE, axis=1) - RADIUS).max() for ball in balls]
    for errors in (volumes, areas, places):
        assert errors[0] / errors[1] > 3.0 and errors[1] / errors[2] > 3.0
    # A chord across one grid step departs from the sphere by step² / (8 r).
    assert places[-1] < 0.1**2 / (8.0 * RADIUS) * 1.1
    # No face is wider than a voxel's diagonal, so none lies deeper than the sagitta over it.
    assert volumes[-1] < 3.0 / RADIUS * 3.0 * 0.1**2 / (8.0 * RADIUS)


def test_faces_look_out_of_what_is_negative():
    ball = isosurface(*_ball(0.2))
    assert ball.volume > 0
    normals = np.cross(ball.triangles[:, 1] - ball.triangles[:, 0], ball.triangles[:, 2] - ball.triangles[:, 0])
    assert (np.einsum("ij,ij->i", normals, ball.triangles.mean(axis=1) - CENTRE) > 0).all()
    assert trimesh_of(ball).is_volume


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, (4, 5, 6), elements=st.sampled_from([-1.0, -1e-3, -1e-9, -0.0, 0.0, 1e-9, 1e-3, 1.0])),
    st.floats(0.05, 1.0),
    st.tuples(*[st.floats(-300.0, 300.0)] * 3).map(np.array),
)
def test_any_field_gives_a_closed_surface_before_and_after_rounding(values, spacing, origin):
    values[1, 2, 3] = -1.0
    grid = Grid(origin, spacing, (6, 5, 4))
    mesh = isosurface(values * spacing, grid)
    assert closed_manifold_fault(mesh) is None
    assert stl_fault(mesh) is None


@pytest.mark.parametrize("depth", [0.05, 0.5, 5.0])
def test_what_reaches_the_grid_s_border_is_closed_there(depth):
    grid = Grid(np.array([1.0, 2.0, 3.0]), 0.5, (5, 6, 7))
    mesh = isosurface(np.full(grid.array_shape, -depth), grid)
    assert closed_manifold_fault(mesh) is None
    # The step beyond the border counts as one spacing outside.
    beyond = 0.5 * depth / (depth + 0.5)
    assert np.allclose(mesh.bounds, [grid.origin - beyond, grid.upper + beyond], atol=1e-6)


def test_a_body_cut_by_one_side_of_the_grid():
    values, grid = _ball(0.2)
    half = grid.shape[0] // 2
    cut = Grid(grid.origin, 0.2, (half, *grid.shape[1:]))
    mesh = isosurface(values[:, :, :half], cut)
    assert closed_manifold_fault(mesh) is None and stl_fault(mesh) is None
    height = cut.upper[0] - (CENTRE[0] - RADIUS)
    cap = np.pi * height**2 * (RADIUS - height / 3.0)
    face = np.pi * (RADIUS**2 - (cut.upper[0] - CENTRE[0]) ** 2)
    assert cap - 0.2 < mesh.volume < cap + 0.2 * face + 0.2


def test_separate_pieces_are_all_kept():
    grid = Grid(np.zeros(3), 0.1, (60, 20, 20))
    points = grid.points()
    balls = [np.linalg.norm(points - [x, 1.0, 1.0], axis=1) - r for x, r in ((1.0, 0.8), (3.0, 0.5), (4.5, 0.15))]
    mesh = isosurface(np.minimum.reduce(balls).reshape(grid.array_shape), grid)
    assert len(components(mesh)) == 3


def test_zero_is_outside():
    grid = Grid(np.zeros(3), 1.0, (3, 3, 3))
    values = np.zeros(grid.array_shape)
    values[1, 1, 1] = -1.0
    mesh = isosurface(values, grid)
    assert closed_manifold_fault(mesh) is None and stl_fault(mesh) is None
    assert np.allclose(mesh.bounds, [[0, 0, 0], [2, 2, 2]], atol=2e-5)
    with pytest.raises(GeometryError, match="no inside"):
        isosurface(np.zeros(grid.array_shape), grid)


def test_the_field_given_is_not_changed():
    values, grid = _ball(0.4)
    values[0, 0, 0] = 0.0
    before = values.copy()
    isosurface(values, grid)
    assert np.array_equal(values, before)


def test_a_field_of_another_shape_is_refused():
    with pytest.raises(GeometryError, match="shape"):
        isosurface(-np.ones((2, 3, 4)), Grid(np.zeros(3), 1.0, (2, 3, 4)))


def test_the_same_field_gives_the_same_bytes():
    one, two = (isosurface(*_ball(0.2)) for _ in range(2))
    assert one.vertices.tobytes() == two.vertices.tobytes() and one.faces.tobytes() == two.faces.tobytes()


def test_a_box_s_flat_sides_lie_where_they_are_far_from_the_origin():
    low, high = np.array([400.03, -300.02, 200.01]), np.array([402.03, -298.02, 202.01])
    grid = Grid.around(low, high, 0.25)
    excess = np.abs(grid.points() - 0.5 * (low + high)) - 1.0
    values = np.linalg.norm(np.maximum(excess, 0), axis=1) + np.minimum(excess.max(axis=1), 0)
    mesh = isosurface(values.reshape(grid.array_shape), grid)
    assert stl_fault(mesh) is None
    assert np.allclose(mesh.bounds, [low, high], atol=5e-4)
    # Its twelve edges are bevelled over one grid step.
    assert 8.0 - 12 * 2.0 * 0.25**2 / 2.0 - 0.1 < mesh.volume < 8.0
