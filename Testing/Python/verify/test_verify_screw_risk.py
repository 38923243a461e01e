"""Pull-out and breach probabilities of screws in a block of bone, as findings."""

from __future__ import annotations

import re

import numpy as np
import pytest
from SpinalStrutDesignerLib.plan.plan import ErrorBudget, Flange
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.placement import deviations
from SpinalStrutDesignerLib.verify.screw_risk import screw_risk, wall_breaches
from SpinalStrutDesignerLib.verify.screwline import ScrewLine
from verify_toy import block, column_mesh, design_of, screw, toy_case, toy_plan, tube

# C4 spans x -10..10, y -8..8, z 30..44: the screw enters its front face 3 mm under the head's top.
FRONT = 11.0
ENTRY, BACK = (0.0, FRONT, 37.0), (0.0, -1.0, 0.0)
FLANGE = Flange(width_mm=16.0, height_mm=12.0, thickness_mm=2.5)
# 2 mm in any direction across, always: what is reached is told by the angle alone.
SHIFT = ErrorBudget(screw_entry_mm=2.0, screw_entry_sd_mm=0.0, screw_angle_deg=0.0)
NONE = ErrorBudget(screw_entry_mm=0.0, screw_angle_deg=0.0)


def _found(*others, at=ENTRY, way=BACK, length=14.0, flange=FLANGE, budget=SHIFT, **changes):
    plan = toy_plan(screws=(screw(at, way, length).with_(**changes),), upper_flange=flange, budget=budget)
    design = design_of(toy_case(*others), plan, column_mesh())
    return {f.id.removeprefix("screw.1."): f for f in screw_risk(Measured(design.implants[0]))}


def _beyond(mm):
    """Share in percent of shifts of 2 mm that go farther than mm in one direction."""
    return 100.0 * np.arccos(mm / 2.0) / np.pi


def test_pull_out_by_hand():
    found = _found()["pullout"]
    # 11 mm of thread at 300 HU: S = 21.6 × 0.3836^1.65, TSF = 0.5 + 0.577 × 0.8 / 1.75.
    by_hand = 21.6 * 0.3836**1.65 * np.pi * 3.5 * 11.0 * (0.5 + 0.577 * 0.8 / 1.75)
    assert found.value == pytest.approx(by_hand, rel=0.03)
    assert found.verdict == "pass" and found.limit == "reported" and found.unit == "N"


def test_thread_beside_metal_and_outside_bone_holds_nothing():
    # The rod ends at y = -1; 3 mm about it the CT shows streaks: of y = 8 to -3 there remains 8 to 2.
    rod = block("rod", "metal", [-1.0, -30.0, 20.0], [1.0, -1.0, 60.0])
    beside = _found(rod)["pullout"]
    assert beside.value / _found()["pullout"].value == pytest.approx(6.0 / 11.0, abs=0.04)
    assert re.search(r"5\.\d mm beside metal", beside.detail)
    outside = _found(at=(30.0, FRONT, 37.0))["pullout"]
    assert outside.value is None and outside.verdict == "not_evaluated"


@pytest.mark.parametrize(("wall", "verdict"), [(2.5, "fail"), (3.0, "fail"), (4.0, "pass")])
def test_the_canal_beside_the_thread(wall, verdict):
    """2 mm of shift and a radius of 1.75 mm reach what lies nearer to the axis than 3.75 mm."""
    found = _found(block("spinal_cord", "keepout_critical", [wall, -30, -60], [20, 30, 60]))["breach.canal"]
    assert found.critical and found.limit == "≤ 5 %" and found.verdict == verdict
    # The distance field of a block of voxels is right to some hundredths of a millimetre at a flat face.
    assert found.value == pytest.approx(_beyond(min(wall - 1.75, 2.0)), abs=2.5)


