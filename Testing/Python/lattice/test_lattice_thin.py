"""How far surfaces lie apart, against known answers and dense samples; thinned-out meshes keep what they promise."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from lattice_shapes import joined, moved, rigid, trimesh_of, without_numba
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.order import Order, deliver, order_from_json
from LatticeGeneratorLib.infill.region import Whole
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh import thin
from LatticeGeneratorLib.mesh.boolean import simplified
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, self_intersections, stl_fault
from LatticeGeneratorLib.mesh.deviation import deviation, farthest
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.nearest import Nearest
from LatticeGeneratorLib.mesh.solids import box, sphere
from LatticeGeneratorLib.mesh.thin import thinned

CUBE = box([0.0] * 3, [4.0] * 3)
BALL = sphere(np.zeros(3), 3.0, 64)


@cache
def lattice() -> Mesh:
    return fill(box([0.0] * 3, [2.4] * 3).transformed(rigid(2)), LatticeSpec()).mesh


def sampled(one: Mesh, two: Mesh, count: int = 20_000) -> float:
    """The farthest of many points of one surface from the other, by VTK."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

    points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
    points.SetData(numpy_to_vtk(two.vertices, deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(two.faces.ravel(), deep=True))
    surface = vtk.vtkPolyData()
    surface.SetPoints(points)
    surface.SetPolys(cells)
    locator = vtk.vtkStaticCellLocator()
    locator.SetDataSet(surface)
    locator.BuildLocator()
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.ones(3), count)
    inner = (one.triangles[rng.integers(len(one.faces), size=count)] * weights[:, :, None]).sum(axis=1)
    place, cell, part, square = [0.0, 0.0, 0.0], vtk.reference(0), vtk.reference(0), vtk.reference(0.0)
    farthest_square = 0.0
    for point in np.concatenate([inner, one.vertices]):
        locator.FindClosestPoint(point, place, cell, part, square)
        farthest_square = max(farthest_square, float(square))
    return float(np.sqrt(farthest_square))


@pytest.mark.parametrize("near", [lambda p: p, lambda p: 0.3 * p])
def test_distances_are_those_of_trimesh_with_and_without_numba(near) -> None:
    import trimesh

    mesh = sphere(np.array([1.0, 2.0, 3.0]), 3.0, 20)
    points = mesh.vertices.mean(axis=0) + near(np.random.default_rng(0).normal(scale=3.0, size=(300, 3)))
    surface = Nearest.of(mesh)
    away, which = surface.to(points)
    truth = trimesh.proximity.closest_point_naive(trimesh_of(mesh), points)[1]
    assert away == pytest.approx(truth, abs=1e-12)
    alone = Mesh(surface.triangles[which].reshape(-1, 3), np.arange(3 * len(which)).reshape(-1, 3))
    each = trimesh.triangles.closest_point(alone.triangles, points) - points
    assert np.linalg.norm(each, axis=1) == pytest.approx(truth, abs=1e-12)
    assert surface.to(points, np.full(len(points), 5))[0] == pytest.approx(truth, abs=1e-12)
    corners = points.reshape(-1, 3, 3)
    near_to = which.reshape(-1, 3)
    gaps = surface.between(corners, near_to)
    with without_numba():
        assert surface.to(points)[0] == pytest.approx(truth, abs=1e-12)
        assert surface.between(corners, near_to) == pytest.approx(gaps, abs=1e-12)


def _spiked(height: float) -> Mesh:
    """A cube with a thin spike in the middle of its upper face."""
    low, high = np.array([1.9, 1.9, 4.0]), np.array([2.1, 2.1, 4.0])
    foot = [[low[0], low[1], 4], [high[0], low[1], 4], [high[0], high[1], 4], [low[0], high[1], 4]]
    vertices = np.concatenate([CUBE.vertices, foot, [[2.0, 2.0, 4.0 + height]]])
    faces = [face for face in CUBE.faces.tolist() if min(face) < 4]
    for n in range(4):
        after = (n + 1) % 4
        faces += [[4 + n, 4 + after, 8 + n], [4 + after, 8 + after, 8 + n], [8 + n, 8 + after, 12]]
    return Mesh(vertices, np.array(faces))


