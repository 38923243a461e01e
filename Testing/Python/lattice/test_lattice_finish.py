"""Skins by rays, windows by balls, fillets by what balls do not reach, porosity by counting: on what was made."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from lattice_shapes import moved, voxels_inside
from LatticeGeneratorLib.cells import cell_named
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.distance import Distances
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.infill.attached import Surface
from LatticeGeneratorLib.infill.design import Design
from LatticeGeneratorLib.infill.faces import Everywhere, Facing, Near
from LatticeGeneratorLib.infill.fill import fill, prepared
from LatticeGeneratorLib.infill.finish import Finish, Frame, Skin, Transition
from LatticeGeneratorLib.infill.lattice import Lattice
from LatticeGeneratorLib.infill.order import Order, deliver
from LatticeGeneratorLib.infill.region import Whole
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.infill.windows import windows_in
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components, self_intersections, stl_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, sphere
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import pdist

UP = (0.0, 0.0, 1.0)
DOWN = Facing((0.0, 0.0, -1.0))
LOW, HIGH = np.array([1.0, 2.0, 3.0]), np.array([9.0, 9.0, 7.0])
BLOCK = box(LOW, HIGH)
SPEC = LatticeSpec(porosity=0.75, pore_mm=0.7)
BUT_BELOW = Skin(0.5, Facing(UP, 135.0))
FRAME = Frame(Facing(UP), thickness_mm=1.0, window_mm=2.5, bridge_mm=0.8, rounding_mm=0.3)
TO_BONE = Transition(1.0, DOWN)


@cache
def made(*finish: Finish) -> Lattice:
    return fill(BLOCK, Design(SPEC, finish=finish))


@cache
def metal(step: float, *finish: Finish) -> np.ndarray:
    return voxels_inside(made(*finish).mesh, LOW, HIGH, step)


@pytest.mark.parametrize("finish", [(BUT_BELOW,), (FRAME, Transition(0.8)), (TO_BONE,)])
def test_what_is_finished_is_clean_and_one_piece(finish: tuple[Finish, ...]) -> None:
    mesh = made(*finish).mesh
    assert closed_manifold_fault(mesh) is None and stl_fault(mesh) is None
    assert len(components(mesh)) == 1 and self_intersections(mesh) == 0
    assert (mesh.bounds[0] > LOW - 1e-3).all() and (mesh.bounds[1] < HIGH + 1e-3).all()


def test_a_skin_is_as_thick_as_it_should_be_along_rays() -> None:
    """Of the many rays inwards from a wall some meet a pore just behind it."""
    solid = metal(0.04, BUT_BELOW)
    walls = solid[8:60, 30:-30, :].reshape(-1, solid.shape[2])  # the grid bevels the edge below
    top = solid[::-1, 30:-30, 30:-30].reshape(len(solid), -1).T
    for rays in (walls, walls[:, ::-1], top):
        first = np.where(rays.all(axis=1), rays.shape[1], (~rays).argmax(axis=1)) * 0.04
        assert first.min() == pytest.approx(0.5, abs=0.041)
        assert (first >= 0.48).all() and np.percentile(first, 10) < 0.56
    # Below it is open.
    assert 0.6 < 1.0 - solid[:3, 20:-20, 20:-20].mean() < 0.9


def test_the_porosity_wanted_is_that_of_the_porous_part() -> None:
    lattice, solid = made(BUT_BELOW), metal(0.05, BUT_BELOW)
    inner = voxels_inside(box([1.5, 2.5, 2.0], HIGH - 0.5), LOW, HIGH, 0.05)
    assert 1.0 - solid[inner].mean() == pytest.approx(0.75, abs=0.006)
    assert lattice.porosity == pytest.approx(lattice.wanted, abs=1e-3) and lattice.wanted == 0.75
    assert lattice.overall == pytest.approx(1.0 - solid.mean(), abs=0.003)
    assert lattice.overall < 0.55


def test_the_porous_part_is_what_is_measured() -> None:
    part = made(BUT_BELOW).porous
    assert part is not None and closed_manifold_fault(part) is None
    assert part.volume == pytest.approx(7.0 * 6.0 * 3.5, rel=0.005)
    order = Order(SPEC, Whole(), finish=(BUT_BELOW,))
    measured = deliver(BLOCK, order).measured
    assert measured.porosity == pytest.approx(0.75, abs=0.003) and measured.wanted == 0.75
    assert measured.overall == pytest.approx(0.75 * 7.0 * 6.0 * 3.5 / BLOCK.volume, abs=0.005)
    # Were the skin measured too, struts would be thicker on the mean.
    assert measured.strut_mm == pytest.approx(SPEC.thickness_mm, rel=0.1)


def test_powder_that_could_not_leave_is_refused() -> None:
    with pytest.raises(GeometryError, match="powder could not leave: leave a face open, or make a frame with windows"):
        made(Skin(0.5))
    with pytest.raises(GeometryError, match="powder could not leave"):
        list(prepared(BLOCK, Design(SPEC, finish=(Skin(0.5, Everywhere()),))).stream())
    assert made(Skin(0.5), FRAME).pores_closed < 20


def _windows() -> np.ndarray:
    """(n, 2) the middles of the frame's windows, found as the void at half its depth."""
    half = ~metal(0.04, FRAME)[-13]
    depth = distance_transform_edt(np.pad(half, 1))[1:-1, 1:-1] * 0.04
    found = []
    while depth.max() > 1.0:
        j, i = np.unravel_index(depth.argmax(), depth.shape)
        found.append([LOW[0] + (i + 0.5) * 0.04, LOW[1] + (j + 0.5) * 0.04])
        y, x = np.indices(depth.shape) * 0.04
        depth[np.hypot(y - j * 0.04, x - i * 0.04) < 1.5] = 0.0
    return np.array(found)


