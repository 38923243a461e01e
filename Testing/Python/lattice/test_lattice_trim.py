"""A lattice stays in its domain: measured against the domain's own faces by VTK's exact distance."""

from __future__ import annotations

import numpy as np
import pytest
from lattice_shapes import inverted, joined, moved, rigid, without_numba
from LatticeGeneratorLib.field.combine import sample
from LatticeGeneratorLib.field.distance import signed_distance
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.field.slabs import slab_at, slabs_of
from LatticeGeneratorLib.infill.domain_field import MeshDomain
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.hollow import is_hollow
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import difference, largest_component, union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere
from LatticeGeneratorLib.printing.printer import NO_LIMITS

ALLOWED_MM = 1e-3


def corner() -> Mesh:
    return union([box([0, 0, 0], [5.02, 2.03, 2.5]), box([0, 0, 0], [2.07, 5, 2.5])])


def star() -> Mesh:
    return union([box([-3, -0.8, -0.8], [3, 0.8, 0.8]).transformed(rigid(seed, 0.0)) for seed in range(4)])


def grooved() -> Mesh:
    return difference(box([0, 0, 0], [5, 5, 3]), [cylinder(np.array([2.5, -1, 3.2]), np.array([2.5, 6, 3.2]), 0.8, 48)])


def bitten() -> Mesh:
    return difference(sphere(np.zeros(3), 2.2, 30), [sphere(np.array([1.6, 0.0, 0.0]), 1.1, 36)])


def terrain() -> Mesh:
    """A plate whose upper side is rough as that of a foot that rests on bone: faces of 0.15 mm, faintly hollow."""
    count, step = 21, 0.15
    x, y = np.meshgrid(step * np.arange(count), step * np.arange(count), indexing="ij")
    height = 1.0 + 0.1 * np.sin(2.0 * x) + np.random.default_rng(5).normal(0.0, 0.008, x.shape)
    sides = [np.stack([x, y, z], axis=-1).reshape(-1, 3) for z in (height, np.zeros_like(x))]
    a = (count * np.arange(count - 1)[:, None] + np.arange(count - 1)).ravel()
    b = a + count
    upper = np.concatenate([np.stack([a, b, a + 1], axis=1), np.stack([b, b + 1, a + 1], axis=1)])
    edges = np.concatenate([upper[:, [0, 1]], upper[:, [1, 2]], upper[:, [2, 0]]])
    inner = {tuple(edge) for edge in edges[:, ::-1].tolist()}
    p, q = np.array([edge for edge in edges.tolist() if tuple(edge) not in inner]).T
    low = count * count
    walls = np.concatenate([np.stack([q, p, p + low], axis=1), np.stack([q, p + low, q + low], axis=1)])
    return Mesh(np.concatenate(sides), np.concatenate([upper, upper[:, ::-1] + low, walls]))


def slotted(width: float) -> Mesh:
    """Two plates with a gap between them, joined at one side."""
    plates = [box([0, 0, 0], [2, 2, 1]), box([0, 0, 1 + width], [2, 2, 2])]
    return union([*plates, box([-0.7, 0, 0], [0.5, 2, 2])])


def wedged() -> Mesh:
    """Two plates with a gap that closes slowly."""
    tilted, angle = np.eye(4), 0.02
    tilted[:3, :3] = [[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]]
    upper = moved(box([0, 0, 0], [3, 2, 1]).transformed(tilted), [0.0, 0.0, 1.002])
    return union([box([0, 0, 0], [3, 2, 1]), upper, box([-0.7, 0, 0], [0.5, 2, 2])])


def heap(seed: int) -> Mesh:
    """Boxes of all sizes joined in all positions: gaps and notches of any width and angle, within a step and beside."""
    random = np.random.default_rng(seed)
    half = [0.5 * random.uniform(0.4, 3.0, 3) for _ in range(4)]
    turned = [box(-h, h).transformed(rigid(10 * seed + n, 0.0)) for n, h in enumerate(half)]
    return largest_component(union([moved(body, 0.6 * random.normal(size=3)) for body in turned]))[0]


BODIES = {
    "corner": corner(),
    "turned corner": corner().transformed(rigid(1)),
    "star": star(),
    "grooved": grooved().transformed(rigid(2)),
    "bitten": bitten(),
    "terrain": terrain(),
    "turned terrain": terrain().transformed(rigid(4)),
}
NARROW = {
    "gap 8 µm": slotted(0.008),
    "turned gap 30 µm": slotted(0.03).transformed(rigid(5)),
    "turned gap 70 µm": slotted(0.07).transformed(rigid(6)),
    "wedge": wedged(),
    "turned wedge": wedged().transformed(rigid(7)),
    **{f"heap {seed}": heap(seed) for seed in range(4)},
}
ALL = BODIES | NARROW
# Volume that creases of these small bodies may lose, as a share; the walls of what is narrow lose a step each.
BEVEL, BEVEL_OF_NARROW = 0.03, 0.09
_PARTS = 6
_TRIED = np.array([(a, b, _PARTS - a - b) for a in range(_PARTS + 1) for b in range(_PARTS + 1 - a)]) / _PARTS


