"""A preview's clearances are those that the finished implant has, and are judged alike."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.solids import box
from shared_phantom import phantom_plan, shared_phantom
from SpinalStrutDesignerLib.build.design import Foot, Implant, Situation
from SpinalStrutDesignerLib.build.preview import Shown
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.plan.curve import AxisCurve, axis_curve
from SpinalStrutDesignerLib.plan.entries import KeepoutRule
from SpinalStrutDesignerLib.plan.plan import Plan
from SpinalStrutDesignerLib.verify.along import TOLD_MM
from SpinalStrutDesignerLib.verify.clearance import clearance
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.preview import Clearance, Clearances
from verify_toy import plate, toy_case, toy_plan, tube

sys.path.insert(0, str(Path(__file__).parents[1] / "build"))

from preview_patient import dragged, phantom_preview, phantom_solid

# What the preview's step may cost, mm: its surface departs by less than this, and so does a distance.
TOLERANCE_MM = 0.3
HALF_WIDTH, HALF_DEPTH = 5.0, 2.5


def bar(front: float = 0.0) -> tuple[Plan, Shown]:
    """A strut 10 × 5 mm, as if it had been previewed with perfect corners."""
    plan = toy_plan(front)
    mesh = box(np.array([-HALF_WIDTH, front - HALF_DEPTH, -24.0]), np.array([HALF_WIDTH, front + HALF_DEPTH, 24.0]))
    # Corners alone would tell of nothing between them: the faces are cut into squares of 0.8 mm.
    edge = [np.linspace(a, b, int((b - a) / 0.8) + 1) for a, b in zip(*mesh.bounds)]
    points = np.stack(np.meshgrid(*edge, indexing="ij"), axis=-1).reshape(-1, 3)
    faces = (np.abs(points - [0.0, front, 0.0]) > [HALF_WIDTH - 0.01, HALF_DEPTH - 0.01, 23.99]).any(axis=1)
    dense = Mesh(points[faces], mesh.faces)
    return plan, Shown(dense, (), axis_curve(plan.axis, plan.section), points[~faces], 1)


def meter(case: Case, plan: Plan) -> Clearances:
    return Clearances(Situation("nominal", 0.0, case, plan, plate("C4"), plate("T2")))


def ruled(plan: Plan, *rules: KeepoutRule) -> Plan:
    return plan.with_(rules=rules)


def rows(case: Case, plan: Plan, shown: Shown) -> dict[str, Clearance]:
    return {row.structure: row for row in meter(case, plan).of(plan, shown)}


def found(made: Situation, mesh: Mesh, curve: AxisCurve) -> dict[str, tuple[float, str]]:
    """Value and verdict of verify's findings on a mesh, by id."""
    feet = tuple(
        Foot(end, plate, np.zeros(3), None, None, 0.0, 0.0, 0.0)  # type: ignore[arg-type]
        for end, plate in (("upper", made.upper), ("lower", made.lower))
    )
    implant = Implant(made, Part(mesh, "implant"), curve, feet)  # type: ignore[arg-type]
    return {f.id: (f.value, f.verdict) for f in clearance(Measured(implant))}  # type: ignore[misc]


def test_the_phantoms_clearances_are_those_of_its_finished_solid():
    plan = phantom_plan()
    shown = phantom_preview().of(plan)
    made = situation(shared_phantom(), plan)
    want = found(made, phantom_solid(), shown.curve)
    got = Clearances(phantom_preview().situation(plan)).of(plan, shown)
    assert [row.id for row in got] == list(want)
    for row in got:
        value, verdict = want[row.id]
        assert row.measured_mm == pytest.approx(value, abs=TOLERANCE_MM), row.id
        limits = [v for v in (row.limit_mm, row.warn_mm) if v is not None]
        room = plan.budget.segmentation_to_print_mm if row.kind == "clearance" else 0.0
        if all(abs(value - limit - room) > TOLERANCE_MM for limit in limits):
            assert row.verdict == verdict, row.id


@pytest.mark.parametrize("away", [4.5, 5.5, 9.5, 21.0])
def test_a_distance_is_judged_after_the_error_budget(away):
    plan, shown = bar()
    rule = KeepoutRule("vertebral_arteries", "clearance", 1.0, 3.0, "test")
    plan = ruled(plan, rule)
    vessel = tube("vertebral_arteries", "keepout_critical", HALF_WIDTH + away, 0.0, 3.0)
    row = rows(toy_case(vessel), plan, shown)["vertebral_arteries"]
    left = away - 3.0 - plan.budget.segmentation_to_print_mm
    assert row.measured_mm == pytest.approx(away - 3.0, abs=0.15)
    assert row.place[0] == pytest.approx(HALF_WIDTH, abs=0.01)
    assert row.verdict == ("fail" if left < 1.0 else "warn" if left < 3.0 else "pass")
    assert row.critical and row.id == "clearance.vertebral_arteries"


