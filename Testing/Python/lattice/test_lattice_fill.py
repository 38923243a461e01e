"""Lattices as made: porosity counted by VTK's stencil, closed, attached, the same every time, or refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from lattice_shapes import moved, trimesh_of, voxels_inside, without_numba
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from LatticeGeneratorLib.infill.feasible import cell_size_mm
from LatticeGeneratorLib.infill.fill import fill, fill_field, voxel_mm_for
from LatticeGeneratorLib.infill.lattice import Lattice
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.measure.porosity import porosity
from LatticeGeneratorLib.mesh.boolean import intersection
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components, self_intersections, stl_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, sphere
from LatticeGeneratorLib.progress import Cancelled
from scipy.spatial import cKDTree

LOW, HIGH = np.array([3.01, -2.02, 1.03]), np.array([7.01, 1.98, 3.03])
BLOCK = box(LOW, HIGH)
SPECS = [
    LatticeSpec(),
    LatticeSpec("bcc"),
    LatticeSpec(porosity=0.60, pore_mm=0.50),
    LatticeSpec("bcc", 0.75, 0.60),
]


@cache
def block(spec: LatticeSpec) -> Lattice:
    return fill(BLOCK, spec)


@pytest.mark.parametrize("spec", SPECS)
def test_porosity_as_made_by_counting_voxels(spec):
    lattice = block(spec)
    metal = voxels_inside(lattice.mesh, LOW, HIGH, 0.04)
    assert 1.0 - metal.mean() == pytest.approx(spec.porosity, abs=0.003)
    assert lattice.porosity == pytest.approx(1.0 - metal.mean(), abs=0.003)
    # Against the domain itself, whose edges the grid bevels.
    assert porosity(lattice.mesh, BLOCK) == pytest.approx(spec.porosity, abs=0.003)


@pytest.mark.parametrize("spec", SPECS)
def test_a_lattice_is_closed_and_of_one_piece_within_its_domain(spec):
    mesh = block(spec).mesh
    assert closed_manifold_fault(mesh) is None and stl_fault(mesh) is None
    assert trimesh_of(mesh).is_volume
    assert trimesh_of(mesh).body_count == 1
    assert self_intersections(mesh) == 0
    assert (mesh.bounds[0] > LOW - 1e-3).all() and (mesh.bounds[1] < HIGH + 1e-3).all()


@pytest.mark.parametrize("spec", SPECS[:2])
def test_the_record_says_how_it_was_made(spec):
    lattice = block(spec)
    assert lattice.spec == spec
    assert lattice.cell_mm == cell_size_mm(spec)
    assert lattice.voxel_mm == voxel_mm_for(spec) <= 0.1


@pytest.mark.parametrize("spec", SPECS[:2])
def test_the_pattern_repeats_with_the_cell(spec):
    lattice = block(spec)
    middle = 0.5 * (LOW + HIGH)
    vertices = lattice.mesh.vertices
    near = vertices[(np.abs(vertices - middle) < [0.9, 0.9, 0.5]).all(axis=1)]
    for axis in (0, 1):
        step = np.eye(3)[axis] * lattice.cell_mm
        gaps = cKDTree(lattice.mesh.triangles.mean(axis=1)).query(near + step)[0]
        # Vertices lie on the same surface one cell further, within the triangles' size.
        assert np.percentile(gaps, 95) < 0.06


def test_a_round_domain_in_any_place():
    ball = sphere(np.array([-40.3, 55.1, 120.7]), 2.0, 64)
    lattice = fill(ball, LatticeSpec())
    low, high = ball.bounds
    inside = voxels_inside(ball, low, high, 0.04)
    assert 1.0 - voxels_inside(lattice.mesh, low, high, 0.04).sum() / inside.sum() == pytest.approx(0.70, abs=0.004)


def test_the_same_wish_gives_the_same_bytes():
    one, two = block(LatticeSpec()), fill(BLOCK, LatticeSpec())
    assert one.mesh.vertices.tobytes() == two.mesh.vertices.tobytes()
    assert one.mesh.faces.tobytes() == two.mesh.faces.tobytes()
    assert (one.level, one.porosity, one.chips_removed) == (two.level, two.porosity, two.chips_removed)


def test_without_numba_the_lattice_is_the_same_within_a_micrometre():
    domain = box(LOW, LOW + np.array([2.5, 2.5, 1.5]))
    usual = fill(domain, LatticeSpec())
    with without_numba():
        other = fill(domain, LatticeSpec())
    assert np.array_equal(usual.mesh.faces, other.mesh.faces)
    assert np.abs(usual.mesh.vertices - other.mesh.vertices).max() < 1e-3


def test_a_lattice_keeps_what_its_anchor_holds():
    plate = box(LOW - [0.5, 0.5, 0.5], [HIGH[0] + 0.5, HIGH[1] + 0.5, LOW[2] + 0.1])
    lattice = fill(BLOCK, LatticeSpec(), anchor=plate)
    pieces = components(lattice.mesh)
    assert all(piece.bounds[0][2] < LOW[2] + 0.1 + lattice.voxel_mm for piece in pieces)
    with pytest.raises(GeometryError, match="no piece of the lattice reaches"):
        fill(BLOCK, LatticeSpec(), anchor=moved(plate, [0, 0, -5]))


def test_chips_of_a_thin_slanted_cut_are_removed_and_counted():
    wedge = Mesh(BLOCK.vertices + np.where(BLOCK.vertices[:, 2:] > 2.0, [0.9, 0.4, -1.2], 0.0), BLOCK.faces)
    for offset in np.linspace(0.0, 0.9, 4):
        lattice = fill(intersection(wedge, moved(BLOCK, [offset, 0.3 * offset, -0.55])), LatticeSpec())
        assert trimesh_of(lattice.mesh).body_count == 1
        assert lattice.chips_removed >= 0
        if lattice.chips_removed:
            return
    pytest.fail("no cut left a chip: the test's cuts no longer try what they should")


def test_a_field_may_be_given_in_place_of_meshes():
    grid = Grid.around(LOW, HIGH, 0.1)
    excess = np.abs(grid.points() - 0.5 * (LOW + HIGH)) - 0.5 * (HIGH - LOW)
    values = np.linalg.norm(np.maximum(excess, 0.0), axis=1) + np.minimum(excess.max(axis=1), 0.0)
    values = values.reshape(grid.array_shape)
    lattice = fill_field(values, grid, LatticeSpec())
    assert 1.0 - lattice.mesh.volume / isosurface(values, grid).volume == pytest.approx(0.70, abs=0.0011)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fill(BLOCK, LatticeSpec(porosity=0.95)), "not possible"),
        (lambda: fill(BLOCK, LatticeSpec(pore_mm=0.2)), "below 0.20 mm"),
        (lambda: fill(BLOCK, LatticeSpec(cell="foam")), "'foam'"),
        (lambda: fill_field(np.ones((4, 4, 4)), Grid(np.zeros(3), 0.1, (4, 4, 4)), LatticeSpec()), "is empty"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused_by_name(make, words):
    with pytest.raises(GeometryError, match=words):
        make()


def test_progress_rises_to_one():
    seen: list[float] = []
    fill(BLOCK, LatticeSpec(), lambda stage, fraction: seen.append(fraction))
    assert seen == sorted(seen) and seen[0] == 0.0 and seen[-1] == 1.0 and len(seen) >= 4


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_cancellation_ends_it(calls):
    left = calls

    def stop(stage: str, fraction: float) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        fill(BLOCK, LatticeSpec(), stop)
    assert left == 0
