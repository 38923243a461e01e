"""Rays through meshes, points inside them, and the least distance found by cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.samples import Samples, body_samples, surface_points
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.verify.raster import cast, interior_points


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_rays_measure_the_volume_of_a_bored_ball(seed, mirrored):
    mesh = difference(sphere([3, 2, 1], 8.0), [cylinder([3, 2, -10], [3, 2, 12], 2.0)])
    frame = Rotation.random(random_state=seed).as_matrix()
    if mirrored:
        frame = frame[[1, 0, 2]]
    rays = cast(mesh, frame, np.array([3.0, 2.0, 1.0]), 0.1, np.full(2, -9.0), np.full(2, 9.0))
    _, start, end = rays.chords
    assert (end > start).all()
    assert (end - start).sum() * 0.01 == pytest.approx(mesh.volume, rel=5e-3)


def test_ends_of_chords_lie_on_the_surface():
    rays = cast(sphere([0, 0, 0], 5.0, 128), np.eye(3), np.zeros(3), 0.25, np.full(2, -6.0), np.full(2, 6.0))
    ray, start, _ = rays.chords
    assert np.linalg.norm(rays.points(ray, start), axis=1) == pytest.approx(5.0, abs=0.01)


def test_points_inside_fill_the_volume_and_nothing_else():
    mesh = union([box([0, 0, 0], [20, 10, 5]), cylinder([10, 5, 0], [10, 5, 30], 4.0)])
    points = interior_points(mesh, 0.5)
    assert len(points) * 0.125 == pytest.approx(mesh.volume, rel=0.02)
    in_box = ((points > 0) & (points < [20, 10, 5])).all(axis=1)
    in_tube = (np.hypot(points[:, 0] - 10, points[:, 1] - 5) < 4.0) & (points[:, 2] > 0) & (points[:, 2] < 30)
    assert (in_box | in_tube).all()


def test_large_triangles_are_sampled():
    points = surface_points(box([0, 0, 0], [40, 40, 1]), 0.4)
    assert np.linalg.norm(points - [17.3, 21.1, 1.0], axis=1).min() < 0.4


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(-60, 60)] * 3), st.floats(0.5, 10.0))
def test_least_distance_is_that_over_all_points(centre, radius):
    samples = _BODY
    found = samples.least(lambda p: np.linalg.norm(p - centre, axis=1) - radius)
    every = np.linalg.norm(samples.points - centre, axis=1) - radius
    assert found.distance_mm == every.min()
    assert np.linalg.norm(np.array(found.point) - centre) - radius == pytest.approx(every.min())
    index, values = samples.below(lambda p: np.linalg.norm(p - centre, axis=1) - radius, 3.0)
    assert sorted(index) == np.flatnonzero(every < 3.0).tolist()
    assert (values < 3.0).all()


def test_a_thing_swallowed_whole_is_found():
    cube = box([-10, -10, -10], [10, 10, 10])
    found = body_samples(cube, interior_points(cube, 0.5)).least(lambda p: np.linalg.norm(p, axis=1) - 1.0)
    assert found.distance_mm < -0.4


_BODY = Samples(surface_points(cylinder([0, 0, -40], [5, 3, 40], 4.0), 0.5))
