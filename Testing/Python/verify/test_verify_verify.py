"""All checks together: waivers, variants, order, blocking."""

from __future__ import annotations

import re

import pytest
from LatticeGeneratorLib.mesh.boolean import difference
from LatticeGeneratorLib.mesh.solids import box
from LatticeGeneratorLib.progress import Cancelled
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.plan import Waiver
from SpinalStrutDesignerLib.verify.finding import Finding
from SpinalStrutDesignerLib.verify.registry import checks
from SpinalStrutDesignerLib.verify.verify import blocked, verify
from verify_toy import column_mesh, design_of, toy_case, toy_plan, tube, variant_of

CASE = toy_case(tube("spinal_cord", "keepout_critical", 0.0, -20.0, 5.0), tube("mystery", "keepout_soft", 25.0, 0, 2))
PLAN = toy_plan()


@pytest.fixture(scope="module")
def findings():
    return verify(CASE, PLAN, design_of(CASE, PLAN, column_mesh()))


def test_every_check_of_the_folder_is_run():
    names = {check.name for check in checks()}
    assert {"closed", "clearance", "expected", "unseen", "bone", "resection", "fit", "porous", "strength"} <= names
    assert {"screws", "seats", "eccentricity", "dimensions", "scan"} <= names


def test_ids_are_unique_and_plain(findings):
    ids = [f.id for f in findings]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z0-9_.\-]+", name) for name in ids)


def test_every_finding_says_its_limit_and_where_it_comes_from(findings):
    for finding in findings:
        assert finding.title and finding.limit and finding.basis
        assert (finding.value is None) <= (finding.verdict in ("not_evaluated", "fail"))


def test_the_same_twice_is_the_same(findings):
    assert verify(CASE, PLAN, design_of(CASE, PLAN, column_mesh())) == findings


@pytest.fixture
def alone(monkeypatch):
    """No second thread."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)


def test_one_thread_finds_what_two_find(findings, alone):
    assert verify(CASE, PLAN, design_of(CASE, PLAN, column_mesh())) == findings


def test_what_cannot_be_measured_is_not_evaluated_and_blocks():
    """A strut without metal in its middle has no strength to measure."""
    broken = difference(column_mesh(), [box([-20, -20, -3], [20, 20, 3])])
    found = {f.id: f for f in verify(CASE, PLAN, design_of(CASE, PLAN, broken))}
    assert found["check.strength"].verdict == "not_evaluated"
    assert found["check.strength"].blocks
    assert "no metal" in found["check.strength"].detail


def test_variants_carry_their_name(findings):
    design = variant_of(design_of(CASE, PLAN, column_mesh()), "plus2mm", 2.0)
    both = verify(CASE, PLAN, design)
    assert both[: len(findings)] == findings
    rest = both[len(findings) :]
    assert rest
    assert all(f.id.startswith("plus2mm.") for f in rest)
    assert "plus2mm.strength.axial" in {f.id for f in rest}


def test_a_waiver_by_name_keeps_the_value(findings):
    failing = next(f for f in findings if f.verdict == "fail")
    plan = PLAN.with_(waivers=(Waiver(failing.id, "Dr A", "posterior rods share the load"),))
    waived = {f.id: f for f in verify(CASE, plan, design_of(CASE, plan, column_mesh()))}[failing.id]
    assert waived.verdict == "waived"
    assert waived.value == failing.value
    assert "Dr A" in waived.detail
    assert not waived.blocks


def test_a_waiver_of_nothing_is_refused():
    plan = PLAN.with_(waivers=(Waiver("clearance.unicorn", "Dr A", "because"),))
    with pytest.raises(PlanError, match=r"clearance\.unicorn"):
        verify(CASE, plan, design_of(CASE, plan, column_mesh()))


def test_a_design_of_another_plan_is_refused():
    other = PLAN.with_(case_code="OTHER-1")
    with pytest.raises(PlanError, match="another plan"):
        verify(CASE, other, design_of(CASE, PLAN, column_mesh()))


def test_blocked_by_fail_and_by_critical_not_evaluated_only():
    def finding(verdict, critical=False):
        return Finding("a", "a", None, "", "a", verdict, "a", critical=critical)

    assert blocked([finding("fail")])
    assert blocked([finding("pass"), finding("not_evaluated", True)])
    assert not blocked([finding("pass"), finding("warn"), finding("not_evaluated"), finding("waived", True)])


def test_it_can_be_cancelled_and_reports_where_it_is():
    seen = []

    def stop(stage, fraction):
        seen.append(fraction)
        if len(seen) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        verify(CASE, PLAN, design_of(CASE, PLAN, column_mesh()), stop)
    assert seen == sorted(seen)
    assert 0.0 <= seen[0] <= seen[-1] < 1.0
