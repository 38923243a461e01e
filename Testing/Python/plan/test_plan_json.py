"""Any plan survives being written and read; what is not a plan is refused; older plans are migrated."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SpinalStrutDesignerLib.case.levels import LEVELS
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan import json as plan_json
from SpinalStrutDesignerLib.plan.catalogue import load_screws
from SpinalStrutDesignerLib.plan.json import plan_from_json, plan_to_json
from SpinalStrutDesignerLib.plan.limits import LIMITS
from SpinalStrutDesignerLib.plan.plan import (
    Axis,
    Flange,
    FootPlan,
    KeepoutRule,
    Loads,
    Plan,
    Pose,
    Resection,
    Screw,
    Section,
    Variant,
    Waiver,
)

NAMES = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=12)


def number(field: str) -> st.SearchStrategy[float]:
    row = LIMITS[field]
    return st.floats(row.low, row.high)


def numbers(cls: type, *names: str) -> dict[str, st.SearchStrategy[float]]:
    return {name: number(f"{cls.__name__}.{name}") for name in names}


def vectors(limit: float = 5000.0) -> st.SearchStrategy[tuple[float, float, float]]:
    return st.tuples(*[st.floats(-limit, limit)] * 3)


def directions() -> st.SearchStrategy[tuple[float, float, float]]:
    return vectors(3.0).filter(lambda v: sum(x * x for x in v) > 1e-4)


SECTIONS = st.builds(
    Section,
    shape=st.sampled_from(["ellipse", "rounded_rectangle", "concave_back"]),
    corner_radius_mm=st.floats(0.0, 1.0),
    back_radius_mm=st.floats(20.0, 500.0),
    lower_width_mm=st.none() | number("Section.lower_width_mm"),
    lower_depth_mm=st.none() | number("Section.lower_depth_mm"),
    **numbers(Section, "width_mm", "depth_mm"),
)
FEET = st.builds(FootPlan, **numbers(FootPlan, "height_mm", "ring_margin_mm", "posterior_margin_mm", "fit_gap_mm"))
FLANGES = st.none() | st.builds(Flange, **numbers(Flange, "azimuth_deg", "width_mm", "height_mm", "thickness_mm"))
RULES = st.builds(
    lambda name, kind, a, b, source: KeepoutRule(
        name, kind, *((min(a, b), max(a, b)) if kind == "clearance" else (max(a, b), min(a, b))), source
    ),
    NAMES,
    st.sampled_from(["clearance", "displacement"]),
    st.floats(0, 100),
    st.floats(0, 100),
    NAMES,
)


@st.composite
def plans(draw) -> Plan:
    upper = draw(st.integers(0, len(LEVELS) - 2))
    lower = draw(st.integers(upper + 1, len(LEVELS) - 1))
    types = [entry.value for entry in load_screws().values()]
    screws = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(types))
        level = LEVELS[draw(st.sampled_from([upper, lower]))]
        length = draw(st.sampled_from(kind.lengths_mm))
        screws.append(Screw(kind, level, draw(vectors()), draw(directions()), length, draw(st.booleans())))
    return Plan(
        upper=LEVELS[upper],
        lower=LEVELS[lower],
        pose=draw(st.builds(Pose, **numbers(Pose, "distraction_mm", "lordosis_deg", "coronal_deg", "rotation_deg"))),
        resections=tuple(draw(st.lists(st.builds(Resection, st.sampled_from(LEVELS), vectors(), directions())))),
        axis=Axis(
            draw(st.just(()) | st.lists(vectors(), min_size=3, max_size=6)), draw(vectors(100)), draw(directions())
        ),
        section=draw(SECTIONS),
        upper_foot=draw(FEET),
        lower_foot=draw(FEET),
        upper_flange=draw(FLANGES),
        lower_flange=draw(FLANGES),
        screws=screws,
        variants=draw(st.lists(st.builds(Variant, number("Variant.amount_mm")), unique_by=lambda v: v.amount_mm)),
        rules=draw(st.lists(RULES, max_size=4, unique_by=lambda rule: rule.structure)),
        loads=draw(st.builds(Loads, st.none() | number("Loads.patient_weight_kg"), number("Loads.axial_N"))),
        waivers=draw(st.lists(st.builds(Waiver, NAMES, NAMES, NAMES), max_size=2, unique_by=lambda w: w.finding)),
    )


@settings(max_examples=60, deadline=None)
@given(plans())
def test_any_plan_survives_being_written_and_read(plan: Plan):
    text = plan_to_json(plan)
    again = plan_from_json(text)
    assert again == plan
    assert plan_to_json(again) == text
    assert plan_from_json(text.encode("utf-8").decode("utf-8")) == plan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "plan: not valid JSON: Expecting value"),
        ("{", "plan: not valid JSON"),
        ("[1]", "plan: not a JSON object"),
        ('{"upper": "C4", "lower": "T2"}', "schema: None is not a version"),
        ('{"schema": true, "upper": "C4", "lower": "T2"}', "schema: True is not a version"),
        ('{"schema": 3, "upper": "C4", "lower": "T2"}', "schema: 3 is newer than 2, .*update the program"),
        ('{"schema": 0, "upper": "C4", "lower": "T2"}', "schema: 0 is older than any"),
        ('{"schema": 1, "lower": "T2"}', "upper: missing; it has no default"),
        ('{"schema": 1, "upper": "C4", "lower": "T2", "uper": 1}', "uper: no such field; did you mean upper"),
        (
            '{"schema": 1, "upper": "C4", "lower": "T2", "section": {"width_mm": 10, "width_mm": 12}}',
            "plan: the field 'width_mm' is given more than once",
        ),
        ('{"schema": 1, "upper": "C4", "lower": "T2", "section": {"width_mm": NaN}}', "plan: NaN is not a number"),
        ('{"schema": 1, "upper": "C4", "lower": "T2", "section": {"width_mm": 1e999}}', "section.width_mm: inf mm"),
        ('{"schema": 1, "upper": "C4", "lower": "T2", "section": {"width_mm": null}}', "section.width_mm: none is not"),
        (
            '{"schema": 1, "upper": "C4", "lower": "T2", "upper_foot": {"height_mm": 0}}',
            "upper_foot.height_mm: 0 mm is",
        ),
        ('{"schema": 1, "upper": "C4", "lower": "T2", "variants": {"amount_mm": 3}}', "variants: .* is not a list"),
    ],
)
def test_a_text_that_is_no_plan_is_refused_by_name(text: str, message: str):
    with pytest.raises(PlanError, match=f"^{message}"):
        plan_from_json(text)


def test_an_older_plan_is_migrated_step_by_step(monkeypatch):
    def renamed(data):
        return {("section" if key == "profile" else key): value for key, value in data.items()}

    def metres(data):
        return {**data, "section": {"width_mm": data["section"]["width_m"] * 1000}}

    monkeypatch.setattr(plan_json, "MIGRATIONS", {-1: renamed, 0: metres, 1: plan_json.MIGRATIONS[1]})
    old = {"schema": -1, "upper": "C4", "lower": "T2", "profile": {"width_m": 0.012}}
    assert plan_from_json(json.dumps(old)) == Plan("C4", "T2", section=Section(width_mm=12.0, sizing="fixed"))
