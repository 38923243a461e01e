"""Simple solids: closed, and of the volume that the formula of their facets gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_shapes import rigid, trimesh_of
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, self_intersections
from LatticeGeneratorLib.mesh.solids import box, cone, cylinder, extruded, sphere
from LatticeGeneratorLib.mesh.split import split_triangles
from LatticeGeneratorLib.mesh.triangulate import triangulated

LENGTH = st.floats(0.05, 50.0)
POINT = st.tuples(*[st.floats(-50.0, 50.0)] * 3).map(np.array)


def ngon(radius: float, segments: int) -> float:
    """Area of the regular polygon with its corners on the circle."""
    return 0.5 * segments * radius**2 * np.sin(2.0 * np.pi / segments)


def frustum(r0: float, r1: float, height: float, segments: int) -> float:
    """Volume of the pyramid's frustum on such polygons."""
    return height / 3.0 * (ngon(r0, segments) + ngon(r1, segments) + np.sqrt(ngon(r0, segments) * ngon(r1, segments)))


@settings(max_examples=30, deadline=None)
@given(POINT, st.tuples(LENGTH, LENGTH, LENGTH).map(np.array))
def test_box(low, size):
    made = box(low, low + size)
    assert closed_manifold_fault(made) is None
    assert made.volume == pytest.approx(size.prod(), rel=1e-9)
    assert made.area == pytest.approx(2.0 * (size * np.roll(size, 1)).sum(), rel=1e-9)
    assert np.allclose(made.bounds, [low, low + size])


@settings(max_examples=40, deadline=None)
@given(POINT, POINT, LENGTH, st.integers(3, 100))
def test_cylinder(start, end, radius, segments):
    length = np.linalg.norm(end - start)
    if length < 0.05:
        end, length = start + np.array([0.0, 0.0, 1.0]), 1.0
    made = cylinder(start, end, radius, segments)
    assert closed_manifold_fault(made) is None
    assert made.volume == pytest.approx(ngon(radius, segments) * length, rel=1e-6)
    axis = (end - start) / length
    along = (made.vertices - start) @ axis
    away = np.linalg.norm(made.vertices - start - along[:, None] * axis, axis=1)
    assert np.allclose(away[away > 0.5 * radius], radius)
    assert (np.isclose(along, 0.0, atol=1e-6) | np.isclose(along, length)).all()


@settings(max_examples=40, deadline=None)
@given(LENGTH, LENGTH, LENGTH, st.integers(3, 64), st.integers(0, 1000))
def test_cone_and_frustum(r0, r1, height, segments, seed):
    frame = rigid(seed)
    start, end = frame[:3, 3], frame[:3, 3] + height * frame[:3, 2]
    for low, high in ((r0, r1), (r0, 0.0), (0.0, r1)):
        made = cone(start, end, low, high, segments)
        assert closed_manifold_fault(made) is None
        assert made.volume == pytest.approx(frustum(low, high, height, segments), rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(POINT, LENGTH, st.integers(2, 40).map(lambda n: 2 * n))
def test_sphere(centre, radius, segments):
    made = sphere(centre, radius, segments)
    assert closed_manifold_fault(made) is None
    assert np.allclose(np.linalg.norm(made.vertices - centre, axis=1), radius)
    tilts = np.pi * np.arange(segments // 2 + 1) / (segments // 2)
    r, z = radius * np.sin(tilts), -radius * np.cos(tilts)
    r[-1] = 0.0
    stack = sum(frustum(r[n], r[n + 1], z[n + 1] - z[n], segments) for n in range(len(r) - 1))
    assert made.volume == pytest.approx(stack, rel=1e-6)


def test_a_fine_sphere_has_the_sphere_s_volume():
    assert sphere(np.zeros(3), 2.0, 256).volume == pytest.approx(4.0 / 3.0 * np.pi * 8.0, rel=3e-4)


@st.composite
def star(draw) -> np.ndarray:
    """A polygon that is seen whole from the origin, mostly concave, either sense."""
    n = draw(st.integers(3, 30))
    radii = np.array(draw(st.lists(st.floats(0.5, 5.0), min_size=n, max_size=n)))
    angles = 2.0 * np.pi * (np.arange(n) + 0.3 * np.sin(np.arange(n))) / n
    polygon = np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])
    return polygon[::-1] if draw(st.booleans()) else polygon


