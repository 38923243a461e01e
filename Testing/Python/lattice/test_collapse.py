"""Short edges are drawn together, and the surface stays closed."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import printable
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.collapse import collapsed
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, sphere

BALL = sphere(np.zeros(3), 1.0, 16)


def _with_short_edge(length: float) -> tuple[Mesh, int, int]:
    """The ball with one vertex moved towards a neighbour until their edge has the length."""
    a, b = (int(v) for v in BALL.faces[40, :2])
    vertices = BALL.vertices.copy()
    way = vertices[a] - vertices[b]
    vertices[a] = vertices[b] + length * way / np.linalg.norm(way)
    return printable(Mesh(vertices, BALL.faces)), a, b


def test_a_short_edge_becomes_its_middle_and_two_faces_go():
    mesh, a, b = _with_short_edge(0.01)
    made, index = collapsed(mesh, np.array([a]), 0.02)
    assert closed_manifold_fault(made) is None
    assert len(made.faces) == len(mesh.faces) - 2
    assert index[a] == index[b]
    middle = 0.5 * (mesh.vertices[a] + mesh.vertices[b])
    assert np.abs(made.vertices[index[a]] - middle).max() < 1e-6
    others = np.setdiff1d(np.arange(len(mesh.vertices)), [a, b])
    assert np.array_equal(made.vertices[index[others]], mesh.vertices[others])


@pytest.mark.parametrize("length, chosen_far", [(0.03, False), (0.01, True)])
def test_longer_edges_and_edges_elsewhere_stay(length, chosen_far):
    mesh, a, _ = _with_short_edge(length)
    chosen = int(np.argmax(np.linalg.norm(mesh.vertices - mesh.vertices[a], axis=1))) if chosen_far else a
    made, index = collapsed(mesh, np.array([chosen]), 0.02)
    assert made is mesh
    assert np.array_equal(index, np.arange(len(mesh.vertices)))


def test_edges_without_which_sheets_would_meet_stay():
    """Round a thin rod of three sides each ring is a triangle of edges that bounds no face."""
    turns = 2.0 * np.pi * np.arange(3) / 3
    ring = 0.005 * np.stack([np.cos(turns), np.sin(turns), 0.0 * turns], axis=1)
    up = np.array([0.0, 0.0, 0.4])
    vertices = np.vstack([[-2.5 * up], ring - up, ring, ring + up, [2.5 * up]])
    faces = [[0, 1 + (i + 1) % 3, 1 + i] for i in range(3)] + [[10, 7 + i, 7 + (i + 1) % 3] for i in range(3)]
    for low in (1, 4):
        for i in range(3):
            after = (i + 1) % 3
            faces += [[low + i, low + after, low + 3 + after], [low + i, low + 3 + after, low + 3 + i]]
    rod = printable(Mesh(vertices, np.array(faces)))
    made, _ = collapsed(rod, np.arange(len(rod.vertices)), 0.02)
    assert made is rod


def test_a_body_of_short_edges_only_stays_closed():
    small = printable(box([0, 0, 0], [0.01, 0.01, 0.01]))
    made, _ = collapsed(small, np.arange(8), 0.02)
    assert closed_manifold_fault(made) is None
