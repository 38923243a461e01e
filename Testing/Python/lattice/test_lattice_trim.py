"""A lattice stays in its domain: measured against the domain's own faces by VTK's exact distance."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from lattice_shapes import rigid
from LatticeGeneratorLib.field.combine import sample
from LatticeGeneratorLib.field.distance import signed_distance
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.field.slabs import slab_at, slabs_of
from LatticeGeneratorLib.infill.domain_field import MeshDomain
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.hollow import is_hollow
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere

ALLOWED_MM = 1e-3
BEVEL = 0.03  # volume that creases of these small bodies may lose, as a share


def corner() -> Mesh:
    return union([box([0, 0, 0], [5.02, 2.03, 2.5]), box([0, 0, 0], [2.07, 5, 2.5])])


def star() -> Mesh:
    return union([box([-3, -0.8, -0.8], [3, 0.8, 0.8]).transformed(rigid(seed, 0.0)) for seed in range(4)])


def grooved() -> Mesh:
    return difference(box([0, 0, 0], [5, 5, 3]), [cylinder(np.array([2.5, -1, 3.2]), np.array([2.5, 6, 3.2]), 0.8, 48)])


def bitten() -> Mesh:
    return difference(sphere(np.zeros(3), 3.0, 48), [sphere(np.array([2.0, 0.0, 0.0]), 1.5, 48)])


def terrain() -> Mesh:
    """A plate whose upper side is rough as that of a foot that rests on bone: faces of 0.15 mm, faintly hollow."""
    count, step = 21, 0.15
    x, y = np.meshgrid(step * np.arange(count), step * np.arange(count), indexing="ij")
    height = 1.0 + 0.1 * np.sin(2.0 * x) + np.random.default_rng(5).normal(0.0, 0.008, x.shape)
    sides = [np.stack([x, y, z], axis=-1).reshape(-1, 3) for z in (height, np.zeros_like(x))]
    a = (count * np.arange(count - 1)[:, None] + np.arange(count - 1)).ravel()
    upper = np.concatenate([np.stack([a, a + count, a + 1], axis=1), np.stack([a + count, a + count + 1, a + 1], axis=1)])
    edges = np.concatenate([upper[:, [0, 1]], upper[:, [1, 2]], upper[:, [2, 0]]])
    inner = {tuple(edge) for edge in edges[:, ::-1].tolist()}
    p, q = np.array([edge for edge in edges.tolist() if tuple(edge) not in inner]).T
    low = count * count
    walls = np.concatenate([np.stack([q, p, p + low], axis=1), np.stack([q, p + low, q + low], axis=1)])
    return Mesh(np.concatenate(sides), np.concatenate([upper, upper[:, ::-1] + low, walls]))


BODIES = [corner(), corner().transformed(rigid(1)), star(), grooved().transformed(rigid(2)), bitten(), terrain(), terrain().transformed(rigid(4))]


def overshoot(made: Mesh, domain: Mesh) -> float:
    """mm by which the faces of a mesh leave a domain: corners, edges' and faces' middles."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

    t = made.triangles
    places = np.concatenate([made.vertices, t.mean(axis=1), 0.5 * (t[:, 0] + t[:, 1]), 0.5 * (t[:, 1] + t[:, 2])])
    grid = Grid.around(*domain.bounds, 0.1)
    places = places[sample(signed_distance(domain, grid, 0.3), grid, places) > -0.08]
    points, cells, surface = vtk.vtkPoints(), vtk.vtkCellArray(), vtk.vtkPolyData()
    points.SetData(numpy_to_vtk(domain.vertices, deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(domain.faces.ravel(), deep=True))
    surface.SetPoints(points)
    surface.SetPolys(cells)
    distance, found = vtk.vtkImplicitPolyDataDistance(), vtk.vtkDoubleArray()
    distance.SetInput(surface)
    distance.FunctionValue(numpy_to_vtk(np.ascontiguousarray(places), deep=True), found)
    return float(vtk_to_numpy(found).max())


@pytest.mark.parametrize("body", BODIES)
def test_what_is_made_of_a_hollow_body_stays_in_it(body):
    domain = MeshDomain(body, 0.1)
    whole = slab_at(domain.grid, 0, domain.grid.shape[2] - 1)
    made = isosurface(domain.on(whole), domain.grid)
    assert overshoot(made, body) <= ALLOWED_MM
    assert 1.0 - BEVEL < made.volume / body.volume < 1.0


def test_without_drawing_back_it_would_leave_it():
    body = corner().transformed(rigid(1))
    grid = Grid.around(*body.bounds, 0.1)
    assert overshoot(isosurface(signed_distance(body, grid, 0.3), grid), body) > 20.0 * ALLOWED_MM


def test_slabs_agree_on_the_planes_they_share():
    domain = MeshDomain(star(), 0.1)
    slabs = slabs_of(domain.grid, 40_000)
    assert len(slabs) > 3
    parts = [domain.on(slab) for slab in slabs]
    for low, high in pairwise(parts):  # farther from the border only the side counts
        near = np.abs(low[-1]) < 0.1
        assert near.any() and np.array_equal(low[-1][near], high[0][near])
        assert np.array_equal(low[-1] < 0.0, high[0] < 0.0)


def test_a_lattice_in_a_bitten_ball_stays_in_it():
    lattice = fill(bitten(), LatticeSpec())
    assert overshoot(lattice.mesh, bitten()) <= ALLOWED_MM


@pytest.mark.parametrize(
    ("body", "hollow"),
    [(box([0, 0, 0], [1, 2, 3]).transformed(rigid(3)), False), (sphere(np.zeros(3), 3.0, 48), False), (corner(), True)],
)
def test_only_what_is_hollow_is_drawn_back(body, hollow):
    edges = hollow_edges(body, 0.1)
    assert (len(edges) > 0) == hollow
    if hollow:  # of its edges the one where the walls meet, named by both its faces
        assert np.allclose(edges[:, :, :2], [2.07, 2.03])