def shoelace(polygon: np.ndarray) -> float:
    return sum(np.cross([*p, 0.0], [*q, 0.0])[2] for p, q in zip(polygon, np.roll(polygon, -1, axis=0))) / 2.0


@settings(max_examples=40, deadline=None)
@given(star(), st.floats(-5.0, 5.0), st.floats(0.1, 9.0), st.integers(0, 1000), st.booleans())
def test_extruded(polygon, low, height, seed, downwards):
    frame = rigid(seed)
    limits = (low + height, low) if downwards else (low, low + height)
    made = extruded(polygon, frame, *limits)
    assert closed_manifold_fault(made) is None
    assert made.volume == pytest.approx(abs(shoelace(polygon)) * height, rel=1e-6)
    local = (made.vertices - frame[:3, 3]) @ frame[:3, :3]
    assert np.allclose([local[:, 2].min(), local[:, 2].max()], [low, low + height])


@settings(max_examples=30, deadline=None)
@given(star())
def test_triangles_fill_the_polygon_once(polygon):
    polygon = polygon if shoelace(polygon) > 0 else polygon[::-1]
    triangles = triangulated(polygon)
    assert len(triangles) == len(polygon) - 2
    assert sorted(set(triangles.ravel())) == list(range(len(polygon)))
    areas = [shoelace(polygon[corners]) for corners in triangles]
    assert min(areas) > -1e-12
    assert sum(areas) == pytest.approx(shoelace(polygon), rel=1e-9)


def test_a_comb_is_filled_without_crossing_itself():
    teeth = [[x, y] for n in range(12) for x, y in ((n, 0.0), (n + 0.1, 5.0), (n + 0.6, 5.0), (n + 0.7, 0.0))]
    made = extruded(np.array([*teeth, [12.0, -1.0], [0.0, -1.0]]), np.eye(4), 0.0, 1.0)
    assert self_intersections(made) == 0
    assert made.volume == pytest.approx(12 * 0.6 * 5.0 + 1.0 * (12.0 + 11.7) / 2.0, rel=1e-9)


def test_an_outline_that_crosses_itself_is_refused():
    bow = np.array([[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 3.0]])
    with pytest.raises(GeometryError, match="crosses itself"):
        extruded(bow, np.eye(4), 0.0, 1.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: box([0, 0, 0], [1, 1, 0]),
        lambda: box([0, 0, 0], [0, 1, 1]),
        lambda: cylinder(np.zeros(3), np.zeros(3), 1.0),
        lambda: cylinder(np.zeros(3), np.ones(3), 0.0),
        lambda: cone(np.zeros(3), np.ones(3), 0.0, 0.0),
        lambda: cone(np.zeros(3), np.ones(3), 1.0, -0.5),
        lambda: sphere(np.zeros(3), 0.0),
        lambda: extruded(np.array([[0.0, 0.0], [1.0, 1.0]]), np.eye(4), 0.0, 1.0),
        lambda: extruded(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), np.eye(4), 0.0, 1.0),
    ],
)
def test_solids_without_volume_are_refused(make):
    with pytest.raises(GeometryError):
        make()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 3.0))
def test_split_triangles_are_the_same_surface_in_smaller_pieces(seed, limit):
    whole = np.random.default_rng(seed).uniform(-2.0, 2.0, (4, 3, 3))
    pieces = split_triangles(whole, limit)

    def vector_area(triangles: np.ndarray) -> np.ndarray:
        return np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]) / 2.0

    assert np.linalg.norm(np.roll(pieces, -1, axis=1) - pieces, axis=2).max() <= limit
    assert np.allclose(vector_area(pieces).sum(axis=0), vector_area(whole).sum(axis=0))
    assert np.linalg.norm(vector_area(pieces), axis=1).sum() == pytest.approx(
        np.linalg.norm(vector_area(whole), axis=1).sum()
    )


def test_trimesh_agrees_that_solids_are_closed():
    for made in (box([0, 0, 0], [1, 2, 3]), sphere(np.zeros(3), 1.0), cone(np.zeros(3), np.ones(3), 1.0, 0.0)):
        assert trimesh_of(made).is_volume