def test_the_limit_is_the_plans():
    cord = block("spinal_cord", "keepout_critical", [3.0, -30, -60], [20, 30, 60])
    plan = toy_plan(screws=(screw(ENTRY, BACK),), upper_flange=FLANGE, budget=SHIFT)
    plan = plan.with_(screw_rules=plan.screw_rules.with_(canal_breach_percent=40.0))
    measured = Measured(design_of(toy_case(cord), plan, column_mesh()).implants[0])
    assert next(f for f in screw_risk(measured) if f.id == "screw.1.breach.canal").verdict == "pass"


def test_without_a_canal_the_finding_blocks():
    assert _found()["breach.canal"].blocks


def test_an_endplate_below():
    """3 mm above the lower face: 1.25 mm are left beside the thread."""
    found = _found(at=(0.0, FRONT, 33.0))
    assert found["breach.inferior"].value == pytest.approx(_beyond(1.25), abs=0.5)
    assert found["breach.wall"].value == 0.0
    assert {found[f"breach.{k}"].verdict for k in ("inferior", "wall", "far_wall")} == {"pass"}
    assert found["breach.superior"].verdict == "not_evaluated" and not found["breach.superior"].blocks


def test_the_docked_endplate_is_exempt_without_a_flange():
    assert "breach.inferior" in _found()
    found = _found(flange=None)
    assert "breach.inferior" not in found and "breach.superior" in found


def test_a_side_wall():
    """3 mm inside the side face, as in `test_an_endplate_below`; endplates are as far as without it."""
    found = _found(at=(7.0, FRONT, 37.0))
    assert found["breach.wall"].value == pytest.approx(_beyond(1.25), abs=2.0)
    assert found["breach.far_wall"].value == 0.0
    assert _found(at=(7.0, FRONT, 37.0), budget=NONE)["breach.wall"].value == 0.0
    assert _found(at=(9.5, FRONT, 37.0), budget=NONE)["breach.wall"].value == 100.0
    assert _found(at=(30.0, FRONT, 37.0))["breach.wall"].value is None


def test_the_far_wall():
    assert _found(length=20.0, budget=NONE)["breach.far_wall"].value == 100.0
    assert _found(length=18.0, budget=NONE)["breach.far_wall"].value == 0.0
    planned = _found(length=20.0, budget=NONE, bicortical=True)["breach.far_wall"]
    assert "planned" in planned.limit and planned.verdict == "pass"


def test_a_slanting_entry_is_no_breach():
    """Through the front face at 50° from straight, well inside all other faces."""
    angle = np.deg2rad(50.0)
    way = (float(np.sin(angle)), -float(np.cos(angle)), 0.0)
    at = (-8.0, FRONT, 37.0)
    line = ScrewLine(screw(at, way, 14.0), 1, toy_case().structure("C4"))
    assert wall_breaches(line, deviations(NONE, 16), np.array([0.0, 0.0, -1.0])) == (0.0, 0.0)
    assert wall_breaches(line, deviations(ErrorBudget(), 1024), np.array([0.0, 0.0, -1.0]))[0] < 0.02


@pytest.mark.parametrize(("side", "verdict"), [(3.0, "warn"), (6.0, None)])
def test_organs_are_told_where_they_are_reached(side, verdict):
    aorta = block("aorta", "keepout_critical", [side, -30.0, 20.0], [20.0, 30.0, 60.0])
    found = _found(aorta).get("breach.aorta")
    assert (found.verdict if found else None) == verdict


def test_what_nothing_is_planned_for_has_no_findings():
    design = design_of(toy_case(), toy_plan(), column_mesh())
    assert not list(screw_risk(Measured(design.implants[0])))


def test_the_measured_error_is_named():
    found = _found(tube("spinal_cord", "keepout_critical", 0.0, -20.0, 5.0), budget=ErrorBudget())["breach.canal"]
    assert "1.4 ± 0.81 mm" in found.basis and "6.7 ± 3.77°" in found.basis


def test_a_thread_that_misses_its_bone_has_passed_a_side_wall():
    line = ScrewLine(screw((30.0, FRONT, 37.0), BACK), 1, toy_case().structure("C4"))
    assert wall_breaches(line, deviations(SHIFT, 16), np.array([0.0, 0.0, -1.0])) == (1.0, 0.0)
