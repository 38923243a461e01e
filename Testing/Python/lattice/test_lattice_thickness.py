"""Pore size and strut thickness: calibrated on shapes of known size, and against a brute-force local thickness."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from lattice_shapes import joined, moved, rigid, without_numba
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.measure.cover import cover
from LatticeGeneratorLib.measure.thickness import pore_size, strut_thickness
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.inside import winding_number
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere
from scipy.spatial import cKDTree

RIGHT_MM = 0.015
SIZES_MM = [0.35, 0.5, 0.55, 0.6, 0.8]


def turned(mesh: Mesh, seed: int) -> Mesh:
    return mesh.transformed(rigid(seed))


@pytest.mark.parametrize("size", SIZES_MM)
def test_a_slit(size):
    plates = joined(box([-3, -3, -1], [3, 3, 0.013]), box([-3, -3, 0.013 + size], [3, 3, 1.5]))
    domain = box([-1.5, -1.5, -0.3], [1.5, 1.5, size + 0.3])
    pores = pore_size(turned(plates, 7), turned(domain, 7))
    for found in (pores.mean_mm, pores.p5_mm, pores.p95_mm, pores.largest_mm):
        assert found == pytest.approx(size, abs=RIGHT_MM)


@pytest.mark.parametrize("size", SIZES_MM)
def test_a_plate(size):
    domain = box([-1.5, -1.5, -0.8], [1.5, 1.5, size + 0.8])
    plate = turned(box([-3, -3, 0], [3, 3, size]), 8)
    found = strut_thickness(plate, turned(domain, 8))
    assert found.mean_mm == pytest.approx(size, abs=RIGHT_MM)
    assert found.p5_mm == pytest.approx(size, abs=RIGHT_MM)


BORES = [([-3.0, 0.1, 0.2], [3.0, 0.3, 0.5]), ([0.1, -3.0, 1.2], [0.3, 3.0, 1.0])]
AROUND_BORES = box([-1.0, -1.0, -0.4], [1.0, 1.0, 1.6])  # both of them, whatever their size


def rods(size: float) -> list[Mesh]:
    return [cylinder(np.array(a), np.array(b), 0.5 * size, 128) for a, b in BORES]


@pytest.mark.parametrize("size", SIZES_MM[1:4:2])
def test_bores(size):
    body = difference(box([-2] * 3, [2] * 3), rods(size))
    pores = pore_size(turned(body, 9), turned(AROUND_BORES, 9))
    assert pores.mean_mm == pytest.approx(size, abs=RIGHT_MM)
    assert pores.p95_mm == pytest.approx(size, abs=RIGHT_MM)


@pytest.mark.parametrize("size", SIZES_MM[:4])
def test_rods(size):
    found = strut_thickness(joined(*rods(size)), AROUND_BORES)
    assert found.mean_mm == pytest.approx(size, abs=RIGHT_MM)
    assert size - 2 * RIGHT_MM < found.p5_mm < size + RIGHT_MM
    # The 1st percentile is on the safe side.
    assert size - 0.1 < found.least_mm < size + RIGHT_MM


@pytest.mark.parametrize("size", SIZES_MM[1:])
def test_round_pores(size):
    corners = np.stack(np.meshgrid(*[[-0.7, 0.7]] * 3), axis=-1).reshape(-1, 3)
    places = corners + np.random.default_rng(13).uniform(-0.1, 0.1, corners.shape)
    body = difference(box([-2] * 3, [2] * 3), [sphere(place, 0.5 * size, 96) for place in places])
    pores = pore_size(body, box([-1.6] * 3, [1.6] * 3))
    assert pores.mean_mm == pytest.approx(size, abs=RIGHT_MM)
    assert pores.p5_mm == pytest.approx(size, abs=0.03)
    assert pores.largest_mm == pytest.approx(size, abs=RIGHT_MM)


def test_two_sizes_are_told_apart():
    walls = [box([x, -2, -2], [x + 0.3, 2, 2]) for x in (-1.25, -0.55, 0.55)]
    # Slits of 0.4 and 0.8 mm, and beyond the outer walls nothing.
    pores = pore_size(joined(*walls), box([-1.1, -1, -1], [0.7, 1, 1]))
    assert pores.p5_mm == pytest.approx(0.4, abs=RIGHT_MM)
    assert pores.p95_mm == pytest.approx(0.8, abs=RIGHT_MM)
    assert pores.mean_mm == pytest.approx((0.4 * 0.4 + 0.8 * 0.8) / 1.2, abs=0.03)


def test_wide_void_counts_as_three_millimetres():
    pores = pore_size(box([-1, -6, -6], [-0.5, 6, 6]), box([-0.7, -3, -3], [6, 3, 3]), 0.3)
    assert pores.largest_mm == pytest.approx(3.0, abs=RIGHT_MM)


def brute_thickness(body: Mesh, domain: Mesh, side: float, step: float, inner: Mesh | None = None) -> np.ndarray:
    """Local thickness over the domain's points, or those in an inner one, by brute force on a raster of `step` mm.

    Distances are to a dense cloud on the body's surface; every ball round a raster point in the domain is tried on
    every one of a sample of points.
    """
    grid = Grid.around(*domain.bounds, step, pad=0)
    points = grid.points()
    points = points[winding_number(domain, points) > 0.5]
    metal = _enclosed(body, points)
    points = points[metal == (side < 0)]
    rng = np.random.default_rng(11)
    corners = body.triangles
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    chosen = rng.choice(len(corners), 400_000, p=areas / areas.sum())
    u, v = rng.uniform(size=(2, len(chosen), 1))
    u, v = np.where(u + v > 1.0, 1.0 - u, u), np.where(u + v > 1.0, 1.0 - v, v)
    a, b, c = corners[chosen].transpose(1, 0, 2)
    cloud = a + u * (b - a) + v * (c - a)
    radii = cKDTree(cloud).query(points)[0]
    order = np.argsort(-radii, kind="stable")
    centres, radii = points[order], radii[order]
    counted = points if inner is None else points[winding_number(inner, points) > 0.5]
    asked = counted[rng.choice(len(counted), 600, replace=False)]
    sizes = np.zeros(len(asked))
    for begin in range(0, len(centres), 2000):
        waiting = np.flatnonzero(sizes == 0.0)
        away = np.linalg.norm(asked[waiting, None] - centres[None, begin : begin + 2000], axis=2)
        held = away <= radii[begin : begin + 2000] + 1e-9
        found = held.any(axis=1)
        sizes[waiting[found]] = 2.0 * radii[begin : begin + 2000][held.argmax(axis=1)[found]]
    return sizes


def _enclosed(body: Mesh, points: np.ndarray) -> np.ndarray:
    """(n,) bool by VTK's own test of points against a closed surface."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

    def polydata(vertices: np.ndarray) -> vtk.vtkPolyData:
        data, place = vtk.vtkPolyData(), vtk.vtkPoints()
        place.SetData(numpy_to_vtk(np.ascontiguousarray(vertices), deep=True))
        data.SetPoints(place)
        return data

    surface = polydata(body.vertices)
    cells = vtk.vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(body.faces.ravel(), deep=True))
    surface.SetPolys(cells)
    test = vtk.vtkSelectEnclosedPoints()
    test.SetInputData(polydata(points))
    test.SetSurfaceData(surface)
    test.Update()
    return vtk_to_numpy(test.GetOutput().GetPointData().GetArray("SelectedPoints")) > 0