def test_a_tube_in_the_struts_way_is_pushed_aside_past_its_face():
    rule = KeepoutRule("oesophagus", "displacement", 8.0, 4.0, "test")
    for middle in (4.0, 2.5, 1.0):
        plan, shown = bar()
        plan = ruled(plan, rule)
        gullet = tube("oesophagus", "keepout_critical", 0.0, HALF_DEPTH + middle, 5.0)
        row = rows(toy_case(gullet), plan, shown)["oesophagus"]
        # It moves forwards until its back clears the strut's front, and the budget beyond.
        needed = 5.0 - middle + plan.budget.segmentation_to_print_mm
        assert row.measured_mm == pytest.approx(needed, abs=0.6)
        assert row.verdict == ("pass" if row.measured_mm <= 4.0 else "warn")
    assert rows(toy_case(), plan, shown) == {}


def test_what_has_no_rule_is_not_evaluated_and_metal_has_its_own():
    plan, shown = bar()
    case = toy_case(tube("hook", "metal", 12.0, 0.0, 2.0), tube("nobody", "keepout_soft", -12.0, 0.0, 2.0))
    got = rows(case, plan, shown)
    assert got["nobody"].verdict == "not_evaluated" and got["nobody"].measured_mm is None
    assert got["hook"].kind == "clearance" and got["hook"].measured_mm == pytest.approx(5.0, abs=0.15)


def test_room_along_the_strut_is_told_where_it_is():
    plan, shown = bar()
    rule = KeepoutRule("vertebral_arteries", "clearance", 2.0, 3.0, "test")
    plan = ruled(plan, rule)
    vessel = tube("vertebral_arteries", "keepout_critical", 14.0, 0.0, 3.0, low=0.0, high=70.0)
    least = meter(toy_case(vessel), plan).along(plan, shown.curve).least_mm
    beside = shown.curve.points[:, 2] > 1.0
    assert least[beside] == pytest.approx(14.0 - 3.0 - HALF_WIDTH - 2.0 - 0.8, abs=0.2)
    # Below the vessel's end the nearest place is its rim.
    below = -shown.curve.points[~beside, 2] - 0.0
    away = np.minimum(np.hypot(6.0, np.maximum(below, 0.0)) - 2.8, TOLD_MM)
    assert least[~beside][below > 3.0] == pytest.approx(away[below > 3.0], abs=0.4)
    assert np.isinf(meter(toy_case(), plan).along(plan, shown.curve).least_mm).all()


def test_the_implant_leaves_no_more_room_than_its_strut():
    """Feet and flanges come on top: no structure may be nearer to the strut alone than to the whole."""
    plan = phantom_plan()
    shown = phantom_preview().of(plan)
    gauge = Clearances(phantom_preview().situation(plan))
    whole = {row.structure: row for row in gauge.of(plan, shown)}
    traces = gauge.along(plan, shown.curve).traces
    assert len(traces) > 5
    for trace in traces:
        row = whole[trace.structure]
        budget = plan.budget.segmentation_to_print_mm
        left = row.measured_mm - budget - row.limit_mm if row.kind == "clearance" else row.limit_mm - row.measured_mm
        assert trace.slack_mm.min() > min(left, TOLD_MM) - TOLERANCE_MM - 0.7, trace.structure


def test_a_drag_towards_a_structure_is_seen_and_forgotten():
    plan = phantom_plan()
    preview = phantom_preview()
    gauge = Clearances(preview.situation(plan))
    before = gauge.of(plan, preview.of(plan))
    for number, by, structure, way in (
        (4, (3.0, 0.0, 0.0), "great_vessels", -1.0),
        (2, (0.0, 4.0, 0.0), "oesophagus", 1.0),
    ):
        moved = dragged(plan, number, by)
        first, then = (
            next(row.measured_mm for row in found if row.structure == structure)
            for found in (before, gauge.of(moved, preview.of(moved)))
        )
        assert first is not None and then is not None and way * (then - first) > 0.5
    assert gauge.of(plan, preview.of(plan)) == before
