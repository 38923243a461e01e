"""Porosity, pores and struts of a slotted block, whose numbers are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import difference
from LatticeGeneratorLib.mesh.solids import box
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.porosity import porous
from verify_toy import column_mesh, design_of, toy_case, toy_plan


def _found(slot: float, wall: float, depth: float = 1.5):
    """Slots of a width between walls, cut into the upper face, measured in a block of whole periods."""
    first, period = -2.0, slot + wall
    count = 4
    slots = [box([-20, first + n * period, 28.2], [20, first + n * period + slot, 31]) for n in range(count)]
    domain = box([-1.5, first, 28.2], [1.5, first + count * period, 29.7])
    design = design_of(toy_case(), toy_plan(), difference(column_mesh(), slots), domain)
    implant = design.implants[0]
    upper = replace(implant.feet[0], wanted_depth_mm=1.5, porous_depth_mm=depth)
    return {f.id: f for f in porous(Measured(replace(implant, feet=(upper, implant.feet[1]))))}


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
    assert _found(0.56, 0.24, depth=0.8)["porous.upper.depth"].verdict == "warn"


def test_beyond_the_comparator_is_said():
    found = _found(0.60, 0.22)["porous.upper.comparator"]
    assert np.isclose(60 / 82, 0.73, atol=0.01)
    assert found.verdict == "warn"
    assert "porosity" in found.value
