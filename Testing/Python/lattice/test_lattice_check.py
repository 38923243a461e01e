"""Every way in which a mesh is not one closed, oriented surface is found and named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_shapes import inverted, joined, moved, tetrahedron, trimesh_of, without_numba
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components, self_intersections, stl_fault
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.solids import box, sphere

CUBE = box([0, 0, 0], [1, 1, 1])
BALL = sphere(np.array([3.0, -2.0, 1.0]), 2.0, 16)


def _touching_in_a_vertex() -> Mesh:
    one = tetrahedron()
    other = moved(inverted(Mesh(-one.vertices, one.faces)), [0, 0, 0])
    faces = np.where(other.faces == 0, 0, other.faces + 3)
    return Mesh(np.vstack([one.vertices, other.vertices[1:]]), np.vstack([one.faces, faces]))


def _touching_in_an_edge() -> Mesh:
    """Two wedges whose sharp edges are one edge."""
    one = tetrahedron()
    other = Mesh(one.vertices * [-1.0, -1.0, 1.0], one.faces)
    faces = np.select([other.faces == 0, other.faces == 3], [0, 3], other.faces + 3)
    return Mesh(np.vstack([one.vertices, other.vertices[1:3], np.zeros((1, 3))]), np.vstack([one.faces, faces]))


FAULTY = {
    "empty": (Mesh(np.zeros((3, 3)), np.zeros((0, 3), int)), "empty"),
    "not a number": (Mesh(np.where(CUBE.vertices == 1.0, np.nan, CUBE.vertices), CUBE.faces), "not finite"),
    "infinite": (Mesh(np.where(np.arange(24).reshape(8, 3) == 5, np.inf, CUBE.vertices), CUBE.faces), "1 vertices"),
    "no such vertex": (Mesh(CUBE.vertices[:-1], CUBE.faces), "do not exist"),
    "negative index": (Mesh(CUBE.vertices, CUBE.faces - 1), "do not exist"),
    "collapsed": (Mesh(CUBE.vertices, np.vstack([CUBE.faces, [[0, 0, 1]]])), "1 faces are degenerate"),
    "open": (Mesh(CUBE.vertices, CUBE.faces[1:]), "3 open edges"),
    "fin": (
        Mesh(np.vstack([CUBE.vertices, [[2, 2, 2]]]), np.vstack([CUBE.faces, [[*CUBE.faces[0, :2], 8]]])),
        "non-manifold edges",
    ),
    "one face turned": (Mesh(CUBE.vertices, np.vstack([CUBE.faces[:1, ::-1], CUBE.faces[1:]])), "3 inconsistently"),
    "edge of four faces": (_touching_in_an_edge(), "1 non-manifold edges"),
    "vertex of two fans": (_touching_in_a_vertex(), "1 surplus"),
    "inside out": (inverted(CUBE), "inwards"),
    "flat": (Mesh(CUBE.vertices * [1, 1, 0], CUBE.faces), "flat"),
    "twice the same face": (Mesh(CUBE.vertices, np.vstack([CUBE.faces, CUBE.faces])), "non-manifold edges"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_each_fault_is_found_and_named(name):
    mesh, words = FAULTY[name]
    fault = closed_manifold_fault(mesh)
    assert fault is not None and words in fault
    with pytest.raises(GeometryError, match="'tab'"):
        Part(mesh, "tab")


@pytest.mark.parametrize("name", FAULTY)
def test_without_numba_each_fault_has_the_same_words(name):
    mesh, _ = FAULTY[name]
    fault = closed_manifold_fault(mesh)
    with without_numba():
        assert closed_manifold_fault(mesh) == fault


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_without_numba_broken_meshes_have_the_same_fault(seed):
    rng = np.random.default_rng(seed)
    faces = BALL.faces.copy()
    faces[rng.integers(0, len(faces)), rng.integers(0, 3)] = rng.integers(0, len(BALL.vertices))
    mesh = Mesh(BALL.vertices, faces)
    fault = closed_manifold_fault(mesh)
    with without_numba():
        assert closed_manifold_fault(mesh) == fault


@pytest.mark.parametrize("mesh", [CUBE, BALL, tetrahedron(), joined(CUBE, BALL), joined(BALL, inverted(CUBE))])
def test_sound_meshes_have_no_fault(mesh):
    assert closed_manifold_fault(mesh) is None
    assert stl_fault(mesh) is None
    assert Part(mesh, "tab").with_mesh(CUBE).name == "tab"


def test_vertices_that_no_face_uses_do_no_harm():
    assert closed_manifold_fault(Mesh(np.vstack([CUBE.vertices, [[9.0, 9, 9]]]), CUBE.faces)) is None


def test_an_open_edge_is_located():
    fault = closed_manifold_fault(Mesh(BALL.vertices, BALL.faces[1:]))
    place = np.array([float(number) for number in fault.split("(")[1].split(")")[0].split(",")])
    assert np.linalg.norm(BALL.vertices[BALL.faces[0]] - place, axis=1).min() < 1e-3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, len(BALL.faces) - 1), max_size=3),
    st.lists(st.integers(0, len(BALL.faces) - 1), max_size=3),
    st.lists(st.integers(0, len(BALL.faces) - 1), max_size=2),
)
def test_edges_are_judged_as_trimesh_judges_them(left_out, turned, doubled):
    faces = BALL.faces.copy()
    faces[turned] = faces[turned, ::-1]
    kept = np.setdiff1d(np.arange(len(faces)), left_out)
    mesh = Mesh(BALL.vertices, np.vstack([faces[kept], faces[doubled]]))
    peer = trimesh_of(mesh)
    sound = peer.is_watertight and peer.is_winding_consistent and peer.volume > 0.0
    assert (closed_manifold_fault(mesh) is None) == sound


@given(st.permutations(range(len(CUBE.faces))), st.integers(0, 2), st.permutations(range(8)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_faces_corners_and_vertices_does_not_matter(faces, turn, vertices):
    place = np.argsort(vertices)
    mesh = Mesh(CUBE.vertices[vertices], np.roll(place[CUBE.faces[faces]], turn, axis=1))
    assert closed_manifold_fault(mesh) is None


def test_what_rounding_to_stl_merges_is_found_only_by_the_stl_check():
    apart = joined(CUBE, moved(CUBE, [1.0 + 1e-9, 1.0 + 1e-9, 0.0]))
    assert closed_manifold_fault(apart) is None
    fault = stl_fault(apart)
    assert fault is not None and "rounding to STL" in fault and "non-manifold edges" in fault


def test_components_come_largest_first_and_a_void_is_one():
    hollow = joined(moved(CUBE, [9, 9, 9]), BALL, inverted(sphere(np.array([3.0, -2.0, 1.0]), 1.5, 16)))
    found = components(hollow)
    assert [np.sign(piece.volume) for piece in found] == [1, -1, 1]
    assert np.allclose([piece.volume for piece in found], [BALL.volume, -BALL.volume * 0.75**3, 1.0])
    assert sum(len(piece.vertices) for piece in found) == len(hollow.vertices)
    assert len(components(Mesh(np.zeros((3, 3)), np.zeros((0, 3), int)))) == 0


def test_components_agree_with_trimesh():
    mesh = joined(*(moved(CUBE, [2.0 * n, 0, 0]) for n in range(5)), BALL)
    assert len(components(mesh)) == trimesh_of(mesh).body_count == 6


def test_volume_and_area_agree_with_trimesh():
    for mesh in (CUBE, BALL, joined(BALL, inverted(CUBE))):
        assert mesh.volume == pytest.approx(trimesh_of(mesh).volume, rel=1e-12)
        assert mesh.area == pytest.approx(trimesh_of(mesh).area, rel=1e-12)


def test_a_surface_through_itself_is_closed_but_counted():
    crossing = joined(CUBE, moved(CUBE, [0.5, 0.4, 0.3]))
    assert closed_manifold_fault(crossing) is None
    assert self_intersections(crossing) > 0
    assert self_intersections(joined(CUBE, BALL)) == 0
