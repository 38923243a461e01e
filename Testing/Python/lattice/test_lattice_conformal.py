"""Cells turned with a body, and cells along a curved face: against the same lattice elsewhere, and layers counted."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from lattice_shapes import voxels_inside
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.infill.along import Axis
from LatticeGeneratorLib.infill.attached import Surface
from LatticeGeneratorLib.infill.design import Design
from LatticeGeneratorLib.infill.faces import Facing
from LatticeGeneratorLib.infill.fill import fill, prepared
from LatticeGeneratorLib.infill.finish import Skin
from LatticeGeneratorLib.infill.graded import Graded
from LatticeGeneratorLib.infill.laid import UNTURNED, Conformal, Turned
from LatticeGeneratorLib.infill.lattice import Lattice
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import difference
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components, self_intersections, stl_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, sphere
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

TURN = np.eye(4)
TURN[:3, :3] = Rotation.random(random_state=3).as_matrix()
AXES = Turned(tuple(tuple(float(v) for v in axis) for axis in TURN[:3, :3].T))
EGG = sphere(np.array([22.0, -1.0, 3.0]), 2.0, 48)
BLOCK = box([20.0, -3.0, 1.0], [24.0, 1.0, 4.0])


def _turned(place: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = TURN[:3, :3] @ np.array(place)
    return float(x), float(y), float(z)


def test_a_turned_order_of_a_turned_body_is_the_turned_lattice() -> None:
    spec, denser = LatticeSpec(porosity=0.75), LatticeSpec(porosity=0.65, pore_mm=0.5)
    start, end, down = (20.0, -1.0, 2.0), (24.0, -1.0, 2.0), (0.0, 0.0, -1.0)
    here = Design(spec, Graded(denser, Axis(start, end)), finish=(Skin(0.4, Facing(down, 50.0)),))
    there = Design(
        spec, Graded(denser, Axis(_turned(start), _turned(end))), AXES, (Skin(0.4, Facing(_turned(down), 50.0)),)
    )  # fmt: skip
    one, two = fill(EGG, here), fill(EGG.transformed(TURN), there)
    assert two.porosity == pytest.approx(one.porosity, abs=1e-4)
    assert abs(len(two.mesh.faces) - len(one.mesh.faces)) < 0.01 * len(one.mesh.faces)
    away = cKDTree(one.mesh.transformed(TURN).vertices).query(two.mesh.vertices)[0]
    # Rounding alone parts them, and may decide on which side of a face a grid point lies.
    assert np.percentile(away, 99) < 1e-3
    mesh = two.mesh
    assert closed_manifold_fault(mesh) is None and stl_fault(mesh) is None and self_intersections(mesh) == 0


def test_what_comes_in_blocks_is_turned_too() -> None:
    infill = prepared(EGG, Design(LatticeSpec(), laid=AXES))
    whole = infill.lattice()
    blocks = np.concatenate([block.vertices for block in infill.blocks(infill.held(whole.level))])
    assert blocks == pytest.approx(whole.mesh.vertices, abs=1e-9)
    assert np.linalg.norm(blocks - [22.0, -1.0, 3.0], axis=1).max() < 2.001


def test_cells_repeat_along_the_direction_they_are_turned_to() -> None:
    way = np.array([1.0, 2.0, 2.0]) / 3.0
    lattice = fill(sphere(np.zeros(3), 3.0, 48), Design(LatticeSpec("bcc", 0.75, 0.8), laid=Turned.towards((1, 2, 2))))
    middles = lattice.mesh.triangles.mean(axis=1)
    near = middles[np.linalg.norm(middles, axis=1) < 1.3]
    step = lattice.cell_mm
    tree = cKDTree(middles)
    assert np.percentile(tree.query(near + step * way)[0], 95) < 0.07
    assert np.percentile(tree.query(near + step * np.eye(3)[2])[0], 50) > 0.08


@pytest.mark.parametrize("direction", [(0.0, 0.0, 1.0), (0.0, 0.0, -2.0), (1.0, 0.0, 0.0), (-0.3, 0.4, -0.5)])
def test_turning_towards_a_direction_takes_the_third_axis_there(direction: tuple[float, float, float]) -> None:
    matrix = Turned.towards(direction).lattice_to_ras
    assert matrix[:3, 2] == pytest.approx(np.array(direction) / np.linalg.norm(direction))
    assert matrix[:3, :3] @ matrix[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


RADIUS, MIDDLE = 9.0, np.array([0.0, 0.0, -7.0])
BALL = sphere(MIDDLE, RADIUS, 120)
CAP = Mesh(BALL.vertices, BALL.faces[BALL.triangles.mean(axis=1)[:, 2] > MIDDLE[2] + 0.72 * RADIUS])
LOW, HIGH = np.array([-3.15, -3.15, 0.0]), np.array([3.15, 3.15, 4.2])
SPEC = LatticeSpec("cubic", 0.70, 0.8)


@cache
def over_cap() -> tuple[Mesh, Lattice, Lattice]:
    """A block on a ball; its cells in layers over the ball, and in level layers."""
    domain = difference(box(LOW, HIGH), [BALL])
    conformal = Design(SPEC, laid=Conformal(Surface.of(CAP), (0.0, 0.0, 1.0)))
    return domain, fill(domain, conformal), fill(domain, Design(SPEC))


def shares(mesh: Mesh) -> np.ndarray:
    """(16,) the metal's share in two layers of cells over the ball, by where in its layer a place is."""
    inside = voxels_inside(over_cap()[0], LOW, HIGH, 0.07)
    z, y, x = (start + (np.arange(n) + 0.5) * 0.07 for start, n in zip(LOW[::-1], inside.shape))
    height = z[:, None, None] - (MIDDLE[2] + np.sqrt(RADIUS**2 - x[None, None, :] ** 2 - y[None, :, None] ** 2))
    phase = np.floor(height / SPEC.cell_mm * 16.0).astype(int) % 16
    part = inside & (height > 0.3) & (height < 0.3 + 2.0 * SPEC.cell_mm)
    metal = voxels_inside(mesh, LOW, HIGH, 0.07)
    return np.bincount(phase[part], metal[part], 16) / np.bincount(phase[part], minlength=16)


