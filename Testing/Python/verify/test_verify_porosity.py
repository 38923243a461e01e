"""Porosity, pores and struts of a slotted block, whose numbers are known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, sphere
from SpinalStrutDesignerLib.verify.lattice import lattice_as_made
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.porosity import porous
from verify_toy import column_mesh, design_of, toy_case, toy_plan


def _findings(slot: float, wall: float, depth: float = 1.5):
    """Of slots of a width between walls, cut into the upper face, measured in a block of whole periods, one by one."""
    first, period = -2.0, slot + wall
    count = 4
    slots = [box([-20, first + n * period, 28.2], [20, first + n * period + slot, 31]) for n in range(count)]
    domain = box([-1.5, first, 28.2], [1.5, first + count * period, 29.7])
    design = design_of(toy_case(), toy_plan(), difference(column_mesh(), slots), domain)
    implant = design.implants[0]
    upper = replace(implant.feet[0], wanted_depth_mm=1.5, porous_depth_mm=depth)
    return porous(Measured(replace(implant, feet=(upper, implant.feet[1]))))


def _found(slot: float, wall: float):
    return {f.id: f for f in _findings(slot, wall)}


def test_slots_of_a_known_size():
    found = _found(0.56, 0.24)
    assert found["porous.upper.porosity"].value == pytest.approx(70.0, abs=0.01)
    assert found["porous.upper.porosity"].verdict == "pass"
    assert found["porous.upper.pore"].value == pytest.approx(560.0, abs=20.0)
    assert found["porous.upper.pore"].verdict == "pass"
    assert found["porous.upper.strut"].value == pytest.approx(0.24, abs=0.05)  # less towards cut edges
    assert found["porous.upper.strut"].verdict == "warn"


@pytest.mark.parametrize(
    ("slot", "wall", "failing"), [(0.4, 0.2, "pore"), (0.55, 0.45, "porosity"), (0.55, 0.15, "strut")]
)
def test_each_limit_fails_alone(slot, wall, failing):
    found = _found(slot, wall)
    assert found[f"porous.upper.{failing}"].verdict == "fail"
    assert found["porous.upper.porosity"].value == pytest.approx(100 * slot / (slot + wall), abs=0.01)


def test_a_layer_that_yields_says_so():
    # The first finding: the lattice, which is measured after it, is that of the slots of a known size.
    depth = next(_findings(0.56, 0.24, depth=0.8))
    assert depth.id == "porous.upper.depth" and depth.verdict == "warn"


def test_beyond_the_comparator_is_said():
    found = _found(0.60, 0.22)["porous.upper.comparator"]
    assert np.isclose(60 / 82, 0.73, atol=0.01)
    assert found.verdict == "warn"
    assert "porosity" in found.value


@cache
def _pitted(radius: float):
    """Hollows of a radius in the upper face, open to it; what was measured on it is kept with it."""
    centres = [(x, 0.0, 29.6) for x in (-1.0, 0.0, 1.0)]
    mesh = difference(column_mesh(), [sphere(c, radius, 40) for c in centres])
    return Measured(design_of(toy_case(), toy_plan(), mesh, box([-1.5, -0.5, 29.0], [1.5, 0.5, 29.7])).implants[0])


def test_a_variant_takes_over_numbers_only_of_the_same_lattice():
    nominal, foreign = _pitted(0.4), _pitted(0.35)
    domain = nominal.foot("upper").domain
    first = lattice_as_made(nominal, nominal.foot("upper"), domain)
    same = Measured(nominal.implant, nominal)
    assert lattice_as_made(same, same.foot("upper"), domain) is first
    other = Measured(foreign.implant, nominal)
    found = lattice_as_made(other, other.foot("upper"), domain)
    for radius, lattice in ((0.4, first), (0.35, found)):
        # A ball less the cap that stands out of the face, 0.1 mm over its centre.
        height = radius - 0.1
        hollow = 4 / 3 * np.pi * radius**3 - np.pi * height**2 * (3 * radius - height) / 3
        assert lattice.porosity == pytest.approx(3 * hollow / (3 * 1 * 0.7), rel=0.01)
    assert first.reached == pytest.approx(1.0, abs=0.01)


def _moved(mesh: Mesh, down: float) -> Mesh:
    return Mesh(mesh.vertices - np.array([0.0, 0.0, down]), mesh.faces)


def _with_split_faces(mesh: Mesh, count: int) -> Mesh:
    """The same surface with some faces split in three at their middle."""
    a, b, c = mesh.faces[:count].T
    middle = np.arange(count) + len(mesh.vertices)
    three = [np.stack(corners, axis=1) for corners in ((a, b, middle), (b, c, middle), (c, a, middle))]
    return Mesh(
        np.concatenate([mesh.vertices, mesh.triangles[:count].mean(axis=1)]),
        np.concatenate([mesh.faces[count:], *three]),
    )


def test_a_lattice_counts_as_the_same_by_its_surface_not_by_its_vertices():
    """Split faces and a thicker strut leave the layer's surface where it was; a hair's breadth more metal does not."""
    nominal = _pitted(0.4)
    foot = nominal.foot("upper")
    first = lattice_as_made(nominal, foot, foot.domain)
    other = union([_with_split_faces(nominal.mesh, 500), box([-6, -3, -20], [6, 3, 20])])
    for down, mesh, same in ((0.0, other, True), (2.0, other, True), (0.0, _pitted(0.397).mesh, False)):
        plate = replace(foot.endplate, centre=foot.endplate.centre - np.array([0.0, 0.0, down]))
        own = replace(foot, endplate=plate, domain=_moved(foot.domain, down))
        part = replace(nominal.implant.part, mesh=_moved(mesh, down))
        variant = Measured(replace(nominal.implant, part=part, feet=(own, nominal.implant.feet[1])), nominal)
        assert (lattice_as_made(variant, own, own.domain) is first) == same


def test_few_vertices_do_not_make_lattices_the_same():
    def measured(slot):
        mesh = difference(column_mesh(), [box([-20, -slot / 2, 28.2], [20, slot / 2, 31])])
        return Measured(design_of(toy_case(), toy_plan(), mesh, box([-0.5, -1.5, 28.2], [0.5, 1.5, 29.7])).implants[0])

    one, two = measured(0.5), measured(0.6)
    domain = one.foot("upper").domain
    assert lattice_as_made(one, one.foot("upper"), domain).porosity == pytest.approx(0.5 / 3, rel=1e-4)
    two = Measured(two.implant, one)
    assert lattice_as_made(two, two.foot("upper"), domain).porosity == pytest.approx(0.6 / 3, rel=1e-4)
