"""One closed body, and nothing less, passes."""

from __future__ import annotations

import numpy as np
from LatticeGeneratorLib.mesh.boolean import difference
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box
from SpinalStrutDesignerLib.verify.closed import closed
from SpinalStrutDesignerLib.verify.measured import Measured
from verify_toy import column_mesh, design_of, toy_case, toy_plan

CASE, PLAN = toy_case(), toy_plan()


def joined(meshes):
    """All faces in one mesh, without any boolean."""
    first = np.cumsum([0] + [len(m.vertices) for m in meshes])
    faces = np.concatenate([m.faces + n for m, n in zip(meshes, first)])
    return Mesh(np.concatenate([m.vertices for m in meshes]), faces)


def _failing(mesh):
    return {f.id for f in closed(Measured(design_of(CASE, PLAN, mesh).implants[0])) if f.verdict == "fail"}


def test_one_body_passes():
    assert _failing(column_mesh()) == set()


def test_a_loose_piece_fails():
    assert _failing(joined([column_mesh(), box([30, 0, 0], [31, 1, 1])])) == {"mesh.bodies"}


def test_a_closed_cavity_fails():
    assert _failing(difference(column_mesh(), [box([-1, -1, -1], [1, 1, 1])])) == {"mesh.voids"}


def test_a_surface_through_itself_fails():
    assert "mesh.self_intersections" in _failing(joined([column_mesh(), box([-20, -1, -1], [20, 1.3, 1.1])]))


def test_a_crossing_is_told_with_a_place_on_both_surfaces():
    """A bar of 40 mm goes through the column's sides, which lie 5 mm to the left and right at this height."""
    mesh = joined([column_mesh(width=10.0), box([-20, -1, -1], [20, 1.3, 1.1])])
    found = closed(Measured(design_of(CASE, PLAN, mesh).implants[0]))
    x, y, z = next(f for f in found if f.id == "mesh.self_intersections").location
    assert abs(x) == 5.0
    assert (y in (-1.0, 1.3) and -1.0 <= z <= 1.1) or (z in (-1.0, 1.1) and -1.0 <= y <= 1.3)


def test_bodies_that_merge_after_rounding_to_stl_fail():
    """Two blocks 1e-7 mm apart are manifold in memory and touch in the file."""
    tight = joined([box([0, 0, 100], [10, 10, 110]), box([0, 0, 110.0000001], [10, 10, 120])])
    assert "mesh.closed" in _failing(tight)
