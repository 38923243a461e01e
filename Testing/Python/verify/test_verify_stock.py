"""Milling stock on a drilled block: as built, measured, and spoilt; the metal under a conical head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import Solid, difference
from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.mesh.solids import box
from SpinalStrutDesignerLib.build.screws import finished_cutter
from SpinalStrutDesignerLib.build.stock import as_printed, stock_rings
from SpinalStrutDesignerLib.plan.guides import HolePlan
from SpinalStrutDesignerLib.plan.plan import Screw, ScrewType
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.seats import seats
from SpinalStrutDesignerLib.verify.stock import stock
from verify_toy import design_of, toy_case, toy_plan

# A block of metal in front of C4, the screw's head flush with its front at y = 20, 8 mm of metal behind it.
FRONT, BACK = 20.0, 12.0
BLOCK = box(np.array([-8.0, BACK, 30.0]), np.array([8.0, FRONT, 44.0]))


def _drilled(seat: str, holes: HolePlan, printed_with: HolePlan | None = None) -> Measured:
    screw = Screw(ScrewType(seat=seat), "C4", (0.0, FRONT, 37.0), (0.0, -1.0, 0.0), 18.0)
    plan = toy_plan(screws=(screw,), holes=holes)
    mesh = difference(BLOCK, [finished_cutter(screw)])
    implant = design_of(toy_case(), plan, mesh).implants[0]
    part = Part(mesh, "implant", "implant", "Ti")
    printed = as_printed(part, stock_rings(Solid.of(BLOCK), plan.screws, printed_with or holes))
    return Measured(replace(implant, part=part, printed=printed))


@pytest.mark.parametrize("seat", ["spherical", "conical"])
def test_stock_is_what_the_plan_says_and_its_volume_is_that_of_the_rings(seat: str):
    holes = HolePlan(undersize_mm=0.6, seat_stock_mm=0.4)
    measured = _drilled(seat, holes)
    found, crossings = stock(measured)
    assert crossings.id == "printed.self_intersections" and crossings.verdict == "pass"
    assert found.id == "screw.1.stock" and found.verdict == "pass"
    assert found.value == pytest.approx(0.4, abs=0.02) and "3.1" in found.detail
    # Areas of revolution between the two holes, by the rule of rings: the profile turned, depth by depth.
    depth = np.linspace(0.0, FRONT - BACK, 8001)
    radii = []
    for bore, shift in ((1.85, 0.0), (1.55, 0.4)):
        if seat == "spherical":
            wall = np.sqrt(np.clip((3.05 - shift) ** 2 - depth**2, 0.0, None))
        else:
            wall = 3.05 - shift * np.sqrt(2.0) - depth
        radii.append(np.maximum(wall, bore))
    expected = np.pi * float(np.mean(radii[0] ** 2 - radii[1] ** 2)) * (FRONT - BACK)
    grown = measured.implant.printed.mesh.volume - measured.mesh.volume
    assert grown == pytest.approx(expected, rel=0.02)


def test_stock_that_is_not_as_planned_is_told():
    found, _ = stock(_drilled("spherical", HolePlan(0.6, 0.4), HolePlan(0.6, 0.8)))
    assert found.verdict == "warn" and found.value == pytest.approx(0.8, abs=0.02)
    found, _ = stock(_drilled("spherical", HolePlan(0.6, 0.4), HolePlan(1.2, 0.4)))
    assert found.verdict == "warn" and "bore as printed 2.5 mm" in found.detail.replace("2.50", "2.5")


def test_nothing_is_made_and_nothing_told_where_nothing_is_milled():
    measured = _drilled("spherical", HolePlan(0.0, 0.0))
    assert measured.implant.printed is None and list(stock(measured)) == []


def test_metal_under_a_conical_head_is_what_is_left_of_the_block_below_its_cone():
    found = {f.id: f for f in seats(_drilled("conical", HolePlan()))}
    # A cone of 90° is 3.05 mm less the distance from the axis deep; its ring goes from 2.0 to 2.57 mm off the axis.
    least, most = 8.0 - (3.05 - 2.0), 8.0 - (3.05 - 2.57)
    assert least - 0.05 < found["screw.1.under_head"].value < 0.5 * (least + most)
    assert found["screw.1.bore"].verdict == "pass"
