"""Distances and displacements of a finished bar in a patient of blocks."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.solids import box
from SpinalStrutDesignerLib.plan.plan import KeepoutRule
from SpinalStrutDesignerLib.verify.clearance import clearance, expected, unseen
from SpinalStrutDesignerLib.verify.measured import Measured
from verify_toy import ball, block, column_mesh, design_of, toy_case, toy_plan, tube

BAR = box([-5.0, -2.5, -29.0], [5.0, 2.5, 29.0])


def _found(*others, plan=None, mesh=BAR, check=clearance):
    plan = plan or toy_plan()
    case = toy_case(*others)
    return {f.id: f for f in check(Measured(design_of(case, plan, mesh).implants[0]))}


def test_distance_to_a_tube_and_where():
    found = _found(tube("aorta", "keepout_critical", 20.0, 0.0, 6.0))["clearance.aorta"]
    assert found.value == pytest.approx(9.0, abs=0.1)
    assert found.verdict == "pass"
    assert found.location[0] == pytest.approx(5.0)
    assert found.critical


@pytest.mark.parametrize(("distance", "verdict"), [(6.2, "pass"), (5.4, "fail"), (4.0, "fail")])
def test_the_budget_is_taken_off_before_the_rule(distance, verdict):
    found = _found(block("aorta", "keepout_critical", [5.0 + distance, -10, -20], [28.0, 10, 20]))["clearance.aorta"]
    assert found.value == pytest.approx(round(distance * 2) / 2, abs=0.3)
    assert found.verdict == verdict


def test_metal_of_any_name_has_the_metal_rule():
    assert _found(tube("rod left", "metal", 0.0, -8.0, 2.0))["clearance.rod_left"].verdict == "pass"
    assert _found(tube("rod left", "metal", 0.0, -6.5, 2.0))["clearance.rod_left"].verdict == "fail"


def test_a_structure_inside_the_implant_does_not_pass():
    found = _found(ball("thing", "keepout_critical", (0.0, 0.0, 3.0), 1.5), plan=_with_rule("thing"))
    assert found["clearance.thing"].value < -1.0
    assert found["clearance.thing"].verdict == "fail"


def test_a_sheet_through_the_implant_does_not_pass():
    found = _found(block("sheet", "keepout_critical", [-20, -20, 0], [20, 20, 0.5]), plan=_with_rule("sheet"))
    assert found["clearance.sheet"].value < 0.0
    assert found["clearance.sheet"].verdict == "fail"


def test_a_structure_without_a_rule_is_not_a_pass():
    found = _found(tube("mystery", "keepout_critical", 25.0, 0.0, 2.0))["clearance.mystery"]
    assert found.verdict == "not_evaluated"
    assert found.blocks
    soft = _found(tube("mystery", "keepout_soft", 25.0, 0.0, 2.0))["clearance.mystery"]
    assert not soft.blocks


@pytest.mark.parametrize(
    ("front", "needed", "verdict"), [(12.0, 0.0, "pass"), (7.5, 1.8, "pass"), (5.5, 3.8, "warn"), (3.5, 5.8, "fail")]
)
def test_a_tube_in_front_is_pushed_by_what_overlaps(front, needed, verdict):
    found = _found(tube("oesophagus", "keepout_critical", 0.0, front, 6.0))["clearance.oesophagus"]
    assert found.value == pytest.approx(needed, abs=0.45)
    assert found.verdict == verdict


def test_beyond_the_middle_the_push_is_more_than_the_depth():
    """The shortest way out is backwards, 2.5 + 2.5 mm; the bar lies at most 4 mm deep in the tube."""
    found = _found(tube("oesophagus", "keepout_critical", 0.0, -1.5, 4.0))["clearance.oesophagus"]
    assert found.value == pytest.approx(5.0 + 0.8, abs=0.3)
    assert found.verdict == "fail"


def test_expected_structures_that_are_missing_block():
    found = _found(tube("trachea", "keepout_critical", 0, 25, 5), check=expected)
    assert "clearance.missing.airway" not in found
    assert found["clearance.missing.spinal_cord_or_dura"].blocks
    assert found["clearance.missing.vertebral_arteries"].blocks


def test_what_ct_cannot_show_is_a_checklist_not_a_pass():
    found = _found(check=unseen)
    assert {f.verdict for f in found.values()} == {"warn"}
    assert "checklist.dura" in found
    assert "checklist.dura" not in _found(tube("dural_sac", "keepout_critical", 0, -20, 5), check=unseen)


def test_feet_count_as_well_as_the_strut():
    found = _found(tube("aorta", "keepout_critical", 16.0, 0.0, 4.0), mesh=column_mesh())["clearance.aorta"]
    assert found.value == pytest.approx(5.0, abs=0.1)
    assert abs(found.location[2]) > 20.0


def test_far_structures_are_at_least_that_far():
    found = _found(block("aorta", "keepout_critical", [-30, 38, -70], [-28, 40, -68]))["clearance.aorta"]
    truth = np.linalg.norm([-28 + 5.0, 38 - 2.5, -68 + 29.0])
    assert 25.0 < found.value <= truth + 0.3
    assert "at least" in found.detail


def _with_rule(name: str):
    rule = KeepoutRule(name, "clearance", 2.0, 2.0, "test")
    return toy_plan(rules=(*toy_plan().rules, rule))
