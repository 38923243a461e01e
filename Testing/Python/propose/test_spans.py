"""Neighbouring docking levels compared, against the truth of a case made for testing."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.json import plan_to_json
from SpinalStrutDesignerLib.plan.plan import Corrections, EndplateOverride, Pose
from SpinalStrutDesignerLib.plan.presets import preset
from SpinalStrutDesignerLib.propose.spans import (
    SPAN_COLUMNS,
    Span,
    SpanDesign,
    designed_span,
    neighbouring_spans,
    span_lines,
    spans_table,
)
from SpinalStrutDesignerLib.verify.finding import Finding

STANDING = ("C3-T2", "C3-T3", "C4-T2", "C4-T3")
DESTROYED = ("C5", "T1")
WITHIN_MM, WITHIN_DEG, WITHIN_HU = 1.0, 3.1, 15.0  # both plates' uncertainty in the truth; a twelfth of the bone's HU


@pytest.fixture(scope="module")
def spans(case2) -> dict[str, Span]:
    return {span.name: span for span in neighbouring_spans(case2.case, preset("case2", "C4", "T2"))}


def test_spans_have_the_true_lengths_and_angles(case2, spans) -> None:
    vertebrae = case2.truth["vertebrae"]
    for name in STANDING:
        upper, lower = name.split("-")
        top, bottom = vertebrae[upper]["endplates"]["inferior"], vertebrae[lower]["endplates"]["superior"]
        apart = np.linalg.norm(np.subtract(top["centre"], bottom["centre"]))
        assert spans[name].length_mm == pytest.approx(apart, abs=WITHIN_MM)
        angle = np.degrees(np.arccos(np.clip(-np.dot(top["normal"], bottom["normal"]), -1.0, 1.0)))
        assert spans[name].angle_deg == pytest.approx(angle, abs=WITHIN_DEG)


def test_bone_beneath_the_plates_has_its_hu_beside_screws_too(case2, spans) -> None:
    for name in STANDING:
        assert spans[name].density_hu == pytest.approx((case2.truth["hu"]["trabecular"],) * 2, abs=WITHIN_HU)


def test_what_cannot_be_docked_on_is_named(spans) -> None:
    assert list(spans) == [f"{upper}-{lower}" for upper in ("C3", "C4", "C5") for lower in ("T1", "T2", "T3")]
    for name, span in spans.items():
        assert bool(span.fault) == (name not in STANDING)
        assert not span.fault or any(level in span.fault for level in DESTROYED)
        made = designed_span(None, span, None) if span.fault else None
        assert made is None or (made.plan is None and made.fault == span.fault and not made.findings)


def test_a_reach_below_nothing_is_refused(case2) -> None:
    with pytest.raises(PlanError, match="reach: -1 levels; give 0 or more"):
        neighbouring_spans(case2.case, preset("case2", "C4", "T2"), reach=-1)


def test_spans_are_measured_as_the_plan_poses_and_corrects_them(case2, spans) -> None:
    start = preset("case2", "C4", "T2").with_(pose=Pose(distraction_mm=4.0, lordosis_deg=6.0))
    (posed,) = neighbouring_spans(case2.case, start, reach=0)
    before = spans["C4-T2"]
    way = before.plates[1].centre - before.plates[0].centre
    longer = np.linalg.norm(way + 4.0 * before.plates[0].normal)
    assert posed.length_mm == pytest.approx(longer, abs=1e-6)
    # The same bone as the CT shows it, wherever the block is moved.
    assert posed.density_hu == pytest.approx(before.density_hu, abs=2.0)
    centre = tuple(before.plates[0].centre + before.plates[0].normal)
    override = EndplateOverride("C4", "inferior", centre, tuple(before.plates[0].normal))
    (corrected,) = neighbouring_spans(
        case2.case, preset("case2", "C4", "T2").with_(corrections=Corrections(endplates=(override,))), reach=0
    )
    assert corrected.length_mm < before.length_mm - 0.8


def test_a_span_is_told_by_its_findings(spans) -> None:
    def found(id: str, title: str, value: float | str | None, verdict: str) -> Finding:
        return Finding(id, title, value, "", "", verdict, "", critical=True)

    made = SpanDesign(
        spans["C4-T2"],
        preset("case2", "C4", "T2"),
        (
            found("fit.upper.contact", "Contact area", 138.4, "pass"),
            found("fit.upper.pressure", "Pressure", 3.614, "fail"),
            found("clearance.dural_sac", "Distance to dural sac", 7.9, "pass"),
            found("clearance.metal", "Distance to metal", 2.89, "warn"),
            found("clearance.oesophagus", "Displacement of oesophagus at rest", 4.25, "pass"),
            found("clearance.lungs", "Displacement of lungs at rest", 0.0, "pass"),
            found("clearance.missing.aorta", "Clearance to aorta", None, "not_evaluated"),
            found("screw.1.density", "Screw 1", 261.6, "pass"),
            found("screw.2.density", "Screw 2", 240.2, "pass"),
        ),
    )
    header, row = csv.reader(io.StringIO(spans_table([made])))
    told = dict(zip(header, row, strict=True))
    assert tuple(header) == SPAN_COLUMNS
    expected = {
        "span": "C4-T2", "upper contact mm2": "138", "lower contact mm2": "—", "upper pressure MPa": "3.61",
        "nearest of those kept clear": "metal", "nearest mm": "2.9",
        "most displaced": "oesophagus", "displaced mm": "4.2", "least screw HU": "240", "fails": "1", "warnings": "1",
        "not evaluated": "1", "forbids manufacture": "fit.upper.pressure; clearance.missing.aorta",
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected
    lines = list(span_lines([made]))
    assert lines[0].startswith("C4-T2: length mm 67.") and lines[-1].endswith("clearance.missing.aorta")


def test_a_span_without_an_implant_says_why(case2, spans) -> None:
    start = preset("case2", "C4", "T2")
    headless = case2.case.with_structures([s for s in case2.case.structures if s.level != "C4"])
    made = designed_span(headless, spans["C4-T2"], start)
    assert made.plan is None and "C4" in made.fault
    (row,) = list(csv.reader(io.StringIO(spans_table([made]))))[1:]
    assert row[0] == "C4-T2" and row[-1] == made.fault and row[-2] == "—"


@pytest.fixture(scope="module")
def designed(case2, spans) -> SpanDesign:
    """The span of the case's plan: for it the plan is proposed a second time, but for its variants."""
    return designed_span(case2.case, spans["C4-T2"], preset("case2", "C4", "T2"))


def test_same_input_same_plan(case2, designed) -> None:
    assert case2.plan.variants and not designed.plan.variants
    assert plan_to_json(designed.plan.with_(variants=case2.plan.variants)) == plan_to_json(case2.plan)


def test_the_span_as_planned_is_designed_and_verified(case2, designed) -> None:
    made = designed
    assert made.plan.axis == case2.plan.axis and not made.plan.variants
    assert made.value("fit.upper.contact") > 50.0
    structure, away = made.nearest
    assert 0.0 < away < 10.0 and structure in {s.name.replace("_", " ") for s in case2.case.structures} | {"metal"}
    assert all(f.id in {b.id for b in made.blocking} for f in made.findings if f.verdict == "fail")
