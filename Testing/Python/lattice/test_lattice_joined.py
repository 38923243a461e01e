"""A lattice joined to the rest of its body: one body, solid where it should be, as porous as wanted in its region."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from lattice_shapes import joined, rigid, trimesh_of, voxels_inside
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.infill.attached import Surface
from LatticeGeneratorLib.infill.faces import Facing
from LatticeGeneratorLib.infill.finish import Skin, Transition
from LatticeGeneratorLib.infill.joined import Joined, as_one
from LatticeGeneratorLib.infill.order import Delivery, Order, deliver, order_from_json
from LatticeGeneratorLib.infill.region import Beside, Region, Shell, Whole, Within
from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.mesh.boolean import common_volume, intersection
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, stl_fault
from LatticeGeneratorLib.mesh.inside import winding_number
from LatticeGeneratorLib.mesh.intersections import piercings
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, sphere

SPEC = LatticeSpec(pore_mm=0.9)
LOW, HIGH = np.zeros(3), np.array([6.0, 5.0, 6.0])
BLOCK = box(LOW, HIGH)
TOP = Surface.of(Mesh(np.array([[0.0, 0, 6], [6, 0, 6], [6, 5, 6], [0, 5, 6]]), np.array([[0, 1, 2], [0, 2, 3]])))
TURN = rigid(4)


def _upper(turn: np.ndarray) -> Within:
    """The upper 3 mm of the block, and more on all other sides."""
    placed = np.eye(4)
    placed[:3, 3] = 3.0, 2.5, 6.0
    return Within(tuple(tuple(float(v) for v in row) for row in turn @ placed), (20.0, 20.0, 6.0))


REGIONS: dict[str, tuple[Mesh, Region]] = {
    "box": (BLOCK.transformed(TURN), _upper(TURN)),
    "beside": (BLOCK, Beside(TOP, 3.0)),
    "shell": (sphere(np.zeros(3), 3.2, 64), Shell(1.8)),
}


@cache
def made(name: str) -> Delivery:
    body, region = REGIONS[name]
    return deliver(body, Order(SPEC, region, joined=Joined()))


@pytest.mark.parametrize("name", REGIONS)
def test_one_clean_body_comes_out(name: str) -> None:
    mesh = made(name).lattice.mesh
    assert trimesh_of(mesh).body_count == 1
    assert closed_manifold_fault(mesh) is None and stl_fault(mesh) is None
    assert len(piercings(mesh)[0]) == 0


@pytest.mark.parametrize("name", REGIONS)
def test_the_region_is_as_porous_as_wanted_and_the_rest_solid(name: str) -> None:
    body, region = REGIONS[name]
    delivery = made(name)
    mesh, part = delivery.lattice.mesh, region.of(body)
    # The region is known exactly, but for the inner face of a shell, which is sampled: as it is measured here.
    assert 1.0 - common_volume(mesh, part) / part.volume == pytest.approx(0.70, abs=0.002)
    assert delivery.measured.porosity == pytest.approx(0.70, abs=0.001)
    rest = body.volume - part.volume
    # A groove of 0.02 mm along the border of the region, where the lattice keeps clear of the solid's face.
    assert mesh.volume - common_volume(mesh, part) == pytest.approx(rest, abs=0.02)
    assert common_volume(mesh, body) == pytest.approx(mesh.volume, rel=2e-4)


def test_voxels_say_the_same() -> None:
    metal = voxels_inside(made("beside").lattice.mesh, LOW, HIGH, 0.05)
    planes = metal.reshape(metal.shape[0], -1).mean(axis=1)  # [k, j, i]
    assert planes[:59].min() == 1.0  # up to z = 2.95, solid
    # Where the lattice meets the solid there are fillets, further on nothing but cells.
    assert planes[66:].mean() == pytest.approx(0.29, abs=0.03) and planes[60:64].mean() > planes[66:].mean()


def test_the_lattice_may_grow_denser_towards_the_solid_and_have_a_skin() -> None:
    skin = Skin(0.5, Facing((1.0, 0.0, 0.0)))
    order = Order(SPEC, Beside(TOP, 3.0), finish=(skin, Transition(1.0)), joined=Joined())
    delivery = deliver(BLOCK, order)
    mesh = delivery.lattice.mesh
    assert trimesh_of(mesh).body_count == 1 and len(piercings(mesh)[0]) == 0
    near = intersection(mesh, box([0.0, 0.0, 3.1], [4.0, 5.0, 3.4])).volume / (4.0 * 5.0 * 0.3)
    far = intersection(mesh, box([0.0, 0.0, 4.9], [4.0, 5.0, 5.9])).volume / (4.0 * 5.0 * 1.0)
    assert near > far + 0.10
    slab = intersection(mesh, box([5.55, 0.5, 3.0], [5.95, 4.5, 5.9])).volume / (0.4 * 4.0 * 2.9)
    assert slab == pytest.approx(1.0, abs=0.005)
    # The skin lies on the side of the region, and not under its face in the solid.
    assert delivery.measured.overall < delivery.measured.porosity


def test_an_order_says_it_and_there_must_be_a_rest() -> None:
    order = Order(SPEC, Beside(TOP, 2.0), joined=Joined(0.2), printer="Laser powder bed, Ti6Al4V ELI")
    again = order_from_json(order.to_json(), order.arrays())
    assert again == order and np.array_equal(again.region.surface.mesh.vertices, TOP.mesh.vertices)
    with pytest.raises(GeometryError, match="no rest of the body to join"):
        Order(SPEC, Whole(), joined=Joined())
    with pytest.raises(GeometryError, match="nothing of the body stays solid"):
        deliver(BLOCK, Order(SPEC, Shell(4.0), joined=Joined()))
    with pytest.raises(GeometryError, match="fillet to the solid must not be below 0"):
        Joined(-0.1)
    with pytest.raises(GeometryError, match="no printer 'Forge' in the catalogue"):
        deliver(BLOCK, Order(SPEC, Whole(), printer="Forge"))


def test_no_part_of_the_solid_is_lost() -> None:
    """A bar that is porous in the middle stays one; two bars of which a lattice reaches but one are refused."""
    bar = box([0.0, 0.0, 0.0], [3.0, 3.0, 9.0])
    middle = Within(((1.0, 0.0, 0.0, 1.5), (0.0, 1.0, 0.0, 1.5), (0.0, 0.0, 1.0, 4.5), (0.0, 0.0, 0.0, 1.0)), (9, 9, 3))
    mesh = deliver(bar, Order(SPEC, middle, joined=Joined())).lattice.mesh
    assert trimesh_of(mesh).body_count == 1
    assert mesh.bounds[0][2] == pytest.approx(0.0, abs=1e-6) and mesh.bounds[1][2] == pytest.approx(9.0, abs=1e-5)
    ends = joined(box([0.0, 0.0, 0.0], [3.0, 3.0, 3.0]), box([0.0, 0.0, 9.0], [3.0, 3.0, 12.0]))
    short = replace(made("beside").lattice, mesh=box([1.0, 1.0, 2.5], [2.0, 2.0, 6.0]))
    with pytest.raises(GeometryError, match=r"27 mm³ of the body would hang on nothing"):
        as_one(short, ends)


@pytest.mark.parametrize("name", REGIONS)
def test_how_deep_a_place_lies_in_its_region_has_the_sign_of_where_it_is(name: str) -> None:
    """Within the body a place lies in the region where the depth is positive; moved regions say the same."""
    body, region = REGIONS[name]
    low, high = body.bounds
    grid = Grid.around(low - 0.13, high, 0.7)  # none of its points lies on a face
    depth = region.depth(body, grid, 0.5)
    points = grid.points()
    inside = (winding_number(body, points) > 0.5) & (np.abs(depth.ravel()) > 0.05)
    found = winding_number(region.of(body), points[inside]) > 0.5
    assert np.array_equal(found, depth.ravel()[inside] > 0.0) and not found.all()
    moved = region.moved(TURN)
    assert moved.of(body.transformed(TURN)).volume == pytest.approx(region.of(body).volume, rel=5e-3)
