"""What a moved block does to the cord, on a patient of blocks whose cord is a straight tube behind two bodies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from SpinalStrutDesignerLib.build.situation import posed
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.motion import Bend
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.posture import posture
from verify_toy import block, column_mesh, design_of, plate, toy_case, toy_plan, tube

BEHIND_MM, SPAN_MM = 20.0, 60.0
CORD = tube("spinal_cord", "keepout_critical", 0.0, -BEHIND_MM, 4.0)
UPPER = np.array([0.0, 0.0, 30.0])
MESH = column_mesh()


def findings(case: Case, motion: np.ndarray) -> dict:
    """Of the case with its upper block moved by a rigid 4x4, by what the finding is about."""
    plan = toy_plan()
    moved = posed(case, plan, Bend(UPPER, np.array([0.0, 0.0, -SPAN_MM]), motion))
    implant = design_of(moved, plan, MESH).implants[0]
    top = plate("C4")
    centre = motion[:3, :3] @ top.centre + motion[:3, 3]
    situation = replace(implant.situation, upper=replace(top, centre=centre, normal=motion[:3, :3] @ top.normal))
    return {f.id: f for f in posture(Measured(replace(implant, situation=situation)))}


def turned(degrees: float) -> np.ndarray:
    """The upper block turned backwards about the patient's right, about its plate's centre."""
    angle = np.radians(degrees)
    motion = np.eye(4)
    motion[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    motion[:3, 3] = UPPER - motion[:3, :3] @ UPPER
    return motion


def lifted(mm: float) -> np.ndarray:
    motion = np.eye(4)
    motion[2, 3] = mm
    return motion


def test_distraction_lengthens_the_cord_by_as_much() -> None:
    found = findings(toy_case(CORD), lifted(6.0))
    length = found["posture.cord_length"]
    assert length.value == pytest.approx(100.0 * 6.0 / SPAN_MM, rel=0.08) and length.verdict == "warn"
    assert findings(toy_case(CORD), lifted(0.6))["posture.cord_length"].verdict == "pass"


def test_a_block_turned_backwards_shortens_the_cord_behind_its_centre() -> None:
    """The cord runs an arc of the block's angle whose middle lies before it: shorter by angle times distance."""
    length = findings(toy_case(CORD), turned(10.0))["posture.cord_length"]
    shorter = np.radians(10.0) * BEHIND_MM
    assert length.value == pytest.approx(-100.0 * shorter / SPAN_MM, rel=0.15) and length.verdict == "pass"
    assert findings(toy_case(CORD), turned(-10.0))["posture.cord_length"].verdict == "warn"


def test_a_bent_cord_leaves_the_straight_line() -> None:
    assert findings(toy_case(CORD), lifted(3.0))["posture.canal"].value == pytest.approx(0.0, abs=0.2)
    bent = findings(toy_case(CORD), turned(25.0))["posture.canal"]
    # An even arc sags by an eighth of its length times its angle; one with straight ends by up to half as much again.
    even = 52.0 / 8.0 * np.radians(25.0)
    assert even < bent.value < 1.5 * even and bent.verdict == "warn" and "0.0 mm before" in bent.detail


def test_bone_that_is_turned_into_the_cord_fails() -> None:
    """A lip of the upper body that reaches down behind the span, where the cord is no longer carried with it."""
    lip = replace(block("C4", "bone", np.array([-6.0, -13.0, -14.0]), np.array([6.0, -11.0, 44.0]), "C4"))
    case = toy_case(CORD)
    case = case.with_structures([lip, *(s for s in case.structures if s.level != "C4")])
    gap = BEHIND_MM - 4.0 - 13.0
    still = findings(case, lifted(0.5))["posture.bone"]
    assert still.value == pytest.approx(gap, abs=0.6) and still.verdict == "pass"
    into = findings(case, turned(-30.0))["posture.bone"]
    assert into.value < 0.0 and into.verdict == "fail" and into.blocks
    assert "pose" in into.detail and "resection" in into.detail and "pose" not in still.detail


def test_bone_that_comes_nearer_is_told_where_other_bone_is_as_near_as_ever() -> None:
    """Bone 0.5 mm behind the cord at the lower level, which stays, hides nothing of the lip that comes at the upper."""
    behind = block("T2", "bone", np.array([-6.0, -27.0, -44.0]), np.array([6.0, -24.5, -34.0]), "T2")
    lip = block("C4", "bone", np.array([-6.0, -13.0, -14.0]), np.array([6.0, -11.0, 44.0]), "C4")
    case = toy_case(CORD)
    case = case.with_structures([lip, behind, *(s for s in case.structures if s.level is None)])
    still, nearer = (findings(case, turned(degrees))["posture.bone"] for degrees in (0.01, -3.0))
    assert still.verdict == "pass" and still.value == pytest.approx(0.5, abs=0.3)
    assert nearer.verdict == "warn" and nearer.value == pytest.approx(still.value, abs=0.1)


def test_cord_and_bone_that_meet_already_do_not_pass() -> None:
    through = block("T2", "bone", np.array([-6.0, -27.0, -44.0]), np.array([6.0, -22.0, -34.0]), "T2")
    case = toy_case(CORD)
    case = case.with_structures([through, *(s for s in case.structures if s.level != "T2")])
    assert findings(case, lifted(0.1))["posture.bone"].verdict == "warn"


def test_a_canal_says_nothing_of_bone_beside_the_cord() -> None:
    found = findings(toy_case(replace(CORD, name="spinal_canal")), lifted(3.0))
    assert found["posture.bone"].verdict == "not_evaluated" and found["posture.cord_length"].value > 0.0


def test_without_a_cord_a_moved_block_blocks() -> None:
    found = findings(toy_case(tube("aorta", "keepout_critical", 0.0, 20.0, 4.0)), lifted(3.0))
    assert found["posture.cord_length"].verdict == "not_evaluated" and found["posture.cord_length"].blocks


def test_nothing_is_told_where_nothing_moves() -> None:
    assert not list(posture(Measured(design_of(toy_case(CORD), toy_plan(), MESH).implants[0])))