@cache
def layer() -> tuple[Mesh, Mesh]:
    """A small porous layer on its plate, and the layer's domain."""
    domain = box([0, 0, 0], [2.4, 2.4, 1.5])
    lattice = fill(domain, LatticeSpec())
    return union([lattice.mesh, box([-0.5, -0.5, 1.4], [2.9, 2.9, 2.2])]), domain


@pytest.mark.parametrize("cell", ["gyroid_skeletal", "bcc"])
def test_a_lattice_agrees_with_brute_force_within_its_raster(cell):
    body = turned(fill(box([0] * 3, [2.6] * 3), LatticeSpec(cell)).mesh, 10)
    domain = turned(box([0.35] * 3, [2.25] * 3), 10)
    step = 0.05
    # Balls centred on a raster miss the largest by up to half its diagonal on either side, never the other way.
    missed = np.sqrt(3.0) * step
    pores, sizes = pore_size(body, domain), brute_thickness(body, domain, 1.0, step)
    assert -0.015 < pores.mean_mm - sizes.mean() < 0.015 + missed
    assert -0.02 < pores.p95_mm - np.percentile(sizes, 95) < 0.02 + missed
    # Struts cut at the domain's border are thin and do not count.
    inner = turned(box([0.65] * 3, [1.95] * 3), 10)
    struts, sizes = strut_thickness(body, domain), brute_thickness(body, domain, -1.0, step, inner)
    assert -0.015 < struts.mean_mm - sizes.mean() < 0.015 + missed


def test_a_lattice_measures_what_was_asked_for():
    domain = box([0, 0, 0], [5.0, 5.0, 5.0])
    inner = box([0.5] * 3, [4.5] * 3)
    mesh = fill(domain, LatticeSpec()).mesh
    # Made on a grid of 0.1 mm the pores lose some 0.013 mm, and at the domain's border the largest ball's centre may
    # lie outside and not count.
    assert 0.55 - 0.035 < pore_size(mesh, inner).mean_mm < 0.55 + 0.005
    assert strut_thickness(mesh, inner).mean_mm == pytest.approx(0.304, abs=0.01)


def test_numbers_are_the_same_without_numba_and_every_time():
    body, domain = layer()
    usual = pore_size(body, domain), strut_thickness(body, domain)
    assert usual == (pore_size(body, domain), strut_thickness(body, domain))
    with without_numba():
        assert usual == (pore_size(body, domain), strut_thickness(body, domain))


def test_where_an_upright_domain_lies_does_not_matter():
    body, domain = layer()
    far = moved(body, [120.3, -80.7, 310.1]), moved(domain, [120.3, -80.7, 310.1])
    here, there = pore_size(body, domain), pore_size(*far)
    assert there.mean_mm == pytest.approx(here.mean_mm, abs=1e-3)
    # Few points have the sizes around the 5th percentile: where one falls moves it.
    assert there.p5_mm == pytest.approx(here.p5_mm, abs=5e-3)


def test_without_metal_or_void_there_is_nothing_to_measure():
    cube = box([0] * 3, [1] * 3)
    with pytest.raises(GeometryError, match="do not share"):
        pore_size(cube, moved(cube, [9, 0, 0]))
    with pytest.raises(GeometryError, match="do not share"):
        pore_size(box([-5] * 3, [5] * 3), cube)
    with pytest.raises(GeometryError, match="do not share"):
        strut_thickness(cube, moved(cube, [1.5, 0, 0]))


def test_cover_takes_the_largest_ball_over_each_point():
    rng = np.random.default_rng(12)
    grid = Grid(np.zeros(3), 0.1, (20, 18, 16))
    centres, radii = rng.uniform(-0.1, 2.0, (60, 3)), rng.uniform(0.03, 0.4, 60)
    away = np.linalg.norm(grid.points()[:, None] - centres, axis=2)
    expected = np.where(away <= radii + 0.01, radii, 0.0).max(axis=1)
    assert np.allclose(cover(grid, centres, radii).ravel(), expected)
    with without_numba():
        assert np.allclose(cover(grid, centres, radii).ravel(), expected)