def _saddle(flipped: bool) -> Mesh:
    """A box whose lid is a square with corners alternately high and low, split along one diagonal or the other."""
    vertices = CUBE.vertices.copy()
    vertices[4:, 2] += [0.2, -0.2, 0.2, -0.2]
    sides = [face for face in CUBE.faces.tolist() if min(face) < 4]
    lid = [[4, 5, 7], [5, 6, 7]] if flipped else [[4, 5, 6], [4, 6, 7]]
    return Mesh(vertices, np.array(sides + lid))


@pytest.mark.parametrize("one, two, truth", [
    (CUBE, moved(CUBE, [0.3, 0.0, 0.0]), 0.3),
    (CUBE, moved(CUBE, [0.3, 0.4, 1.2]), 1.3),
    (CUBE, _spiked(0.5), 0.5),
    (CUBE, box([-0.1, 0, 0], [4.0, 4.2, 4.0]), np.hypot(0.1, 0.2)),
    (CUBE, CUBE, 0.0),
])  # fmt: skip
def test_known_deviations_are_found_from_either_side(one: Mesh, two: Mesh, truth: float) -> None:
    turn = rigid(11)
    one, two = one.transformed(turn), two.transformed(turn)
    assert closed_manifold_fault(one) is None and closed_manifold_fault(two) is None
    for found in (deviation(one, two, 2.0).most_mm, deviation(two, one, 2.0).most_mm):
        assert truth - 1e-9 <= found <= 1.05 * truth + 0.2


def test_a_spike_is_far_from_the_face_but_the_face_not_far_from_the_spike() -> None:
    assert farthest(CUBE, Nearest.of(_spiked(0.5)), 1.0).most_mm < 0.2
    assert farthest(_spiked(0.5), Nearest.of(CUBE), 1.0).most_mm >= 0.5


def test_what_differs_only_between_the_corners_is_seen() -> None:
    one, two = _saddle(False), _saddle(True)
    assert np.array_equal(one.vertices, two.vertices)
    found = deviation(one, two, 0.5).most_mm
    truth = max(sampled(one, two), sampled(two, one))
    assert truth > 0.35
    assert truth - 1e-9 <= found <= 1.05 * truth + 0.01


@pytest.mark.parametrize("tolerance", [0.003, 0.02, 0.1])
def test_the_bound_holds_for_dense_samples_and_is_close(tolerance: float) -> None:
    for mesh in (BALL, lattice()):
        fewer = simplified(mesh, tolerance)
        found = deviation(mesh, fewer, 4.0 * tolerance).most_mm
        truth = max(sampled(mesh, fewer), sampled(fewer, mesh))
        assert truth - 1e-9 <= found <= max(1.06 * truth, 0.41 * tolerance) + 1e-3


def test_places_beyond_the_limit_are_named() -> None:
    apart = deviation(CUBE, _spiked(0.5), 0.1)
    assert apart.most_mm == pytest.approx(0.5)
    assert len(apart.beyond) and (apart.beyond[:, 2] > 4.1).all()
    assert (np.linalg.norm(apart.beyond - [2.0, 2.0, 4.5], axis=1) < 1e-9).any()
    assert len(deviation(CUBE, moved(CUBE, [0.3, 0.0, 0.0]), 0.31).beyond) == 0


def test_the_bound_is_the_same_without_numba() -> None:
    small = sphere(np.zeros(3), 2.0, 24)
    fewer = simplified(small, 0.05)
    with without_numba():
        slow = deviation(small, fewer, 0.2).most_mm
    assert slow == pytest.approx(deviation(small, fewer, 0.2).most_mm, rel=0.05)
    assert slow >= max(sampled(small, fewer), sampled(fewer, small)) - 1e-9


@pytest.mark.parametrize("limit", [0.005, 0.02])
def test_thinned_meshes_keep_the_limit_and_stay_clean(limit: float) -> None:
    for mesh in (BALL, lattice()):
        made = thinned(mesh, limit)
        assert made.faces_before == len(mesh.faces) > made.faces_after == len(made.mesh.faces)
        truth = max(sampled(mesh, made.mesh), sampled(made.mesh, mesh))
        assert truth - 1e-9 <= made.deviation_mm <= limit
        assert closed_manifold_fault(made.mesh) is None and stl_fault(made.mesh) is None
        assert self_intersections(made.mesh) == 0
        assert abs(made.mesh.volume - mesh.volume) <= limit * mesh.area
        again = thinned(mesh, limit)
        assert again.mesh.vertices.tobytes() == made.mesh.vertices.tobytes()


