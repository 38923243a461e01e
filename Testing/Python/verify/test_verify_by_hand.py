"""A docking endplate that nobody measured blocks until a person answers for it; how far bone lies from it is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from SpinalStrutDesignerLib.verify.verify import verify
from verify_toy import column_mesh, design_of, toy_case, toy_plan

CASE, PLAN = toy_case(), toy_plan()


def findings_of(by_hand: bool) -> dict:
    design = design_of(CASE, PLAN, column_mesh())
    implant = design.implants[0]
    plate = implant.situation.upper
    # Bone 1 mm out on one half of the plane, 2 mm in on the other.
    across = plate.right * np.linspace(-3.0, 3.0, 8)[:, None]
    surface = plate.centre + across + np.where(np.arange(8) < 4, 1.0, -2.0)[:, None] * plate.normal
    situation = replace(implant.situation, upper=replace(plate, by_hand=by_hand, surface=surface))
    changed = replace(design, implants=(replace(implant, situation=situation), *design.implants[1:]))
    return {f.id: f for f in verify(CASE, PLAN, changed)}


def test_it_is_told_with_the_bone_s_distance():
    finding = findings_of(True)["endplate.C4.by_hand"]
    assert finding.verdict == "not_evaluated" and finding.blocks
    assert finding.value == pytest.approx(np.sqrt((1.0 + 4.0) / 2.0))
    assert "at most 2.0 mm" in finding.detail


def test_a_measured_one_is_not_asked_about():
    assert "endplate.C4.by_hand" not in findings_of(False)