def test_balls_of_2_mm_pass_through_every_window_and_bridges_hold() -> None:
    windows = _windows()
    assert len(windows) >= 2
    assert pdist(windows).min() >= 2.5 + 0.8 - 0.1
    distances = Distances(made(FRAME).mesh)
    for x, y in windows:
        # The way of a ball's middle, from outside to where the lattice, 1 mm below the rim, stops it.
        way = Grid(np.array([x, y, HIGH[2]]), 0.1, (1, 1, 20))
        assert distances.signed(way, 1.4).min() > 0.97
    solid = metal(0.04, FRAME)
    y, x = (start + (np.arange(n) + 0.5) * 0.04 for start, n in zip(LOW[1::-1], solid.shape[1:]))
    for cx, cy in windows:
        free = np.hypot(x[None, :] - cx, y[:, None] - cy) < 1.0
        assert not solid[-24:, free].any(), "nothing stands in a window"


def test_a_frame_is_solid_but_for_its_windows_and_round_at_its_edges() -> None:
    solid = metal(0.04, FRAME)
    open_ = ~solid[-13]
    areas = open_[15:-15, 15:-15].sum() * 0.04**2 / len(_windows())
    assert areas == pytest.approx(np.pi * 1.25**2, rel=0.05)
    # On the diagonal of the edge a rounding takes off (√2 - 1) of its radius.
    diagonal = np.array([[solid[-1 - n, row, n] for n in range(20)] for row in range(60, 110)])
    taken = diagonal.argmax(axis=1) * 0.04 * np.sqrt(2.0) / (np.sqrt(2.0) - 1.0)
    assert taken.min() > 0.2 and taken.max() < 0.5


def test_windows_stand_apart_and_go_straight_in_on_a_round_face() -> None:
    ball = sphere(np.zeros(3), 8.0, 96)
    face = Facing(UP, 60.0).of(ball)
    windows = windows_in(face, 2.5, 1.0, 2.0)
    assert len(windows.centres) >= 9
    assert pdist(windows.centres).min() >= 3.5
    outwards = windows.centres / np.linalg.norm(windows.centres, axis=1, keepdims=True)
    assert (np.sum(outwards * -windows.inwards, axis=1) > np.cos(np.radians(3.0))).all()
    angles = np.degrees(np.arccos(outwards[:, 2]))
    assert angles.max() <= 60.0 - np.degrees(2.25 / 8.0) + 3.0  # a triangle of the ball is 3.75° wide


def _unreached(solid: np.ndarray, step: float, planes: slice) -> float:
    """The share of the void on some planes that a ball of 0.1 mm cannot reach: notches, where cracks begin."""
    depth = distance_transform_edt(~solid) * step
    reached = distance_transform_edt(depth < 0.1) * step <= 0.1
    part = (planes, slice(20, -20), slice(20, -20))
    return float((~solid & ~reached)[part].sum() / (~solid)[part].sum())