def test_layers_of_cells_are_parallel_to_the_face() -> None:
    """Of struts along cubes' edges a layer is nearly solid in its plane, and holds little between planes."""
    _, conformal, level = over_cap()
    radius = 0.5 * SPEC.thickness_mm / SPEC.cell_mm
    followed, mixed = shares(conformal.mesh), shares(level.mesh)
    assert followed[[0, 15]].min() > 0.9 * (4.0 * radius - 4.0 * radius**2)
    assert followed[7:9].max() < 1.2 * np.pi * radius**2
    assert np.ptp(mixed) < 0.4 * np.ptp(followed)


def test_a_conformal_lattice_is_as_porous_as_wanted_and_clean() -> None:
    domain, lattice, _ = over_cap()
    inside, metal = (voxels_inside(mesh, LOW, HIGH, 0.07) for mesh in (domain, lattice.mesh))
    assert 1.0 - metal.sum() / inside.sum() == pytest.approx(0.70, abs=0.004)
    mesh = lattice.mesh
    assert closed_manifold_fault(mesh) is None and stl_fault(mesh) is None
    assert len(components(mesh)) == 1 and self_intersections(mesh) == 0


def test_a_face_may_look_the_other_way_and_lie_anywhere() -> None:
    """As a patch of bone, which looks at the implant, not out of it; and all of it turned."""
    domain, lattice, _ = over_cap()
    laid = Conformal(Surface.of(Mesh(CAP.vertices, CAP.faces[:, ::-1]).transformed(TURN)), _turned((0.0, 0.0, 1.0)))
    again = fill(domain.transformed(TURN), Design(SPEC, laid=laid))
    assert again.porosity == pytest.approx(lattice.porosity, abs=2e-3)
    # Cells may be turned round the direction; their layers are the same.
    assert shares(again.mesh.transformed(TURN.T)) == pytest.approx(shares(lattice.mesh), abs=0.06)


def test_faces_that_cells_cannot_follow_are_refused() -> None:
    whole = Surface.of(BALL)
    with pytest.raises(GeometryError, match=r"slopes by 1[78]\d° .* choose a flatter part"):
        fill(BLOCK, Design(SPEC, laid=Conformal(whole, (0.0, 0.0, 1.0))))
    with pytest.raises(GeometryError, match=r"slopes by \d+° .* or another direction"):
        fill(BLOCK, Design(SPEC, laid=Conformal(Surface.of(CAP), (1.0, 0.0, 0.2))))
    sliver = Surface.of(Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.array([[0, 1, 2]])))
    with pytest.raises(GeometryError, match="no area"):
        fill(BLOCK, Design(SPEC, laid=Conformal(sliver, (0.0, 0.0, 1.0))))
    growing = Graded(LatticeSpec("cubic", 0.70, 0.9), Axis((0.0, 0.0, 0.0), (9.0, 0.0, 0.0)))
    with pytest.raises(GeometryError, match="change their porosity alone"):
        fill(BLOCK, Design(SPEC, growing, Conformal(Surface.of(CAP), (0.0, 0.0, 1.0))))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Turned(((1.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 1.0))),
        lambda: Turned(((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))),
        lambda: Turned.towards((0.0, 0.0, 0.0)),
        lambda: Conformal(Surface.of(CAP), (0.0, 0.0, 0.0)),
        lambda: Conformal(Surface.of(CAP), (0.0, 0.0, 1.0), -1.0),
    ],
)
def test_ways_to_lie_that_mean_nothing_are_refused(make) -> None:
    with pytest.raises(GeometryError, match=r"right angles|direction needs|smoothed over"):
        make()


def test_cells_that_lie_as_ever_are_not_turned() -> None:
    assert np.array_equal(UNTURNED.lattice_to_ras, np.eye(4))
    assert np.array_equal(Turned.towards((0.0, 0.0, 3.0)).lattice_to_ras, np.eye(4))
