"""What verification says of how a guide seats: on a block as made, and on a smooth ball, where it turns freely."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import difference
from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.mesh.solids import box, sphere
from SpinalStrutDesignerLib.build.design import Design, DrillGuide
from SpinalStrutDesignerLib.build.drill_guide import guide_on_bone
from SpinalStrutDesignerLib.build.sleeves import Sleeve
from SpinalStrutDesignerLib.case.model import Mask, Structure
from SpinalStrutDesignerLib.plan.guides import GuidePlan
from SpinalStrutDesignerLib.plan.plan import Screw, ScrewType
from SpinalStrutDesignerLib.verify.guide_seats import budget_at_tip_mm, seats
from verify_toy import column_mesh, design_of, grid, matrix, toy_case, toy_plan

RADIUS = 12.0
MIDDLE = np.array([0.0, -6.0, 37.0])
SCREW = Screw(ScrewType(), "C4", (0.0, 12.0, 37.0), (0.0, -1.0, 0.0), 14.0)


def told(design: Design) -> dict:
    return {f.id.removeprefix("guide.drill_proximal."): f for f in seats(design)}


@cache
def on_a_ball() -> Design:
    """C4 is a ball; the guide is a cap that lies 0.2 mm off it all round its front."""
    x, y, z = grid()
    inside = (x - MIDDLE[0]) ** 2 + (y - MIDDLE[1]) ** 2 + (z - MIDDLE[2]) ** 2 < RADIUS**2
    ball = Structure("C4", "bone", Mask(inside, matrix()), level="C4")
    case = toy_case()
    case = case.with_structures([ball if s.level == "C4" else s for s in case.structures])
    design = design_of(case, toy_plan(screws=(SCREW,), guides=GuidePlan(docking="none")), column_mesh())

    low = np.array([-40.0, -60.0, -10.0])
    cap = difference(
        sphere(MIDDLE, RADIUS + 4.0, 128),
        [sphere(MIDDLE, RADIUS + 0.2, 128), box(low, np.array([40.0, MIDDLE[1] + 6.0, 80.0]))],
    )
    front = float(MIDDLE[1] + RADIUS)
    sleeve = Sleeve(
        1, 2.5, 2.85, 6.85, (0.0, front + 16.0, 37.0), (0.0, front + 1.0, 37.0), (0.0, front, 37.0),
        (0.0, front - 11.0, 37.0), (0.0, -1.0, 0.0), 27.0,
    )  # fmt: skip
    part = Part(cap, "drill_proximal", "guide", "PA12")
    zones = MIDDLE + RADIUS * np.array([[0.0, 1.0, 0.0], [0.5, 0.8, 0.33], [-0.5, 0.8, 0.33]])
    return replace(design, guides=(DrillGuide(part, "upper", (sleeve,), np.array([0.0, -1.0, 0.0]), zones),))


@cache
def on_the_block() -> Design:
    places = ((-5.0, 0.2), (5.0, -0.2))
    screws = tuple(Screw(ScrewType(), "C4", (x, 12.0, 37.0), (a, -1.0, 0.0), 14.0) for x, a in places)
    design = design_of(toy_case(), toy_plan(screws=screws, guides=GuidePlan(docking="none")), column_mesh())
    return replace(design, guides=(guide_on_bone(design.implants[0].situation, "upper"),))


def test_a_smooth_ball_is_no_unique_seat() -> None:
    found = told(on_a_ball())
    assert found["seat"].verdict == "fail" and "at least" in found["seat"].detail  # it turns without end
    assert found["drill_error.1"].verdict == "warn"


def test_contact_on_the_block_is_told_by_zones_and_area() -> None:
    found = told(on_the_block())
    guide = on_the_block().guides[0]
    # A zone is a disc of 5 mm, or part of one where bone ends.
    assert 0.4 < found["contact"].value / (len(guide.zones) * np.pi * 2.5**2) < 1.5
    assert found["contact"].verdict == "pass" and int(found["contact"].detail.split()[0]) >= 3


def test_the_seat_is_as_loose_as_the_slack_allows_at_least() -> None:
    """Along its way in nothing but the slack holds the guide: it moves by that, and no less."""
    found = told(on_the_block())
    plan = on_the_block().implants[0].situation.plan.guides
    assert found["seat"].value >= plan.fit_gap_mm + plan.print_tolerance_mm - 0.05
    assert found["seat"].verdict in ("pass", "warn")


def test_drill_errors_add_play_and_print_over_the_sleeve() -> None:
    """By hand: half the clearance, and the print tolerance, at both ends of a sleeve 15 mm long."""
    design = on_the_block()
    plan, (sleeve, *_) = design.implants[0].situation.plan.guides, design.guides[0].sleeves
    beyond = float(np.linalg.norm(np.subtract(sleeve.tip, sleeve.foot)))
    detail = told(design)["drill_error.1"].detail
    shortest = min(one.length_mm for one in design.guides[0].sleeves)
    share = 1.0 + 2.0 * beyond / shortest
    assert f"drill in its sleeve {0.5 * plan.tool_clearance_mm * share:.2f} mm" in detail
    assert f"sleeve as printed {plan.print_tolerance_mm * share:.2f} mm" in detail


def test_the_limit_at_a_tip_is_the_error_budget_over_the_depth() -> None:
    budget = on_the_block().implants[0].situation.plan.budget
    assert budget_at_tip_mm(budget, 0.0) == pytest.approx(budget.screw_entry_mm)
    assert budget_at_tip_mm(budget, 10.0) == pytest.approx(
        np.hypot(budget.screw_entry_mm, 10.0 * np.tan(np.radians(budget.screw_angle_deg)))
    )