def overshoot(made: Mesh, domain: Mesh) -> float:
    """mm by which the faces of a mesh leave a domain: corners, edges' and faces' middles, and places all over the faces
    that do not lie on the domain's own border with all of these."""
    t = made.triangles
    grid = Grid.around(*domain.bounds, 0.1)
    t = t[(sample(signed_distance(domain, grid, 0.3), grid, t.reshape(-1, 3)).reshape(-1, 3) > -0.08).any(axis=1)]
    middles = 0.5 * (t + np.roll(t, 1, axis=1))
    found = distances(domain, np.concatenate([t, middles, t.mean(axis=1, keepdims=True)], axis=1).reshape(-1, 3))
    bent = (np.abs(found.reshape(len(t), -1)) > 1e-5).any(axis=1)
    within = distances(domain, np.einsum("pc,tci->tpi", _TRIED, t[bent]).reshape(-1, 3))
    return float(max(found.max(), within.max(initial=0.0)))


def distances(domain: Mesh, places: np.ndarray) -> np.ndarray:
    """(n,) mm by which places (n, 3) lie outside a domain, by VTK."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

    points, cells, surface = vtk.vtkPoints(), vtk.vtkCellArray(), vtk.vtkPolyData()
    points.SetData(numpy_to_vtk(domain.vertices, deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(domain.faces.ravel(), deep=True))
    surface.SetPoints(points)
    surface.SetPolys(cells)
    distance, found = vtk.vtkImplicitPolyDataDistance(), vtk.vtkDoubleArray()
    distance.SetInput(surface)
    distance.FunctionValue(numpy_to_vtk(np.ascontiguousarray(places), deep=True), found)
    return vtk_to_numpy(found).copy()


def surface_of(body: Mesh) -> Mesh:
    """What is made of a body filled with nothing but metal."""
    domain = MeshDomain(body, 0.1)
    _, ny, nz = domain.grid.shape
    return isosurface(domain.on(slab_at(domain.grid, (0, nz - 1), (0, ny - 1))), domain.grid)


@pytest.mark.parametrize("name", ALL)
def test_what_is_made_of_a_hollow_body_stays_in_it(name):
    body = ALL[name]
    made = surface_of(body)
    assert overshoot(made, body) <= ALLOWED_MM
    assert 1.0 - (BEVEL_OF_NARROW if name in NARROW else BEVEL) < made.volume / body.volume < 1.0


@pytest.mark.parametrize(
    ("name", "times"), [("turned corner", 20.0), ("turned terrain", 5.0), ("turned gap 30 µm", 10.0)]
)
def test_without_drawing_back_it_would_leave_it(name, times):
    body = ALL[name]
    grid = Grid.around(*body.bounds, 0.1)
    assert overshoot(isosurface(signed_distance(body, grid, 0.3), grid), body) > times * ALLOWED_MM


@pytest.mark.parametrize("name", ["star", "turned terrain", "turned gap 30 µm"])
def test_slabs_agree_on_the_planes_and_rows_they_share(name):
    domain = MeshDomain(ALL[name], 0.1)
    whole = np.full(domain.grid.array_shape, np.nan, np.float32)
    met = 0
    for slab in slabs_of(domain.grid, 4_000):
        values, there = domain.on(slab), whole[slab.place]
        known = ~np.isnan(there)
        near = known & (np.abs(values) < 0.1)  # farther from the border only the side counts
        assert np.array_equal(there[near], values[near])
        assert np.array_equal(there[known] < 0.0, values[known] < 0.0)
        met += int(near.any())
        whole[slab.place] = values
    assert met > 6 and not np.isnan(whole).any()


@pytest.mark.parametrize("name", ["star", "turned terrain", "wedge"])
def test_without_numba_as_much_is_drawn_back(name):
    made = surface_of(ALL[name])
    with without_numba():
        bundled = surface_of(ALL[name])
    assert np.array_equal(made.faces, bundled.faces)
    assert np.abs(made.vertices - bundled.vertices).max() < 1e-5


@pytest.mark.parametrize(("name", "cell"), [("bitten", "gyroid_skeletal"), ("turned terrain", "bcc")])
def test_a_lattice_in_a_hollow_body_stays_in_it(name, cell):
    lattice = fill(ALL[name], LatticeSpec(cell, 0.7, 0.45), printer=NO_LIMITS)
    assert overshoot(lattice.mesh, ALL[name]) <= ALLOWED_MM


def test_only_beside_a_crease_distances_change():
    domain, step = MeshDomain(corner(), 0.1), 0.1
    _, ny, nz = domain.grid.shape
    whole = slab_at(domain.grid, (0, nz - 1), (0, ny - 1))
    exact = signed_distance(corner(), domain.grid, 1.01 * step).ravel()
    found, points = domain.on(whole).ravel(), domain.grid.points()
    # The one edge where walls meet inwards; a cube's diagonal is 1.74 steps.
    away = np.hypot(points[:, 0] - 2.07, points[:, 1] - 2.03) > 1.74 * step
    near = np.abs(exact) < step
    assert np.array_equal(found[near & away], exact[near & away])
    assert (found[near & ~away] > exact[near & ~away]).any() and (found[near] >= exact[near]).all()


@pytest.mark.parametrize(
    ("body", "hollow"),
    [
        (box([0, 0, 0], [1, 2, 3]).transformed(rigid(3)), False),
        (sphere(np.zeros(3), 3.0, 48), False),
        (cylinder(np.zeros(3), np.array([1.0, 2.0, 3.0]), 2.0, 90), False),
        (corner(), True),
        (joined(box([0, 0, 0], [1, 1, 1]), box([0, 0, 1.03], [1, 1, 2])), True),
        (joined(box([0, 0, 0], [3, 3, 3]), inverted(box([1, 1, 1], [2, 2, 2]))), True),
    ],
)
def test_what_is_convex_is_told_from_what_may_be_hollow(body, hollow):
    assert is_hollow(body, 0.1) == hollow
