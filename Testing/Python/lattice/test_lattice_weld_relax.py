"""Vertices merged, moved by micrometres, and surfaces taken apart into pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lattice_shapes import inverted, joined, moved
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.pieces import pieces_of
from LatticeGeneratorLib.mesh.relax import relaxed
from LatticeGeneratorLib.mesh.solids import box, sphere
from LatticeGeneratorLib.mesh.weld import as_stl_reads, merged_by_rounding, welded, without_flattened

FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1.0 + 2**-23, 1e-40, 3.0e38])
CUBE = box([0, 0, 0], [1, 1, 1])


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(0, 30), st.just(3)), elements=FEW.map(np.float32)))
def test_equal_points_become_one_in_order_of_appearance(points):
    seen: dict[tuple[float, float, float], int] = {}
    index = [seen.setdefault((float(x) + 0.0, float(y) + 0.0, float(z) + 0.0), len(seen)) for x, y, z in points]
    distinct, found = welded(points)
    assert found.tolist() == index
    assert [tuple(point) for point in distinct.astype(float).tolist()] == list(seen)
    assert distinct.dtype == np.float32 and not np.signbit(distinct[distinct == 0.0]).any()


def test_only_points_that_round_to_one_are_merged():
    near, apart = 1.0 + 1e-9, 1.0 + 1e-6
    mesh = Mesh(np.array([[1.0, 0, 0], [near, 0, 0], [apart, 0, 0], [0, 1, 0], [0, 0, 1]]), [[0, 3, 4], [1, 2, 3]])
    assert merged_by_rounding(mesh).tolist() == [0, 1]
    read = as_stl_reads(mesh)
    assert len(read.vertices) == 4
    assert np.array_equal(read.triangles, mesh.triangles.astype(np.float32))
    assert read.faces[0, 0] == read.faces[1, 0]


def test_flattened_faces_are_left_out():
    faces = np.array([[0, 1, 2], [0, 0, 1], [1, 2, 2], [3, 1, 3], [1, 2, 3]])
    assert without_flattened(Mesh(CUBE.vertices, faces)).faces.tolist() == [[0, 1, 2], [1, 2, 3]]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-4, 2.0))
def test_chosen_vertices_move_half_way_to_their_neighbours_mean_at_most_the_limit(seed, limit):
    rng = np.random.default_rng(seed)
    ball = sphere(np.zeros(3), 1.0, 8)
    mesh = Mesh(ball.vertices + rng.normal(0.0, 0.1, ball.vertices.shape), ball.faces)
    chosen = np.sort(rng.choice(len(mesh.vertices), 5, replace=False))
    after = relaxed(mesh, chosen, limit)
    assert np.array_equal(after.faces, mesh.faces)
    for number, (old, new) in enumerate(zip(mesh.vertices, after.vertices)):
        if number not in chosen:
            assert np.array_equal(old, new)
            continue
        faces = mesh.faces[(mesh.faces == number).any(axis=1)]
        neighbours = np.setdiff1d(faces, [number])
        step = 0.5 * (mesh.vertices[neighbours].mean(axis=0) - old)
        length = np.linalg.norm(step)
        assert np.allclose(new - old, step * min(1.0, limit / length), atol=1e-12)
    assert not np.shares_memory(after.vertices, mesh.vertices)


def test_relaxing_nothing_changes_nothing():
    assert np.array_equal(relaxed(CUBE, np.zeros(0, int), 0.1).vertices, CUBE.vertices)


def test_pieces_their_volumes_and_a_choice_of_them():
    void = inverted(moved(Mesh(0.5 * CUBE.vertices, CUBE.faces), [0.25] * 3))
    mesh = joined(CUBE, void, moved(CUBE, [5, 0, 0]))
    lonely = Mesh(np.vstack([mesh.vertices, [[9.0, 9, 9]]]), mesh.faces)
    pieces = pieces_of(lonely)
    assert pieces.volumes.tolist() == pytest.approx([1.0, -0.125, 1.0, 0.0])
    assert np.bincount(pieces.of_face, minlength=4).tolist() == [12, 12, 12, 0]
    kept = pieces.only(np.array([False, True, True, False]))
    assert kept.volume == pytest.approx(0.875) and len(kept.vertices) == 16


def test_vertices_and_faces_are_held_as_promised():
    mesh = Mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    assert mesh.vertices.dtype == np.float64 and mesh.faces.dtype == np.int64
    assert mesh.area == pytest.approx(0.5)
    assert mesh.triangles.shape == (1, 3, 3)