@pytest.mark.parametrize("joint", ["skin", "solid"])
def test_fillets_leave_no_notch_where_struts_end(joint: str) -> None:
    step, block = 0.03, box([0.0] * 3, [3.9, 3.9, 2.4])
    shares = []
    for fillet in (0.0, 0.15):
        finish = Transition(1.0, DOWN, fillet) if joint == "solid" else Skin(0.6, DOWN, fillet)
        mesh = fill(block, Design(SPEC, finish=(finish,))).mesh
        solid = voxels_inside(mesh, np.array([0.0, 0.0, -0.3]), np.array([3.9, 3.9, 1.2]), step)
        if joint == "solid":
            solid[:10] = True  # the lattice's own floor ends at 0.15 mm
            shares.append(_unreached(solid, step, slice(15, 23)))
        else:
            shares.append(_unreached(solid, step, slice(30, 38)))
    assert shares[0] > 0.01
    assert shares[1] < 0.7 * shares[0]


def test_a_transition_grows_dense_towards_the_solid() -> None:
    solid = metal(0.05, TO_BONE)
    cell = SPEC.cell_mm
    solid = solid[3:]  # above the floor
    height = (np.arange(solid.shape[0]) + 0.5) * 0.05
    metal_share = solid[:, 10:-10, 10:-10].mean(axis=(1, 2))
    densest = cell_named(SPEC.cell).porosities[0]
    for first in (0.2, 0.6, 2.0):
        window = (height > first) & (height < first + cell)
        wished = densest + (0.75 - densest) * np.clip(height[window], 0.0, 1.0)
        assert 1.0 - metal_share[window].mean() == pytest.approx(wished.mean(), abs=0.03)
    wished = densest + (0.75 - densest) * np.clip(height, 0.0, 1.0)
    assert made(TO_BONE).wanted == pytest.approx(wished.mean(), abs=2e-3)
    assert 1.0 - solid.mean() == pytest.approx(wished.mean(), abs=4e-3)


def test_faces_are_chosen_by_where_they_look_or_what_they_are_near() -> None:
    area = np.prod((HIGH - LOW)[:2])
    assert Facing(UP).of(BLOCK).area == pytest.approx(area)
    assert Everywhere().of(BLOCK) is BLOCK
    assert Facing(UP, 135.0).of(BLOCK).area == pytest.approx(BLOCK.area - area)
    half = box([0.0, 0.0, 6.9], [5.0, 20.0, 30.0])
    lid = Mesh(half.vertices, half.faces[half.triangles[:, :, 2].max(axis=1) < 7.0])
    near = Near(Surface.of(moved(lid, [0.0, 0.0, 0.2])), 0.3).of(BLOCK)
    assert near.area == pytest.approx(4.0 * 7.0, rel=0.2)
    assert np.isin(near.vertices[np.unique(near.faces), 2] > 6.5, True).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Skin(0.0), "thickness must be above 0 mm"),
        (lambda: Skin(0.5, fillet_mm=-0.1), "fillet must not be below 0 mm"),
        (lambda: Frame(Everywhere(), window_mm=1.5), "take at least 2 mm"),
        (lambda: Frame(Everywhere(), rounding_mm=0.6), "rounded by up to 0.5 mm"),
        (lambda: Transition(-1.0), "depth must be above 0 mm"),
        (lambda: Facing((0.0, 0.0, 0.0)), "direction and an angle"),
        (lambda: Near(Surface.of(BLOCK), 0.0), "above 0 mm"),
        (lambda: made(Transition(1.0)), "needs a solid"),
        (lambda: made(TO_BONE, TO_BONE), "one transition, not 2"),
        (lambda: made(Skin(4.5, Facing(UP, 135.0))), "leave nothing to fill"),
        (lambda: made(Frame(Facing(UP), window_mm=9.0)), "no window of 9 mm .* has room"),
        (lambda: made(Skin(0.5, Facing((1.0, 1.0, 1.0), 10.0))), "no face of the region looks towards"),
        (lambda: made(Skin(0.5, Near(Surface.of(moved(BLOCK, [90.0, 0.0, 0.0]))))), "within 0.5 mm of the given"),
    ],
)
def test_finishes_that_cannot_be_are_refused(make, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        make()
