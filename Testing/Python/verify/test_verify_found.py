"""What the program found by itself and no person has looked at forbids manufacture until somebody says so."""

from __future__ import annotations

from dataclasses import replace

from SpinalStrutDesignerLib.plan.plan import Waiver
from SpinalStrutDesignerLib.verify.verify import blocked, verify
from verify_toy import column_mesh, design_of, toy_case, toy_plan, tube

CASE = toy_case(tube("spinal_cord", "keepout_critical", 0.0, -20.0, 5.0))
FOUND = replace(CASE, seeds=(("C4", (0.0, 0.0, 40.0)), ("T2", (0.0, 0.0, -40.0))))
ID = "labels.found_by_program"


def findings_of(case, plan):
    return {f.id: f for f in verify(case, plan, design_of(case, plan, column_mesh()))}


def test_given_labels_are_not_asked_about():
    assert ID not in findings_of(CASE, toy_plan())


def test_found_ones_block_and_name_the_seeded_levels():
    finding = findings_of(FOUND, toy_plan())[ID]
    assert finding.verdict == "not_evaluated" and finding.blocks and "C4, T2" in finding.title
    assert blocked([finding])


def test_a_person_may_say_that_they_were_looked_at():
    plan = toy_plan().with_(waivers=(Waiver(ID, "A. Surgeon", "compared with the CT"),))
    finding = findings_of(FOUND, plan)[ID]
    assert finding.verdict == "waived" and not finding.blocks
