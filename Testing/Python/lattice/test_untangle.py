"""Crossings made by rounding are undone; crossings that are more than that are told."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import printable
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, self_intersections
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import sphere
from LatticeGeneratorLib.mesh.untangle import REACH_MM, untangled


def _folded() -> Mesh:
    """A lens 0.01 mm thick whose middle vertex has been pushed, a little aside, out through its other side."""
    ball = sphere(np.zeros(3), 1.0)
    vertices = ball.vertices * [1.0, 1.0, 0.005]
    vertices[np.argmax(vertices[:, 2])] += [0.03, 0.01, -0.013]
    return printable(Mesh(vertices, ball.faces))


def test_a_fold_of_some_micrometres_is_undone_and_nothing_else_moves():
    folded = _folded()
    assert self_intersections(folded) > 0
    mended, left = untangled(folded)
    assert left == 0
    assert self_intersections(mended) == 0
    assert closed_manifold_fault(mended) is None
    assert mended.volume == pytest.approx(4.0 / 3.0 * np.pi * 0.005, rel=0.02)
    far = np.linalg.norm(folded.vertices[:, :2], axis=1) > 0.3
    assert set(map(tuple, folded.vertices[far])) <= set(map(tuple, mended.vertices))


def test_two_bodies_that_overlap_are_told_and_left():
    one, two = sphere(np.zeros(3), 1.0), sphere(np.array([1.0, 0.1, 0.2]), 1.0)
    both = Mesh(np.vstack([one.vertices, two.vertices]), np.vstack([one.faces, two.faces + len(one.vertices)]))
    same, left = untangled(both)
    assert left > 0
    assert np.abs(same.bounds[0] - both.bounds[0]).max() <= REACH_MM
