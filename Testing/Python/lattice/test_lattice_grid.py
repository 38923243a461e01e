"""Grids, fields read between their points, and fields combined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.combine import sample, smooth_difference, smooth_maximum, smooth_union
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.progress import Cancelled, portion
from scipy.interpolate import RegularGridInterpolator

POINT = st.tuples(*[st.floats(-20.0, 20.0)] * 3).map(np.array)
VALUES = arrays(np.float64, 12, elements=st.floats(-5.0, 5.0))
RADIUS = st.floats(0.01, 3.0)


@settings(max_examples=60, deadline=None)
@given(POINT, st.tuples(*[st.floats(0.0, 9.0)] * 3).map(np.array), st.floats(0.2, 2.0), st.integers(0, 4))
def test_a_grid_around_a_box_covers_it_with_its_pad(low, size, spacing, pad):
    grid = Grid.around(low, low + size, spacing, pad)
    assert np.allclose(grid.origin, low - pad * spacing)
    assert (grid.upper >= low + size + (pad - 1e-6) * spacing).all()
    assert (grid.upper < low + size + (pad + 1 + 1e-6) * spacing).all()


@settings(max_examples=30, deadline=None)
@given(POINT, st.floats(0.1, 2.0), st.tuples(*[st.integers(1, 5)] * 3))
def test_points_axes_and_arrays_have_one_order(origin, spacing, shape):
    grid = Grid(origin, spacing, shape)
    points = grid.points().reshape(*grid.array_shape, 3)
    assert points.shape[:3] == shape[::-1]
    x, y, z = grid.axes()
    for k in range(shape[2]):
        for j in range(shape[1]):
            for i in range(shape[0]):
                expected = origin + spacing * np.array([i, j, k])
                assert np.allclose(points[k, j, i], expected)
                assert np.allclose([x[i], y[j], z[k]], expected)
    assert np.allclose(grid.indices(grid.points())[-1], np.array(shape) - 1)


@pytest.mark.parametrize(
    ("spacing", "shape"), [(0.0, (2, 2, 2)), (-1.0, (2, 2, 2)), (1.0, (2, 0, 2)), (np.nan, (1, 1, 1))]
)
def test_grids_without_spacing_or_points_are_refused(spacing, shape):
    with pytest.raises(GeometryError, match="grid"):
        Grid(np.zeros(3), spacing, shape)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), POINT, st.floats(0.1, 2.0), st.tuples(*[st.integers(2, 6)] * 3), st.booleans())
def test_sample_is_trilinear_and_goes_on_at_the_border(seed, origin, spacing, shape, single):
    rng = np.random.default_rng(seed)
    grid = Grid(origin, spacing, shape)
    values = rng.uniform(-1.0, 1.0, grid.array_shape).astype(np.float32 if single else np.float64)
    points = rng.uniform(grid.origin - 2.0 * spacing, grid.upper + 2.0 * spacing, (50, 3))
    x, y, z = grid.axes()
    inside = np.clip(points, [x[0], y[0], z[0]], [x[-1], y[-1], z[-1]])
    peer = RegularGridInterpolator((z, y, x), values.astype(np.float64))
    assert np.allclose(sample(values, grid, points), peer(inside[:, ::-1]), atol=1e-6)


def test_sample_at_grid_points_is_the_value_itself():
    grid = Grid(np.array([1.0, -2.0, 3.0]), 0.5, (4, 5, 6))
    values = np.random.default_rng(0).normal(size=grid.array_shape)
    assert np.allclose(sample(values, grid, grid.points()), values.ravel(), atol=1e-12)


def test_sample_on_a_grid_one_point_thick():
    grid = Grid(np.zeros(3), 1.0, (3, 1, 2))
    values = np.arange(6.0).reshape(grid.array_shape)
    assert np.allclose(sample(values, grid, np.array([[0.5, 7.0, 0.5], [2.0, -3.0, 1.0]])), [2.0, 5.0])


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES, RADIUS)
def test_smooth_union_fills_only_the_groove(a, b, radius):
    both = smooth_union(a, b, radius)
    plain = np.minimum(a, b)
    assert (both <= plain + 1e-9).all()
    # In the groove itself the fillet is (√2 − 1) radii deep.
    outside = plain >= 0.0
    assert (both >= plain - (np.sqrt(2.0) - 1.0) * radius - 1e-9)[outside].all()
    far = (a >= radius) | (b >= radius)
    assert np.allclose(both[far], plain[far])
    assert np.array_equal(both, smooth_union(b, a, radius))


def test_the_fillet_of_two_walls_is_a_circle_of_the_radius():
    radius, angles = 1.5, np.linspace(0.0, np.pi / 2.0, 20)
    # Metal below x = 0 and below y = 0; the fillet's centre is at (radius, radius).
    x, y = radius - radius * np.cos(angles), radius - radius * np.sin(angles)
    assert np.allclose(smooth_union(x, y, radius), 0.0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES, RADIUS)
def test_maximum_and_difference_are_the_union_of_what_is_outside(a, b, radius):
    assert np.allclose(smooth_maximum(a, b, radius), -smooth_union(-a, -b, radius))
    assert np.allclose(smooth_difference(a, b, radius), smooth_maximum(a, -b, radius))
    assert (smooth_maximum(a, b, radius) >= np.maximum(a, b) - 1e-9).all()
    assert (smooth_difference(a, b, radius) >= np.maximum(a, -b) - 1e-9).all()


@settings(max_examples=30, deadline=None)
@given(VALUES, VALUES)
def test_without_a_radius_edges_stay_sharp(a, b):
    assert np.array_equal(smooth_union(a, b, 0.0), np.minimum(a, b))
    assert np.array_equal(smooth_maximum(a, b, 0.0), np.maximum(a, b))
    edged = smooth_union(a, b, np.zeros(12))
    outside = np.minimum(a, b) >= 0.0
    assert np.array_equal(edged[outside], np.minimum(a, b)[outside]) and (edged[~outside] < 0.0).all()


@settings(max_examples=20, deadline=None)
@given(VALUES, VALUES, arrays(np.float64, 12, elements=RADIUS))
def test_a_radius_may_vary_from_point_to_point(a, b, radius):
    one_by_one = [smooth_union(a[n : n + 1], b[n : n + 1], float(radius[n]))[0] for n in range(12)]
    assert np.allclose(smooth_union(a, b, radius), one_by_one)


def test_a_portion_of_progress_stays_in_its_part_and_lets_cancellation_through():
    seen: list[tuple[str, float]] = []
    part = portion(lambda stage, fraction: seen.append((stage, fraction)), 0.25, 0.75)
    for fraction in (-1.0, 0.0, 0.5, 1.0, 7.0):
        part("s", fraction)
    assert seen == [("s", 0.25), ("s", 0.25), ("s", 0.5), ("s", 0.75), ("s", 0.75)]

    def stop(stage: str, fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        portion(stop, 0.0, 1.0)("s", 0.5)
