"""Gradings against wished profiles, counted in voxels; cells against periods found in what was made; distances."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from lattice_shapes import rigid, voxels_inside
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.sampled import Sampled, distance_to, signed_distance_to
from LatticeGeneratorLib.files import ORDER, read_order, write_order
from LatticeGeneratorLib.infill.along import Axis, Depth, Scalar
from LatticeGeneratorLib.infill.attached import Surface, Volume
from LatticeGeneratorLib.infill.design import Design
from LatticeGeneratorLib.infill.faces import Facing, Near
from LatticeGeneratorLib.infill.fill import fill
from LatticeGeneratorLib.infill.finish import Frame, Skin, Transition
from LatticeGeneratorLib.infill.graded import Graded
from LatticeGeneratorLib.infill.laid import Conformal, Turned
from LatticeGeneratorLib.infill.lattice import Lattice
from LatticeGeneratorLib.infill.order import Order, deliver, order_from_json
from LatticeGeneratorLib.infill.region import Whole
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components, self_intersections, stl_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, sphere

LOW, HIGH = np.zeros(3), np.array([12.0, 5.0, 5.0])
BAR = box(LOW, HIGH)
STEP = 0.05
PLANE = Mesh(np.array([[1.0, -50, -50], [1, 50, -50], [1, 0, 80]]), np.array([[0, 1, 2]]))


def same_cells(spec: LatticeSpec, porosity: float) -> LatticeSpec:
    """Another porosity with cells of the same size."""
    return LatticeSpec(spec.cell, porosity, spec.cell_mm / LatticeSpec(spec.cell, porosity, 1.0).cell_mm)


def design(cell: str) -> Design:
    """From 78 % porosity, 1 mm from the left end, to 60 %, 1 mm from the right one."""
    start = LatticeSpec(cell, 0.78, 1.0)
    return Design(start, Graded(same_cells(start, 0.60), Axis((1.0, 0.0, 0.0), (11.0, 0.0, 0.0))))


def bar(cell: str) -> tuple[np.ndarray, np.ndarray]:
    """Three cells wide: the level is that of the whole, and at cut cells the lattice is denser or less dense."""
    width = 3.0 * LatticeSpec(cell, 0.78, 1.0).cell_mm
    return np.zeros(3), np.array([12.0, width, width])


@cache
def graded(cell: str) -> Lattice:
    return fill(box(*bar(cell)), design(cell))


@pytest.mark.parametrize("cell", ["gyroid_skeletal", "bcc"])
def test_porosity_follows_the_profile_along_an_axis(cell: str) -> None:
    """In windows of whole cells, since within one the porosity varies by itself."""
    metal = voxels_inside(graded(cell).mesh, *bar(cell), STEP)
    window = np.ones(round(graded(cell).cell_mm / STEP))
    window /= len(window)
    made = np.convolve(1.0 - metal.mean(axis=(0, 1)), window, "valid")
    places = np.convolve((np.arange(metal.shape[2]) + 0.5) * STEP, window, "valid")
    wished = 0.78 - 0.18 * np.clip((places - 1.0) / 10.0, 0.0, 1.0)
    off = np.abs(made - wished)[(places > 1.5) & (places < 10.5)]
    assert off.max() < 0.01
    assert 1.0 - metal.mean() == pytest.approx(0.69, abs=0.003)
    assert graded(cell).wanted == pytest.approx(0.69, abs=1e-4)
    assert graded(cell).porosity == pytest.approx(0.69, abs=0.001)


def test_a_graded_lattice_is_clean_and_one_piece() -> None:
    mesh = graded("gyroid_skeletal").mesh
    assert closed_manifold_fault(mesh) is None and stl_fault(mesh) is None
    assert len(components(mesh)) == 1 and self_intersections(mesh) == 0


def test_a_design_with_nothing_to_it_is_the_lattice_itself() -> None:
    block = box([0.0] * 3, [3.0, 3.0, 2.0])
    plain, designed = fill(block, LatticeSpec()), fill(block, Design(LatticeSpec()))
    assert plain.mesh.vertices.tobytes() == designed.mesh.vertices.tobytes()
    assert plain.wanted == 0.70 and plain.overall == plain.porosity


def test_porosity_by_depth_counted_in_shells() -> None:
    start = LatticeSpec("gyroid_skeletal", 0.60, 0.6)
    lattice = fill(BAR, Design(start, Graded(same_cells(start, 0.80), Depth(0.0, 2.5))))
    metal = voxels_inside(lattice.mesh, LOW, HIGH, 0.05)
    k, j, i = np.meshgrid(*((np.arange(n) + 0.5) * 0.05 for n in metal.shape), indexing="ij")
    depth = np.minimum.reduce([i, HIGH[0] - i, j, HIGH[1] - j, k, HIGH[2] - k])
    wished = 0.60 + 0.20 * np.clip(depth / 2.5, 0.0, 1.0)
    for first in (0.3, 1.0, 1.7):
        shell = (depth > first) & (depth < first + lattice.cell_mm)
        assert 1.0 - metal[shell].mean() == pytest.approx(wished[shell].mean(), abs=0.012)
    assert 1.0 - metal.mean() == pytest.approx(wished.mean(), abs=0.002)


def test_depth_below_a_plane_and_a_linear_volume_are_axes() -> None:
    axis = Axis((1.0, 0.0, 0.0), (11.0, 0.0, 0.0)).over(BAR)
    points = np.random.default_rng(0).uniform([1.0, 0.0, 0.0], HIGH, (500, 3))
    wished = np.clip((points[:, 0] - 1.0) / 10.0, 0.0, 1.0)
    matrix = rigid(4)
    matrix[:3, :3] *= 1.3
    matrix[:3, 3] = [6.0, 3.0, 3.0] - matrix[:3, :3] @ [20.0, 20.0, 20.0]
    k, j, i = np.indices((40, 40, 40))
    x = np.stack([i, j, k], axis=-1) @ matrix[0, :3] + matrix[0, 3]
    for share in (
        axis,
        Depth(0.0, 10.0, Surface.of(PLANE)).over(BAR),
        Scalar(Volume.of(100.0 * x, matrix), 100.0, 1100.0).over(BAR),
    ):
        assert share.at(points) == pytest.approx(wished, abs=2e-3)
        grid = Grid(np.array([0.7, 0.2, 0.3]), 0.37, (29, 14, 13))
        on = np.broadcast_to(share.on(grid), grid.array_shape).reshape(-1)
        inside = grid.points()[:, 0] > 1.0
        assert on[inside] == pytest.approx(np.clip((grid.points()[inside, 0] - 1.0) / 10.0, 0.0, 1.0), abs=2e-3)


def test_distances_far_from_a_ball() -> None:
    ball = sphere(np.array([1.0, 2.0, 3.0]), 5.0, 128)
    grid = Grid.around(*ball.bounds, 0.25)
    field = signed_distance_to(ball, grid, 6.0)
    points = np.random.default_rng(1).uniform(*ball.bounds, (4000, 3))
    exact = np.linalg.norm(points - [1.0, 2.0, 3.0], axis=1) - 5.0
    away = np.abs(field.at(points) - exact)
    assert away[np.abs(exact) < 1.0].max() < 0.01
    # Towards the middle the field bends the more, and what is sampled on two to eight times the step is less exact.
    assert away[np.abs(exact) < 2.25].max() < 0.04 and away.max() < 0.6
    assert np.abs(distance_to(ball, grid, 1.0).values).max() <= 1.0


def test_a_sampled_field_is_trilinear_on_a_grid_as_at_points() -> None:
    random = np.random.default_rng(2)
    grid = Grid(np.array([1.0, 2.0, 3.0]), 0.5, (7, 6, 5))
    field = Sampled(random.normal(size=grid.array_shape).astype(np.float32), grid)
    other = Grid(np.array([0.3, 2.1, 3.2]), 0.17, (30, 17, 20))
    assert field.on(other).reshape(-1) == pytest.approx(field.at(other.points()), abs=1e-5)


@cache
def growing() -> tuple[Lattice, np.ndarray]:
    """Cells of 0.94 mm to 1.28 mm, and the metal in voxels of 0.05 mm."""
    start, end = LatticeSpec("gyroid_skeletal", 0.70, 0.55), LatticeSpec("gyroid_skeletal", 0.70, 0.75)
    low, high = np.zeros(3), np.array([16.0, 4.0, 4.0])
    lattice = fill(box(low, high), Design(start, Graded(end, Axis((1.0, 2.0, 2.0), (15.0, 2.0, 2.0)))))
    return lattice, voxels_inside(lattice.mesh, low, high, 0.05)


def _wished_cell(place: float) -> float:
    dense = [1.0 / LatticeSpec("gyroid_skeletal", 0.70, pore).cell_mm for pore in (0.55, 0.75)]
    return 1.0 / (dense[0] + (dense[1] - dense[0]) * (place - 1.0) / 14.0)


def _peak(likeness: np.ndarray, first: int) -> float:
    """Where it is largest, between voxels, mm."""
    top = int(likeness.argmax())
    before, at, after = likeness[top - 1 : top + 2]
    return 0.05 * (first + top + 0.5 * (before - after) / (before - 2.0 * at + after))


@pytest.mark.parametrize("place", [2.5, 5.0, 8.0, 11.0, 13.5])
def test_cells_are_as_long_as_they_should_be(place: float) -> None:
    """Across the axis and along it, by the shift at which the metal is most like itself."""
    metal = growing()[1].astype(float) - 0.3
    wished = _wished_cell(place)
    shifts = range(round(0.7 * wished / 0.05), round(1.3 * wished / 0.05))
    slab = metal[:, :, round((place - 0.5) / 0.05) : round((place + 0.5) / 0.05)]
    across = np.array([(slab[s:] * slab[:-s]).mean() for s in shifts])
    assert _peak(across, shifts[0]) == pytest.approx(wished, rel=0.015)
    # Along it a piece is compared with the piece one cell on, so that both lie round the place.
    along = []
    for s in shifts:
        first, half = round(place / 0.05) - s // 2, round(0.4 * wished / 0.05)
        one = metal[:, :, first - half : first + half]
        along.append((one * metal[:, :, first + s - half : first + s + half]).mean())
    assert _peak(np.array(along), shifts[0]) == pytest.approx(wished, rel=0.03)


def test_growing_cells_keep_their_porosity_and_are_clean() -> None:
    lattice, metal = growing()
    assert 1.0 - metal.mean() == pytest.approx(0.70, abs=0.003)
    for half in (metal[:, :, :160], metal[:, :, 160:]):
        assert 1.0 - half.mean() == pytest.approx(0.70, abs=0.01)
    assert closed_manifold_fault(lattice.mesh) is None and self_intersections(lattice.mesh) == 0


@pytest.mark.parametrize(
    ("graded", "words"),
    [
        (Graded(LatticeSpec(pore_mm=1.1), Axis((5.0, 3.0, 3.0), (7.0, 3.0, 3.0))), "would be distorted by"),
        (Graded(LatticeSpec(pore_mm=0.8), Depth(0.0, 1.0)), "change the porosity"),
        (Graded(LatticeSpec("bcc"), Depth(0.0, 1.0)), "choose one cell for both ends"),
        (Graded(LatticeSpec(porosity=0.87, pore_mm=0.5), Depth(0.0, 1.0)), "below 0.20 mm"),
        (Graded(LatticeSpec(porosity=0.95), Depth(0.0, 1.0)), "not possible"),
    ],
)
def test_gradings_that_cannot_be_are_refused(graded: Graded, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        fill(BAR, Design(LatticeSpec(), graded))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Axis((1.0, 2.0, 3.0), (1.0, 2.0, 3.0)),
        lambda: Depth(1.0, 1.0),
        lambda: Depth(-1.0, 1.0),
        lambda: Scalar(Volume.of(np.zeros((2, 2, 2)), np.eye(4)), 3.0, 3.0),
        lambda: Volume.of(np.full((2, 2, 2), np.nan), np.eye(4)),
        lambda: Volume.of(np.zeros((2, 2, 2)), np.zeros((4, 4))),
        lambda: Surface.of(Mesh(np.zeros((0, 3)), np.zeros((0, 3), int))),
    ],
)
def test_choices_without_meaning_are_refused(make) -> None:
    with pytest.raises(GeometryError, match="needs"):
        make()


PATCH = Surface.of(PLANE)
DENSITY = Volume.of(np.arange(24.0).reshape(2, 3, 4), np.diag([2.0, 2.0, 2.0, 1.0]))
ORDERS = [
    Order(LatticeSpec(), Whole(), Graded(LatticeSpec(porosity=0.6), Axis((0.0, 1.0, 2.0), (3.0, 4.0, 5.0)))),
    Order(LatticeSpec(), Whole(), Graded(LatticeSpec(porosity=0.6), Depth(0.5, 2.0)), Turned.towards((1.0, 2.0, 3.0))),
    Order(LatticeSpec(), Whole(), Graded(LatticeSpec(), Depth(2.0, 0.5, PATCH)), Conformal(PATCH, (1.0, 0.0, 0.0))),
    Order(
        LatticeSpec(),
        Whole(),
        Graded(LatticeSpec(), Scalar(DENSITY, 1.0, 2.0)),
        finish=(Skin(0.6, Facing((0.0, 0.0, 1.0), 100.0), 0.2), Frame(Near(PATCH, 0.4), 1.2), Transition(0.8)),
    ),
    Order(LatticeSpec(), Whole(), finish=(Transition(0.8, Near(PATCH)), Skin())),
]  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_comes_back_from_its_text_and_from_its_files(order: Order, tmp_path: Path) -> None:
    again = order_from_json(order.to_json(), order.arrays())
    assert again == order and again.to_json() == order.to_json()
    write_order(tmp_path, BAR, order)
    read = read_order(tmp_path / ORDER)
    assert read == order
    arrays = order.arrays()
    assert read.arrays().keys() == arrays.keys()
    assert all(np.array_equal(read.arrays()[name], array) for name, array in arrays.items())
    # Text alone can be read and compared, but not used.
    alone = order_from_json(order.to_json())
    assert alone == order
    if arrays:
        with pytest.raises(GeometryError, match="is not beside the order"):
            alone.arrays()


def test_an_order_as_before_has_the_text_it_had() -> None:
    text = '{"region": {"where": "whole"}, "spec": {"cell": "bcc", "pore_mm": 0.8, "porosity": 0.65}}'
    assert Order(LatticeSpec("bcc", 0.65, 0.8), Whole()).to_json() == text
    assert order_from_json(text) == Order(LatticeSpec("bcc", 0.65, 0.8), Whole())


@pytest.mark.parametrize(
    "part",
    [
        '"graded": {"end": {}, "along": {"along": "time"}}',
        '"graded": {"end": {}, "along": {"along": "axis"}}',
        '"laid": {"laid": "askew"}',
        '"finish": [{"finish": "paint", "faces": null}]',
        '"finish": [{"finish": "skin", "faces": {"faces": "some"}}]',
        '"finish": [{"finish": "skin", "thickness_mm": "thick", "faces": {"faces": "everywhere"}}]',
        '"finish": 3',
    ],
)
def test_a_text_with_what_is_not_known_is_refused(part: str) -> None:
    with pytest.raises(GeometryError, match=r"cannot be read|known"):
        order_from_json('{"spec": {}, "region": {"where": "whole"}, ' + part + "}")


def test_what_is_delivered_is_what_is_ordered() -> None:
    block = box([0.0] * 3, [5.0, 4.0, 4.0])
    start = LatticeSpec(pore_mm=0.9)
    order = Order(start, Whole(), Graded(same_cells(start, 0.60), Axis((0.0, 0.0, 0.0), (5.0, 0.0, 0.0))))
    delivery = deliver(block, order)
    assert delivery.lattice.wanted == pytest.approx(0.65, abs=1e-4)
    assert delivery.measured.porosity == pytest.approx(0.65, abs=0.002)