def test_a_larger_limit_leaves_fewer_faces() -> None:
    counts = [thinned(lattice(), limit).faces_after for limit in (0.002, 0.01, 0.04)]
    assert counts == sorted(counts, reverse=True) and counts[-1] < 0.75 * len(lattice().faces)


def _too_far(mesh: Mesh, tolerance: float, kept: np.ndarray) -> Mesh:
    made = simplified(mesh, tolerance)
    return Mesh(1.02 * made.vertices, made.faces)


def _through_itself(mesh: Mesh, tolerance: float, kept: np.ndarray) -> Mesh:
    few = simplified(mesh, 3.0 * tolerance)
    return joined(few, moved(few, [0.001, 0.0, 0.0]))


def _meeting(mesh: Mesh, tolerance: float, kept: np.ndarray) -> Mesh:
    # Closed as held, but two vertices are one in a file.
    made = simplified(mesh, tolerance)
    vertices = made.vertices.copy()
    vertices[1] = vertices[7] + 1e-12
    return Mesh(vertices, made.faces)


@pytest.mark.parametrize("spoilt", [_too_far, _through_itself, _meeting])
def test_what_breaks_the_promise_is_not_returned(monkeypatch: pytest.MonkeyPatch, spoilt) -> None:
    tried: list[int] = []

    def simplify(mesh: Mesh, tolerance: float, kept: np.ndarray) -> Mesh:
        tried.append(int(kept.sum()))
        return spoilt(mesh, tolerance, kept)

    monkeypatch.setattr(thin, "simplified", simplify)
    made = thinned(BALL, 0.02)
    assert made.mesh is BALL and made.deviation_mm == 0.0 and made.faces_after == len(BALL.faces)
    # Each time more of the faces about the faults were kept.
    assert len(tried) > 1 and tried[0] == 0 < tried[1] and tried == sorted(tried)


def test_faces_about_a_fault_are_kept_and_the_rest_is_thinned_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def simplify(mesh: Mesh, tolerance: float, kept: np.ndarray) -> Mesh:
        made = simplified(mesh, tolerance, kept)
        pole = made.vertices[:, 2].argmax()
        vertices = made.vertices.copy()
        vertices[pole, 2] += 0.0 if kept.any() else 0.05
        return Mesh(vertices, made.faces)

    monkeypatch.setattr(thin, "simplified", simplify)
    made = thinned(BALL, 0.02)
    assert 0.0 < made.deviation_mm <= 0.02 and made.faces_after < 0.9 * len(BALL.faces)


def test_what_cannot_be_thinned_comes_back_and_what_is_no_body_is_refused() -> None:
    assert thinned(CUBE, 0.01).mesh is CUBE
    with pytest.raises(GeometryError, match="open edges"):
        thinned(Mesh(CUBE.vertices, CUBE.faces[:-1]), 0.01)
    with pytest.raises(GeometryError, match="above 0 mm"):
        thinned(CUBE, 0.0)


def test_a_lattice_is_thinned_out_as_ordered_and_measured_after_that() -> None:
    block, spec = box([0.0] * 3, [2.5] * 3), LatticeSpec(porosity=0.7, pore_mm=0.9)
    plain, order = deliver(block, Order(spec, Whole())), Order(spec, Whole(), thinned_mm=0.01)
    assert order_from_json(order.to_json()) == order
    made = deliver(block, order)
    assert made.measured.faces == len(made.lattice.mesh.faces) < 0.95 * len(plain.lattice.mesh.faces)
    assert deviation(made.lattice.mesh, plain.lattice.mesh, 0.02).most_mm <= 0.01 * 1.1
    assert made.measured.porosity == pytest.approx(1.0 - made.lattice.mesh.volume / block.volume)


@pytest.mark.parametrize("thinned_mm", [0.0, -0.01, 0.5, np.nan])
def test_an_order_to_thin_out_by_too_much_or_nothing_is_refused(thinned_mm: float) -> None:
    with pytest.raises(GeometryError, match="at most 0.02 mm"):
        Order(LatticeSpec(), Whole(), thinned_mm=thinned_mm)
