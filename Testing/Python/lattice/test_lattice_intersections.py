"""Where a surface passes through itself: every piercing that brute force finds, and no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lattice_shapes import joined, moved, rigid, without_numba
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import union
from LatticeGeneratorLib.mesh.intersections import pierced_places, piercing_edges, piercings
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere

CUBE = box([0, 0, 0], [1, 1, 1])


def brute(mesh: Mesh) -> set[tuple[int, int, int]]:
    """(low vertex, high vertex, face) of every edge that passes through a face, by solving for the crossing point."""
    edges = {tuple(sorted((int(face[n]), int(face[n - 1])))) for face in mesh.faces for n in range(3)}
    found = set()
    for p, q in edges:
        start, way = mesh.vertices[p], mesh.vertices[q] - mesh.vertices[p]
        apart = ~np.isin(mesh.faces, [p, q]).any(axis=1)
        for number in np.flatnonzero(apart):
            a, b, c = mesh.vertices[mesh.faces[number]]
            system = np.column_stack([way, a - b, a - c])
            if abs(np.linalg.det(system)) < 1e-14:
                continue
            along, u, v = np.linalg.solve(system, a - start)
            if 0.0 < along < 1.0 and u > 0.0 and v > 0.0 and u + v < 1.0:
                found.add((p, q, int(number)))
    return found


def found_in(mesh: Mesh) -> set[tuple[int, int, int]]:
    edges, faces = piercings(mesh)
    assert len(edges) == len(faces)
    return {(int(p), int(q), int(face)) for (p, q), face in zip(edges, faces)}


def soup(seed: int, triangles: int) -> Mesh:
    """Random triangles of very different size, some with vertices in common."""
    rng = np.random.default_rng(seed)
    vertices = rng.uniform(-1.0, 1.0, (2 * triangles, 3)) * rng.choice([0.1, 1.0, 3.0], (2 * triangles, 1))
    faces = np.array([rng.choice(len(vertices), 3, replace=False) for _ in range(triangles)])
    return Mesh(vertices + rng.uniform(-50.0, 50.0, 3), faces)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30))
def test_a_soup_of_triangles_by_brute_force(seed, triangles):
    mesh = soup(seed, triangles)
    assert found_in(mesh) == brute(mesh)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_without_numba_the_same_are_found(seed):
    one, two = sphere(np.zeros(3), 1.0, 16), sphere(np.zeros(3), 0.9, 24).transformed(rigid(seed, 0.3))
    mesh = joined(one, two, soup(seed, 20))
    usual = piercings(mesh)
    with without_numba():
        other = piercings(mesh)
    assert np.array_equal(usual[0], other[0]) and np.array_equal(usual[1], other[1])


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.floats(0.1, 0.9)] * 3), st.integers(0, 1000))
def test_two_boxes_that_cross_in_a_corner(offset, seed):
    # Off the diagonals of the faces: an edge that meets an edge passes through the inside of neither face beside it.
    pairs = [(offset[i], offset[i - 1]) for i in range(3)]
    assume(all(abs(u - v) > 1e-6 and abs(u + v - 1.0) > 1e-6 for u, v in pairs))
    both = joined(CUBE, moved(CUBE, offset)).transformed(rigid(seed))
    edges, _ = piercings(both)
    # Each box has three edges (and some of its faces' diagonals) that leave the other's corner.
    lengths = np.linalg.norm(both.vertices[edges[:, 0]] - both.vertices[edges[:, 1]], axis=1)
    sides = np.isclose(lengths, 1.0)
    assert len(np.unique(edges[sides], axis=0)) == 6
    assert {bool(p >= 8) for p in edges[sides][:, 0]} == {False, True}
    assert piercing_edges(both) >= 6


def test_a_needle_through_a_plate():
    needle = cylinder(np.array([0.31, 0.22, -1.0]), np.array([0.31, 0.22, 2.0]), 0.01, 3)
    both = joined(CUBE, needle)
    assert found_in(both) == brute(both)
    assert piercing_edges(both) > 0


def test_the_places_lie_on_the_edge_and_in_the_face():
    both = joined(CUBE, moved(CUBE, [0.31, 0.22, 0.43])).transformed(rigid(3))
    edges, faces = piercings(both)
    places = pierced_places(both, edges, faces)
    ends = both.vertices[edges]
    ways = np.linalg.norm(places[:, None] - ends, axis=2)
    assert np.abs(ways.sum(axis=1) - np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)).max() < 1e-9
    whole = np.linalg.norm(np.cross(*np.diff(both.triangles[faces], axis=1).transpose(1, 0, 2)), axis=1)
    corners = both.triangles[faces] - places[:, None]
    parts = [np.linalg.norm(np.cross(corners[:, n], corners[:, n - 1]), axis=1) for n in range(3)]
    assert len(places) > 5 and np.abs(sum(parts) - whole).max() < 1e-9


@pytest.mark.parametrize(
    "mesh",
    [
        CUBE,
        sphere(np.array([100.0, 200.0, -300.0]), 5.0),
        joined(CUBE, moved(CUBE, [1.0 + 1e-6, 0, 0])),
        joined(CUBE, moved(CUBE, [3, 0, 0])),
        union([CUBE, moved(CUBE, [0.5, 0.4, 0.3])]),
        Mesh(np.zeros((0, 3)), np.zeros((0, 3), int)),
    ],
)
def test_nothing_is_found_in_clean_surfaces(mesh):
    assert piercing_edges(mesh) == 0


def test_a_lattice_is_clean_and_two_of_them_are_not():
    lattice = fill(box([0] * 3, [2, 2, 1.5]), LatticeSpec()).mesh
    assert piercing_edges(lattice) == 0
    assert piercing_edges(joined(lattice, moved(lattice, [0.11, 0.07, 0.05]))) > 100


def test_large_faces_beside_tiny_ones():
    tiny = sphere(np.array([0.43, 0.51, 1.001]), 0.01, 12)
    both = joined(CUBE, tiny)
    edges, faces = piercings(both)
    assert len(edges) > 0
    assert np.isin(faces, np.flatnonzero((CUBE.triangles[:, :, 2] == 1.0).all(axis=1))).all()
    assert found_in(both) == brute(both)


@pytest.mark.parametrize("seed", range(4))
def test_edges_in_the_plane_of_a_face_do_not_pierce_it_however_it_is_turned(seed):
    """A flat side of many triangles, turned: rounding alone puts its edges to either side of its faces."""
    steps = np.arange(13.0) / 10.0
    x, y = (axis.ravel() for axis in np.meshgrid(steps, steps))
    plane = np.stack([x, y, np.full_like(x, 0.3)], axis=1)
    corner = (np.arange(12)[:, None] * 13 + np.arange(12)).ravel()
    faces = np.concatenate(
        [np.stack([corner, corner + 1, corner + 14], 1), np.stack([corner, corner + 14, corner + 13], 1)]
    )
    for turn in range(6):
        mesh = Mesh(plane, faces).transformed(rigid(10 * seed + turn, 3.0))
        assert piercing_edges(mesh) == 0
        with without_numba():
            assert piercing_edges(mesh) == 0
